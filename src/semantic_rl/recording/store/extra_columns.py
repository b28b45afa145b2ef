"""Further columns of a recording's states, which its maker named: numbers, or texts.

Numbers are float32, NaN where one is unknown. A text is stored as its index in the list of the column's texts, its
categories, which `recording.json` holds.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from semantic_rl.artifacts import OTHER_STATE_COLUMNS, SEMANTIC_STATE_COLUMNS, STATE_COLUMNS
from semantic_rl.json_files import JsonObject

EXTRA_COLUMNS = "extra_columns"
"""Field of `recording.json` with the names of the columns."""
CATEGORIES = "categories"
"""Field of `recording.json` with the texts of the columns that hold texts, by name."""
MOST_EXTRA = 64
"""Most further columns."""
MOST_CATEGORIES = 65_536
"""Most different texts in a column; an index takes two bytes."""
LONGEST_NAME = 80
LONGEST_TEXT = 200
"""Most characters of a text; longer ones are cut."""
MOST_CHARACTERS = 4_000_000
"""Most characters of all different texts of a recording together."""
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands in a text for what cannot be shown."""
TAKEN = frozenset({*STATE_COLUMNS, *SEMANTIC_STATE_COLUMNS, *OTHER_STATE_COLUMNS})
"""Names of a recording's own columns."""

Categories = dict[str, tuple[str, ...]]


class ExtraColumn(NamedTuple):
    """A further column of all states."""

    name: str
    values: NDArray[Any]
    """[B]: float32 numbers, or indices into `categories`."""
    categories: tuple[str, ...] | None
    """The texts that the indices stand for; None if the column holds numbers."""


def is_valid_name(name: object) -> bool:
    """Say whether a further column may have this name."""
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable() and name not in TAKEN


def one_line(text: str) -> str:
    """Return a text as a category holds it: on one line, printable, of at most `LONGEST_TEXT` characters."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(sign if sign.isprintable() else UNPRINTABLE for sign in line)
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def read_extra(description: JsonObject) -> tuple[str, ...]:
    """Return the names of the further columns; raises UserError if they are invalid."""
    found = description.array(EXTRA_COLUMNS) if EXTRA_COLUMNS in description else []
    if not all(map(is_valid_name, found)) or len(set(found)) != len(found) or len(found) > MOST_EXTRA:
        description.wrong(EXTRA_COLUMNS, f"at most {MOST_EXTRA} names, all different, none of them of a usual column")
    return tuple(found)


def read_categories(description: JsonObject) -> Categories:
    """Return the texts of the further columns that hold texts, by name; raises UserError if they are invalid."""
    if CATEGORIES not in description:
        return {}
    names, content = read_extra(description), description.object(CATEGORIES)
    found: Categories = {}
    for name in content:
        texts = content.array(name)
        if name not in names:
            content.wrong(name, f"names of {EXTRA_COLUMNS} alone")
        if not all(map(_is_category, texts)) or len(set(texts)) != len(texts) or len(texts) > MOST_CATEGORIES:
            content.wrong(name, f"at most {MOST_CATEGORIES:,} texts of one line, all different")
        found[name] = tuple(texts)
    return found


def texts_of(codes: NDArray[np.integer], categories: tuple[str, ...]) -> pl.Series:
    """Return the texts [B] that indices stand for."""
    return pl.Series(categories, dtype=pl.String).gather(pl.Series(codes.astype(np.uint32)))


def _is_category(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_TEXT and text.isprintable()
