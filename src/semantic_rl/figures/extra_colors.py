"""Colours of states by a further column of the recording, which its maker named: numbers, or texts."""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError, nearest
from semantic_rl.palette import CATEGORIES, OTHER
from semantic_rl.recording.store import Recording

LONGEST_IN_LEGEND = 24


class ColumnColors(NamedTuple):
    """The colours of states, and their meaning."""

    colors: NDArray[Any]
    """[B, 3] colours, or [B] numbers for the sequential colour map, NaN where one is unknown."""
    label: str
    entries: list[tuple[str, str]]
    """(colour, text) of each entry of the legend; empty if there is a colour bar."""


def check_column(recording: Recording, color: str, usual: tuple[str, ...]) -> None:
    """Raise UserError unless `color` is one of the `usual` colours or a further column of the recording."""
    known = [*usual, *recording.extra]
    if color not in known:
        raise UserError(f"color: got '{color}', expected one of {', '.join(known)}.{nearest(color, known)}")


def color_by_column(recording: Recording, rows: NDArray[np.int64], name: str) -> ColumnColors:
    """Return the colours of the states `rows` by a further column: a colour each for the most frequent texts."""
    column = recording.extra_column(name)
    if column.categories is None:
        return ColumnColors(column.values[rows].astype(np.float64), name, [])
    counts = np.bincount(column.values, minlength=len(column.categories))
    frequent = np.argsort(-counts, kind="stable")[: len(CATEGORIES)]
    frequent = frequent[counts[frequent] > 0]
    table = np.full(len(counts), OTHER, object)
    table[frequent] = CATEGORIES[: len(frequent)]
    total = max(1, len(column.values))
    entries = [
        (str(table[code]), f"{_shortened(column.categories[code])}  {counts[code] / total:.1%}") for code in frequent
    ]
    rest = 1 - counts[frequent].sum() / total
    if rest > 1e-9:
        entries.append((OTHER, f"other  {rest:.1%}"))
    colors = np.array([[int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)] for code in table])
    return ColumnColors(colors[column.values[rows]], f"{name}, share of states", entries)


def file_ending(color: str) -> str:
    """Return a colour's name as a part of a file name."""
    return re.sub(r"[^\w.-]+", "_", color)


def _shortened(text: str) -> str:
    text = text or "(empty)"
    return text if len(text) <= LONGEST_IN_LEGEND else text[: LONGEST_IN_LEGEND - 1] + "…"
