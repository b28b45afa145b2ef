"""Reads untrusted bytes in Thrift's compact protocol, which Parquet's footers and headers of pages are written in.

The protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from typing import Any

from semantic_rl.recording.store.flatbuffer import Damaged

MOST_DEPTH = 16
TRUE, FALSE, BYTE, INT16, INT32, INT64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class CompactReader:
    """Reads one value after the other; `at` is how far it came."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a struct by number; raises IndexError where the data end, and Damaged."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            kind = head & 0x0F
            fields[number] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise Damaged("it is nested too deep")
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind in (INT16, INT32, INT64):
            return self._zigzag()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind in (LIST, SET):
            head = self._byte()
            length = head >> 4 if head >> 4 != 15 else self._varint()
            self._check_length(length)
            return [self._value(head & 0x0F, depth + 1) for _ in range(length)]
        if kind == MAP:
            length = self._varint()
            self._check_length(length)
            kinds = self._byte() if length else 0
            return [(self._value(kinds >> 4, depth + 1), self._value(kinds & 0x0F, depth + 1)) for _ in range(length)]
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise Damaged("it holds a value of no known kind")

    def _check_length(self, length: int) -> None:
        if length > len(self._data) - self.at:
            raise IndexError("a list is longer than what is left")

    def _bytes(self, length: int) -> bytes:
        self.at += length
        if self.at > len(self._data):
            raise IndexError("a text is longer than what is left")
        return self._data[self.at - length : self.at]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value
            if shift > 63:
                raise Damaged("a number in it is too long")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
