"""What a Parquet file claims is compared with what its rows and types allow, before memory is taken for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.parquet_source import ParquetSource
from semantic_rl.recording.store.compact_thrift import CompactReader
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.parquet_sizes import check_sizes
from semantic_rl.recording.store.table_file import TableFile

VALUE = np.dtype([("value", np.float32)])
COUNT = 3000
HUGE = 2**31 - 1
I32 = b"\x15"
"""Head of a field that is a number, one after the field before."""


def varint(number: int, length: int = 0) -> bytes:
    """Return a number as Thrift's varint, filled up to a length."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F)
    parts += [0] * (length - len(parts))
    return bytes([*(part | 0x80 for part in parts[:-1]), parts[-1]])


def with_a_huge_page(path: Path, column: Any) -> None:
    """Write a table whose first page claims 2 GB; the place of the checksum holds the bytes that the claim needs."""
    plain: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table({"value": column}), path, write_page_checksum=True, **plain)
    data = path.read_bytes()
    end = data.index(b"\x1c", 4) + 1  # a struct, one field after the checksum: the header of a page of data
    header = CompactReader(data[4:]).struct()
    begin = I32 + b"\x00" + I32 + varint(2 * HUGE) + I32
    packed = varint(2 * header[3], end - 4 - len(begin) - 1)
    changed = begin + packed + b"\x2c"
    assert len(changed) == end - 4
    assert CompactReader(changed + data[end:]).struct() | {2: header[2], 4: header[4]} == header
    path.write_bytes(data[:4] + changed + data[end:])


def claims(path: Path) -> Any:
    with path.open("rb") as source:
        return check_sizes(source)


def numbers() -> Any:
    return np.random.default_rng(0).normal(size=COUNT).astype(np.float32)


@pytest.mark.parametrize(
    "column", [numbers, lambda: [bytes([row % 256]) * 9 for row in range(COUNT)]], ids=["numbers", "bytes"]
)
def test_a_page_that_claims_two_gigabytes_is_refused(tmp_path: Path, column: Callable[[], Any]) -> None:
    path = tmp_path / "states.parquet"
    with_a_huge_page(path, column())
    opens: list[Callable[[], object]] = [lambda: TableFile(path, VALUE), lambda: ParquetSource(path)]
    for open_it in opens:
        with pytest.raises(UserError, match="'value' claims a page of 2,147,483,647 bytes, more than") as refusal:
            open_it()
        assert "\n" not in str(refusal.value)


def test_a_column_of_more_values_than_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"value": numbers()}), path)
    data = path.read_bytes()
    claimed = data.replace(varint(2 * COUNT), varint(2 * (COUNT + 4000)))  # both have two bytes
    assert claimed != data
    path.write_bytes(claimed)
    with pytest.raises(UserError):
        TableFile(path, VALUE).read(["value"])


def test_lists_that_claim_more_values_than_the_rows_allow_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"value": [[1.0] * 5000] * 10}), path)
    with pytest.raises(UserError, match="'value' claims 50,000 values for 10 rows"):
        TableFile(path, np.dtype([("value", np.float32, (4,))]))


def test_what_other_writers_write_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = 2000
    table = pa.table({
        "lists": [[1.0, 2.0]] * rows, "empty": [[]] * rows, "texts": ["a", "b"] * (rows // 2), "nulls": pa.nulls(rows),
        "some": [None, 1.5] * (rows // 2), "flags": [True, False] * (rows // 2), "halves": np.zeros(rows, np.float16),
        "inner": pa.array([{"a": 1, "b": [1, 2, 3]}] * rows), "bytes": [b"x" * (row % 99) for row in range(rows)],
    })  # fmt: skip
    for codec in ("zstd", "snappy", "none", "gzip"):
        for version in ("1.0", "2.0"):
            pq.write_table(table, path, compression=codec, data_page_version=version, row_group_size=700)
            assert [counts["lists"] for counts in claims(path)] == [1400, 1400, 1200]
        pl.from_arrow(table.select(["lists", "texts", "some"])).write_parquet(  # type: ignore[union-attr]
            path, compression="uncompressed" if codec == "none" else codec
        )
        assert sum(counts["lists"] for counts in claims(path)) == 2 * rows
    pq.write_table(table.slice(0, 0), path)
    assert sum(counts["lists"] for counts in claims(path)) == 0


def test_a_damaged_footer_is_refused_and_nothing_else_happens(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"value": numbers(), "lists": [[1, 2]] * COUNT}), path)
    data = path.read_bytes()
    generator = np.random.default_rng(0)
    length = int.from_bytes(data[-8:-4], "little")
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        damaged[len(data) - 8 - int(generator.integers(length))] = int(generator.integers(256))
        path.write_bytes(damaged)
        try:
            claims(path)
        except Damaged:
            refused += 1
    assert refused > 50
