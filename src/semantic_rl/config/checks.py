"""What settings are checked with when a config is made: each failure names the setting, its value and the way out."""

import math
from pathlib import Path
from typing import Any, Literal

from semantic_rl.errors import UserError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
MAX_SEED = 2**31 - 1


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise UserError unless `condition` holds."""
    if not condition:
        raise UserError(f"{name}: got {value!r}, expected {expected}.")


def at_least(config: object, minimum: float, *names: str) -> None:
    """Require the settings `names` to be finite and no less than `minimum`."""
    for name in names:
        value = getattr(config, name)
        require(minimum <= value < math.inf, name, value, f"a number of at least {minimum}")


def above_zero(config: object, *names: str) -> None:
    """Require the settings `names` to be finite and more than 0."""
    for name in names:
        value = getattr(config, name)
        require(0 < value < math.inf, name, value, "a number above 0")


def within(config: object, low: float, high: float, *names: str) -> None:
    """Require the settings `names` to lie from `low` to `high`."""
    for name in names:
        value = getattr(config, name)
        require(low <= value <= high, name, value, f"a number from {low} to {high}")


def to_dict(config: object) -> dict[str, Any]:
    """Return a (nested) config as a flat dictionary of JSON values, by setting name."""
    flat: dict[str, Any] = {}
    for name, value in vars(config).items():
        if hasattr(value, "__dataclass_fields__"):
            flat.update(to_dict(value))
        else:
            flat[name] = str(value) if isinstance(value, Path) else value
    return flat
