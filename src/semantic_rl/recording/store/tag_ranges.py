"""Which states have a tag: ascending ranges of rows, first and last of each, as `annotations.json` stores them."""

from collections.abc import Sequence
from typing import cast

Range = tuple[int, int]
"""The first and the last row."""
MOST_RANGES = 50_000
"""Ranges that one tag may consist of; a file with as many has about a megabyte."""


def read_ranges(given: object) -> list[Range] | None:
    """Return ranges from JSON, joined and in order; None if they are no pairs of rows."""
    if not isinstance(given, list):
        return None
    found: list[Range] = []
    for pair in cast(list[object], given):
        if not isinstance(pair, list) or len(cast(list[object], pair)) != 2:
            return None
        first, last = cast(list[object], pair)
        if type(first) is not int or type(last) is not int or not 0 <= first <= last:
            return None
        found.append((first, last))
    return joined(found)


def joined(ranges: Sequence[Range]) -> list[Range]:
    """Return ranges in order, those that overlap or follow each other as one."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(ranges: Sequence[Range], removed: Sequence[Range]) -> list[Range]:
    """Return what is left of ranges, given in order, if others are taken out."""
    left: list[Range] = []
    place = 0
    for first, last in ranges:
        while place < len(removed) and removed[place][1] < first:
            place += 1
        begin, at = first, place
        while at < len(removed) and removed[at][0] <= last:
            if removed[at][0] > begin:
                left.append((begin, removed[at][0] - 1))
            begin = removed[at][1] + 1
            at += 1
        if begin <= last:
            left.append((begin, last))
    return left


def num_rows(ranges: Sequence[Range]) -> int:
    """Return the number of rows in ranges."""
    return sum(last - first + 1 for first, last in ranges)
