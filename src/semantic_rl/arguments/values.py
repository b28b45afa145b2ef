"""Parses words of a command line into values; an error says what was expected instead.

The functions are used as `type` of argparse arguments; argparse prepends the flag's name to their errors.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from semantic_rl.errors import nearest

WHOLE = re.compile(r"[+-]?[0-9]+(_[0-9]+)*(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?", re.ASCII)
LARGEST = 2**63 - 1
"""Largest accepted integer, since the code that uses the settings computes with 64 bits."""
LONGEST_SHOWN = 60


def whole_number(word: str) -> int:
    """Parse an integer, which may be written as 25000000, 25_000_000 or 25e6."""
    if not WHOLE.fullmatch(word) or len(word) > LONGEST_SHOWN:
        raise ArgumentTypeError(f"got {shown(word)}, expected a whole number, like 64 or 1e6")
    value = Decimal(word)
    if value != value.to_integral_value():
        raise ArgumentTypeError(f"got {shown(word)}, expected a whole number, like 64 or 1e6")
    if abs(value) > LARGEST:
        raise ArgumentTypeError(f"got {shown(word)}, expected a whole number of at most 64 bits")
    return int(value)


def number(word: str) -> float:
    """Parse a number; nan and inf are accepted here and refused by the config, which names the setting."""
    try:
        return float(word.encode("ascii"))
    except ValueError:
        raise ArgumentTypeError(f"got {shown(word)}, expected a number, like 0.5 or 1e-3") from None


def path(word: str) -> Path:
    """Parse a path; refuses an empty word and names that no file can have."""
    if word == "":
        raise ArgumentTypeError("got '', expected a path (. is the folder that you are in)")
    if "\0" in word or not _is_utf8(word):
        raise ArgumentTypeError(f"got {shown(word)}, expected a path in UTF-8 without NUL")
    return Path(word)


def text(word: str) -> str:
    """Parse a word, which must be a single line."""
    if not _is_utf8(word) or any(ord(sign) < 32 or ord(sign) == 127 for sign in word):
        raise ArgumentTypeError(f"got {shown(word)}, expected text in UTF-8 on one line, without control characters")
    return word


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a function that accepts one of `choices` and suggests the nearest one for anything else."""

    def choose(word: str) -> str:
        if word not in choices:
            raise ArgumentTypeError(f"got {shown(word)}, expected {' or '.join(choices)}.{nearest(word, choices)}")
        return word

    return choose


def shown(word: str) -> str:
    """Return a word in quotation marks, on one line and shortened if it is long."""
    short = word if len(word) <= LONGEST_SHOWN else word[: LONGEST_SHOWN - 3] + "..."
    return repr(short) if _is_utf8(short) else ascii(short)


def _is_utf8(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
