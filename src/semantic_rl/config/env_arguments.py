"""Arguments of an environment as they are typed: key=value."""

from collections.abc import Sequence
from math import isfinite

from semantic_rl.envs.spec import Scalar
from semantic_rl.errors import UserError, on_one_line

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "none": None}
MOST_DIGITS = 15


def read_env_arguments(texts: Sequence[str]) -> dict[str, Scalar]:
    """Return the arguments that texts such as continuous=true and gravity=-5 give.

    A value is true, false, none, a number or else a text. Raises UserError if a text has another form or a key is given
    twice.
    """
    found: dict[str, Scalar] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise UserError(f"env_args: got '{on_one_line(text)}', expected key=value, such as continuous=true.")
        if key in found:
            raise UserError(f"env_args: got {key} twice, expected each argument once.")
        found[key] = _value(value)
    return found


def _value(text: str) -> Scalar:
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    if "_" in text or len(text) > 2 * MOST_DIGITS:
        return text
    try:
        return int(text) if len(text) <= MOST_DIGITS else text
    except ValueError:
        pass
    try:
        return number if isfinite(number := float(text)) else text
    except ValueError:
        return text
