"""Checks of settings when a config is constructed; each error names the setting, its value and what was expected."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

from semantic_rl.errors import UserError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
MAX_SEED = 2**31 - 1
MOST = 1_000_000_000
"""Upper limit of settings that have no limit of their own; they become 32-bit floats and sizes of arrays."""
MOST_THREADS = 4096
MOST_STEPS = 10**15
MOST_PERPLEXITY = 10_000.0


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise UserError unless `condition` holds."""
    if not condition:
        raise UserError(f"{name}: got {value!r}, expected {expected}.")


def at_least(config: object, minimum: float, *names: str, most: float = MOST) -> None:
    """Require the settings `names` to lie from `minimum` to `most`."""
    for name in names:
        value = getattr(config, name)
        require(minimum <= value, name, value, f"a number of at least {minimum}")
        require(value <= most, name, value, f"a number of at most {most}")


def above_zero(config: object, *names: str, most: float = MOST) -> None:
    """Require the settings `names` to be more than 0 and at most `most`."""
    for name in names:
        value = getattr(config, name)
        require(value > 0, name, value, "a number above 0")
        require(value <= most, name, value, f"a number above 0 and of at most {most}")


def within(config: object, low: float, high: float, *names: str) -> None:
    """Require the settings `names` to lie from `low` to `high`."""
    for name in names:
        value = getattr(config, name)
        require(low <= value <= high, name, value, f"a number from {low} to {high}")


def without_effect(config: object, reason: str, *names: str) -> None:
    """Require the settings `names` to have their defaults, since for `reason` any other value would have no effect."""
    defaults = {field.name: field.default for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    for name in names:
        value = getattr(config, name)
        flag = ("--no-" if defaults[name] is True else "--") + name.replace("_", "-")
        if value != defaults[name]:
            shown = str(value) if isinstance(value, Path) else value
            raise UserError(f"{name}: got {shown!r}, which would do nothing: {reason}; leave {flag} out.")


def to_dict(config: object) -> dict[str, Any]:
    """Return a (nested) config as a flat dictionary of JSON values, by setting name; several texts are one."""
    flat: dict[str, Any] = {}
    for name, value in vars(config).items():
        if hasattr(value, "__dataclass_fields__"):
            flat.update(to_dict(value))
        else:
            value = " ".join(map(str, value)) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
            flat[name] = str(value) if isinstance(value, Path) else value
    return flat
