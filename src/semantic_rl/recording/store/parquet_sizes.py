"""Compares the sizes that an untrusted Parquet file claims with what its rows and types allow, before memory is taken.

Arrow takes as much memory as a page's header claims, up to 2 GB a page, whatever the file has. Here the footer and the
headers of all pages are read first; the values are not. (Arrow's own description of a damaged footer cannot be asked:
it ends the process.) The format: https://parquet.apache.org/docs/file-format, parquet.thrift.
"""

import os
from typing import Any, BinaryIO, NamedTuple

from semantic_rl.recording.store.compact_thrift import CompactReader
from semantic_rl.recording.store.flatbuffer import Damaged

MAGIC = b"PAR1"
LARGEST_FOOTER = 4 * 1024**2
"""A million states have 60 KB."""
LARGEST_HEADER = 1 << 16
"""A page's header has some 30 bytes, and the least and greatest value of the page."""
USUAL_HEADER = 512
SLACK = 1 << 20
"""Bytes that a column's dictionary and lengths may take beside its values."""
LARGEST_PAGE_OF_BYTES = 64 * 1024**2
MOST_RATIO = 1000
"""Of pages of byte strings, whose count says nothing of their size: the largest, or so many times what is stored."""
BITS = {0: 1, 1: 32, 2: 64, 3: 96, 4: 32, 5: 64}
"""Of a value by the number of its type; the others are BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY."""
FIXED, REPEATED = 7, 2
OTHER_PAGE, DICTIONARY_PAGE = 1, 2
_DATA_HEADERS, _DICTIONARY_HEADER = (5, 8), 7
MOST_REMEMBERED = 256

Counts = list[dict[str, int]]
_checked: dict[tuple[int, ...], Counts] = {}
"""Files, by identity and time of change, that were found to be right: a file is opened anew for every part of it."""


class _Leaf(NamedTuple):
    """A column of values."""

    name: str
    """Of the column of the table that it is in."""
    bits: int | None
    """Of a value; None for byte strings."""
    is_repeated: bool


def check_sizes(source: BinaryIO) -> Counts:
    """Return how many values the columns of each row group claim, by the name of the column.

    Raises Damaged if a column or a page of it claims more bytes or values than it can have. Where `source` stands is
    kept.
    """
    found = os.fstat(source.fileno())
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if identity in _checked:
        return _checked[identity]
    place = source.tell()
    try:
        counts = _check(source, found.st_size)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged("its footer does not say what it should") from error
    finally:
        source.seek(place)
    if len(_checked) >= MOST_REMEMBERED:
        _checked.clear()
    _checked[identity] = counts
    return counts


def _check(source: BinaryIO, size: int) -> Counts:
    source.seek(max(0, size - 8))
    end = source.read(8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != MAGIC or not 0 < length <= min(size - 12, LARGEST_FOOTER):
        raise Damaged("it has no footer of a size that a table needs")
    source.seek(size - 8 - length)
    metadata = CompactReader(source.read(length)).struct()
    leaves = _leaves(metadata[2])
    counts: Counts = []
    for group in metadata.get(4, []):
        columns, rows = group[1], group[3]
        if len(columns) != len(leaves):
            raise Damaged(f"a part of it has {len(columns)} columns, expected {len(leaves)}")
        for leaf, column in zip(leaves, columns, strict=True):
            _check_chunk(leaf, column[3], rows, source, size)
        counts.append({leaf.name: column[3][5] for leaf, column in zip(leaves, columns, strict=True)})
    return counts


def _leaves(schema: list[dict[int, Any]]) -> list[_Leaf]:
    """Return the columns of values, which stand in the schema before or after one another and inside others."""
    leaves: list[_Leaf] = []
    open_groups: list[list[Any]] = []
    """[children that are still to come, name, whether it is repeated], the outermost first."""
    for element in schema:
        is_top = len(open_groups) == 1
        name = element[4].decode("utf-8", "replace") if is_top or not open_groups else open_groups[-1][1]
        is_repeated = element.get(3) == REPEATED or (bool(open_groups) and open_groups[-1][2])
        if open_groups:
            open_groups[-1][0] -= 1
        if children := element.get(5, 0):
            open_groups.append([children, name, is_repeated])
        else:
            bits = 8 * element.get(2, 0) if element.get(1) == FIXED else BITS.get(element[1])
            leaves.append(_Leaf(name, bits, is_repeated))
        while len(open_groups) > 1 and open_groups[-1][0] <= 0:
            open_groups.pop()
    return leaves


def _check_chunk(leaf: _Leaf, chunk: dict[int, Any], rows: int, source: BinaryIO, size: int) -> None:
    name, count, stored = leaf.name, chunk[5], chunk[7]
    if count < 0 or (not leaf.is_repeated and count != rows):
        raise Damaged(f"'{name}' has {count:,} values for {rows:,} rows")
    if not count:
        return
    start = min(offset for offset in (chunk[9], chunk.get(11) or chunk[9]) if offset is not None)
    if start <= 0 or stored < 0 or start + stored > size:
        raise Damaged(f"'{name}' lies outside of it")
    most = None if leaf.bits is None else 2 * count * (leaf.bits // 8 + 2) + SLACK
    taken, seen, offset = 0, 0, start
    while seen < count:
        page = _page(source, offset, name)
        taken += page.unpacked
        allowed = max(LARGEST_PAGE_OF_BYTES, MOST_RATIO * page.packed) if most is None else most
        if page.unpacked > allowed or (most is not None and taken > most):
            raise Damaged(f"'{name}' claims a page of {page.unpacked:,} bytes, more than its values can take")
        if page.end > size or page.num_values > count:
            raise Damaged(f"'{name}' claims a page of {page.packed:,} bytes and {page.num_values:,} values")
        offset = page.end
        seen += page.num_values if page.kind not in (DICTIONARY_PAGE, OTHER_PAGE) else 0


class _Page(NamedTuple):
    """What a page's header says."""

    kind: int
    unpacked: int
    packed: int
    num_values: int
    end: int


def _page(source: BinaryIO, offset: int, column: str) -> _Page:
    """Read the header at an offset; raises Damaged."""
    for most in (USUAL_HEADER, LARGEST_HEADER):
        source.seek(offset)
        reader = CompactReader(source.read(most))
        try:
            fields = reader.struct()
            break
        except IndexError:
            continue
    else:
        raise Damaged(f"'{column}' has no page where one should begin")
    kind, unpacked, packed = (_whole(fields.get(field), column) for field in (1, 2, 3))
    headers = (_DICTIONARY_HEADER,) if kind == DICTIONARY_PAGE else _DATA_HEADERS
    header = next((fields[field] for field in headers if isinstance(fields.get(field), dict)), {})
    num_values = 0 if kind == OTHER_PAGE else _whole(header.get(1), column)
    return _Page(kind, unpacked, packed, num_values, offset + reader.at + packed)


def _whole(value: object, column: str) -> int:
    if not isinstance(value, int) or value < 0:
        raise Damaged(f"'{column}' has a page whose header is damaged")
    return value
