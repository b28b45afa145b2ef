"""Reads untrusted Arrow files with one column of byte strings, the format of a recording's frames.

A file from elsewhere may be damaged or malicious. Arrow's own reader trusts a file's offsets and the sizes that
compressed buffers declare; here every offset and size is checked before it is used. Any fault raises Damaged. The
format: https://arrow.apache.org/docs/format/Columnar.html.
"""

import os
import stat
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import pyarrow as pa

from semantic_rl.recording.store.flatbuffer import Damaged, Table, unpack

MAGIC = b"ARROW1"
MOST_OF_FOOTER = 1 << 20
"""Largest accepted footer, in bytes; a shard's has 4 KB."""
MOST_OF_DESCRIPTION = 1 << 16
"""Largest accepted description of a batch, in bytes."""
BINARY, FIXED_SIZE_BINARY = 4, 15
"""Numbers of types in Arrow's Schema.fbs."""
RECORD_BATCH = 3
"""Number of a message type in Arrow's Message.fbs."""
ZSTD = 1
"""Number of a codec in Arrow's Message.fbs."""
NOT_COMPRESSED = -1


class _Block(NamedTuple):
    """The location of a batch in the file."""

    offset: int
    size_of_description: int
    size: int


class ArrowFile:
    """A file whose footer has been read; its batches are read one at a time."""

    def __init__(self, path: Path) -> None:
        """Read the footer; raises Damaged and OSError."""
        self._path = path
        with self._open() as file:
            self._size = os.fstat(file.fileno()).st_size
            footer = _footer(file, self._size)
        schema = footer.table(1)
        fields = schema.tables(1)
        if len(fields) != 1:
            raise Damaged(f"it holds {len(fields)} columns, expected 1")
        self.width = _width_of(fields[0])
        """Bytes of each row; None if rows differ in size."""
        self.metadata = {entry.text(0): entry.text(1) for entry in schema.tables(2)}
        self._blocks = [_Block(*block) for block in footer.structs(3, "<qi4xq")]
        for index, block in enumerate(self._blocks):
            if block.offset < 8 or not 8 < block.size_of_description <= MOST_OF_DESCRIPTION or block.size < 0:
                raise Damaged(f"batch {index} is at no place in it")
            if block.offset + block.size_of_description + block.size > self._size:
                raise Damaged(f"batch {index} reaches outside of it")

    @property
    def num_batches(self) -> int:
        """Return the number of batches in the file."""
        return len(self._blocks)

    def read(self, index: int, num_rows: int, most: int) -> list[bytes]:
        """Return the rows of a batch, which must have exactly `num_rows` rows and at most `most` bytes in total."""
        with self._open() as file:
            return self._read(file, index, num_rows, most)

    def _read(self, file: BinaryIO, index: int, num_rows: int, most: int) -> list[bytes]:
        block = self._blocks[index]
        described, body = block.size_of_description, block.offset + block.size_of_description
        head = _bytes(file, block.offset, described)
        continues, size = unpack("<Ii", head, 0)
        if continues != 0xFFFFFFFF or not 0 < size <= described - 8:
            raise Damaged(f"batch {index} does not begin where it should")
        message = Table.root(head[8 : 8 + size])
        if message.number(1, "<B") != RECORD_BATCH:
            raise Damaged(f"batch {index} is none")
        batch = message.table(2)
        found = batch.number(0, "<q")
        if found != num_rows:
            raise Damaged(f"batch {index} holds {found} rows, expected {num_rows}")
        nodes, buffers = batch.structs(1, "<qq"), batch.structs(2, "<qq")
        if nodes != [(num_rows, 0)]:
            raise Damaged(f"batch {index} holds empty rows")
        compressed = batch.has(3)
        if compressed and batch.table(3).number(0, "<b") != ZSTD:
            raise Damaged(f"batch {index} is not compressed with zstd")
        if len(buffers) != (2 if self.width is not None else 3):
            raise Damaged(f"batch {index} has {len(buffers)} parts")

        def part(number: int, expected: int | None) -> bytes:
            offset, length = buffers[number]
            if offset < 0 or length < 0 or offset + length > block.size:
                raise Damaged(f"batch {index} reaches outside of itself")
            if length > most + 8:
                raise Damaged(f"batch {index} has {length:,} bytes, expected at most {most:,}")
            content = _bytes(file, body + offset, length)
            return _decompressed(content, expected, most, index) if compressed else content

        if self.width is not None:
            return _cut_evenly(part(1, num_rows * self.width), num_rows, self.width, index)
        return _cut(part(1, 4 * (num_rows + 1)), part(2, None), num_rows, index)

    def _open(self) -> BinaryIO:
        return open_regular(self._path)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; raises Damaged if it is something else, such as a pipe, and OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Damaged("it is no regular file")
    return cast(BinaryIO, open(descriptor, "rb", buffering=0))


def _footer(file: BinaryIO, size_of_file: int) -> Table:
    if size_of_file < 8 + 10 or _bytes(file, 0, len(MAGIC)) != MAGIC:
        raise Damaged("it is no Arrow file, or its beginning is damaged")
    size, magic = unpack("<i6s", _bytes(file, size_of_file - 10, 10), 0)
    if magic != MAGIC or not 0 < size <= min(MOST_OF_FOOTER, size_of_file - 18):
        raise Damaged("its end is not that of an Arrow file")
    return Table.root(_bytes(file, size_of_file - 10 - size, size))


def _bytes(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    content = file.read(count)
    if len(content) != count:
        raise Damaged("it ends too early")
    return content


def _width_of(field: Table) -> int | None:
    kind = field.number(2, "<B")
    if kind == BINARY:
        return None
    width = field.table(3).number(0, "<i") if kind == FIXED_SIZE_BINARY else 0
    if width <= 0:
        raise Damaged("its column does not hold byte strings")
    return width


def _decompressed(content: bytes, expected: int | None, most: int, index: int) -> bytes:
    """Decompress a buffer whose prefix gives the decompressed size: `expected` bytes, or at most `most`."""
    size: int = unpack("<q", content, 0)[0]
    if size == NOT_COMPRESSED:
        return content[8:]
    if not (0 <= size <= most if expected is None else size == expected):
        raise Damaged(f"batch {index} claims {size:,} bytes, expected {most if expected is None else expected:,}")
    try:
        return pa.decompress(content[8:], size, "zstd", asbytes=True) if size else b""
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"batch {index} cannot be decompressed") from error


def _cut_evenly(content: bytes, num_rows: int, width: int, index: int) -> list[bytes]:
    if len(content) < num_rows * width:
        raise Damaged(f"batch {index} has {len(content):,} bytes, expected {num_rows * width:,}")
    return [content[width * row : width * (row + 1)] for row in range(num_rows)]


def _cut(offsets: bytes, content: bytes, num_rows: int, index: int) -> list[bytes]:
    if len(offsets) < 4 * (num_rows + 1):
        raise Damaged(f"batch {index} does not say where its rows begin")
    ends = np.frombuffer(offsets, "<i4", num_rows + 1).tolist()
    rows = list(pairwise(ends))
    if any(not 0 <= begin <= end <= len(content) for begin, end in rows):
        raise Damaged(f"a row of batch {index} reaches outside of it")
    return [content[begin:end] for begin, end in rows]
