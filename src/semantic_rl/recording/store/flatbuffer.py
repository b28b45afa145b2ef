"""Reads untrusted FlatBuffers, the format of Arrow's metadata; every offset is checked to stay inside the bytes.

A table is a position in the bytes; its fields have numbers, given by Arrow's schemas (format/Message.fbs, Schema.fbs
and File.fbs of the Arrow project).
"""

import struct
from typing import Any, Self

MOST_ITEMS = 100_000
"""Most accepted items of a vector; none of ours comes near it."""


class Damaged(ValueError):
    """The bytes are invalid; the message says in a few words why."""


class Table:
    """A table of a FlatBuffer."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self._place = place
        self._fields = place - self._number("<i", place)
        self._size: int = self._number("<H", self._fields)

    @classmethod
    def root(cls, content: bytes) -> Self:
        """Return the root table of a buffer; raises Damaged, as all other methods do."""
        return cls(content, unpack("<I", content, 0)[0])

    def number(self, field: int, form: str, default: int = 0) -> int:
        """Return an integer field; `form` is its type in the notation of `struct`."""
        place = self._where(field)
        return default if place is None else self._number(form, place)

    def table(self, field: int) -> Self:
        """Return a table field."""
        place = self._where(field)
        if place is None:
            raise Damaged("a part of its description is missing")
        return type(self)(self._content, place + self._number("<I", place))

    def has(self, field: int) -> bool:
        """Say whether a field is present."""
        return self._where(field) is not None

    def tables(self, field: int) -> list[Self]:
        """Return a field that is a vector of tables."""
        begin, count = self._vector(field)
        places = [begin + 4 * index for index in range(count)]
        return [type(self)(self._content, place + self._number("<I", place)) for place in places]

    def structs(self, field: int, form: str) -> list[tuple[int, ...]]:
        """Return a field that is a vector of structs with the layout `form`."""
        begin, count = self._vector(field)
        size = struct.calcsize(form)
        return [unpack(form, self._content, begin + size * index) for index in range(count)]

    def text(self, field: int) -> bytes:
        """Return a string field, as bytes."""
        begin, count = self._vector(field)
        return unpack(f"<{count}s", self._content, begin)[0]

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._where(field)
        if place is None:
            return 0, 0
        begin = place + self._number("<I", place)
        count = self._number("<I", begin)
        if count > MOST_ITEMS:
            raise Damaged(f"its description claims {count:,} items")
        return begin + 4, count

    def _where(self, field: int) -> int | None:
        slot = 4 + 2 * field
        offset = self._number("<H", self._fields + slot) if slot + 2 <= self._size else 0
        return self._place + offset if offset else None

    def _number(self, form: str, place: int) -> int:
        return unpack(form, self._content, place)[0]


def unpack(form: str, content: bytes, place: int) -> tuple[Any, ...]:
    """Unpack a `struct` format at a position; raises Damaged if it reaches outside of the bytes."""
    if place < 0 or place + struct.calcsize(form) > len(content):
        raise Damaged("its description reaches outside of it")
    return struct.unpack_from(form, content, place)
