"""Reads a Parquet file column by column into NumPy arrays of the expected types.

A table may have been written by another program: integers and floats of other widths are accepted if every value fits,
and lists of variable length if each has the right length. Everything else raises UserError, which names file, row,
column and value; so do the exceptions that Arrow raises for a damaged file.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.recording.store.arrow_file import open_regular
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.parquet_sizes import check_sizes
from semantic_rl.recording.store.schema import NULLABLE

UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, OverflowError, MemoryError)
"""Exceptions that Arrow raises if a table is damaged inside."""
ROWS_AT_ONCE = 16_384
"""Number of rows whose lists are in memory at once."""
MOST_IN_LIST = 65_536
WAY_OUT = "restore the recording or record again"

Columns = dict[str, NDArray[Any]]


class TableFile:
    """A Parquet file that has the columns of a record type, in any order, and possibly others."""

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[np.void],
        fill: Mapping[str, Any] | None = None,
        nullable: Collection[str] = NULLABLE,
        way_out: str = WAY_OUT,
    ) -> None:
        """Read the file's metadata; raises UserError if the file is missing, cut off or lacks columns.

        `fill` gives columns that the file does not have, by name: the value in all rows, a list [width] for a list.
        `nullable` are columns in which a number may be missing, which is read as NaN.
        """
        self.path = path
        self.nullable = nullable
        self.dtype = dtype
        self.way_out = way_out
        """What a message advises where the file is damaged."""
        self._fill = {name: np.asarray(value) for name, value in (fill or {}).items()}
        with opened(self.path, way_out) as file:
            self.num_rows: int = file.metadata.num_rows
            self.group_rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            """Number of rows of each row group."""
            names: list[str] = file.schema_arrow.names
            types: dict[str, Any] = {name: file.schema_arrow.field(name).type for name in names}
        with open_regular(self.path) as source:
            self._check_lists(check_sizes(source))
        expected = dtype.names or ()
        missing = sorted(set(expected) - set(names) - set(self._fill))
        if missing:
            raise UserError(f"{path}: the columns {', '.join(missing)} are missing; {way_out}.")
        if sum(self.group_rows) != self.num_rows or min(self.group_rows, default=0) < 0:
            raise UserError(f"{path} cannot be read: its parts do not have its {self.num_rows:,} rows; {way_out}.")
        for name in expected:
            if name not in self._fill:
                self._check_type(name, types[name])

    def read(self, names: Sequence[str]) -> Columns:
        """Return whole scalar columns."""
        wanted, names = names, [name for name in names if name not in self._fill]
        with self._reading(names), opened(self.path, self.way_out) as file:
            table = file.read(list(names), use_threads=True)
            found = {name: self._values(name, table.column(name), 0) for name in names}
        for name, values in found.items():
            if len(values) != self.num_rows:
                raise UserError(
                    f"{self.path}: a table is damaged: '{name}' holds {len(values):,} of {self.num_rows:,} rows; "
                    f"{self.way_out}."
                )
        return {name: found[name] if name in found else self._filled(name, self.num_rows) for name in wanted}

    def _filled(self, name: str, count: int) -> NDArray[Any]:
        """Return `count` rows of a column that the file does not have."""
        value = self._fill[name]
        return np.broadcast_to(value, (count, *value.shape)).copy()

    def groups(self, names: Sequence[str], rows: NDArray[np.integer] | None = None) -> Iterator[tuple[int, Columns]]:
        """Yield columns in batches of rows, as (first row, columns).

        With `rows`, which must ascend, row groups that contain none of them are skipped and not read.
        """
        end = 0
        for group, count in enumerate(self.group_rows):
            start, end = end, end + count
            if rows is None or np.searchsorted(rows, start) < np.searchsorted(rows, end):
                yield from self._parts(names, group, start, count)

    def _parts(self, names: Sequence[str], group: int, start: int, count: int) -> Iterator[tuple[int, Columns]]:
        done = 0
        wanted, names = names, [name for name in names if name not in self._fill] or [self._any_column()]
        with opened(self.path, self.way_out) as file:
            parts = file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=list(names))
            while True:
                with self._reading(names):
                    part = next(parts, None)
                    if part is None:
                        break
                    here = start + done
                    found = {name: self._values(name, pa.chunked_array([part.column(name)]), here) for name in names}
                    done += len(part)
                yield here, {name: found[name] if name in found else self._filled(name, len(part)) for name in wanted}
        if done != count:
            raise UserError(
                f"{self.path}: a table is damaged: '{names[0]}' ends in row {start + done:,} of {self.num_rows:,}; "
                f"{self.way_out}."
            )

    def _any_column(self) -> str:
        return next(name for name in self.dtype.names or () if name not in self._fill)

    def wrong(self, row: int, name: str, value: object, expected: str) -> NoReturn:
        """Raise UserError that a value is not what was expected."""
        raise UserError(f"{self.path}: row {row}: '{name}' is {value}, expected {expected}; {self.way_out}.")

    @contextmanager
    def _reading(self, names: Sequence[str]) -> Generator[None]:
        try:
            yield
        except UserError:
            raise
        except UNREADABLE as error:
            raise _damaged(self.path, names, error, self.way_out) from error

    def _check_type(self, name: str, found: Any) -> None:
        kind, shape = self.dtype[name].base.kind, self.dtype[name].shape
        if shape:
            lists = pa.types.is_fixed_size_list(found) or pa.types.is_list(found) or pa.types.is_large_list(found)
            if not lists:
                self._wrong_type(name, found, f"lists of {shape[0]} numbers")
            if pa.types.is_fixed_size_list(found) and found.list_size != shape[0]:
                self._wrong_type(name, found, f"lists of {shape[0]} numbers")
            found = found.value_type
        fits = {"i": pa.types.is_integer, "u": pa.types.is_integer, "f": pa.types.is_floating, "b": pa.types.is_boolean}
        if not fits[kind](found) and not (name in self.nullable and pa.types.is_null(found)):
            words = {"i": "whole numbers", "u": "whole numbers", "f": "fractions", "b": "true or false"}
            self._wrong_type(name, found, words[kind])

    def _check_lists(self, claimed: list[dict[str, int]]) -> None:
        """Refuse lists that together claim far more values than the rows allow; the values themselves come later."""
        for rows, counts in zip(self.group_rows, claimed, strict=False):
            for name in self.dtype.names or ():
                width = self.dtype[name].shape[0] if self.dtype[name].shape else 1
                if counts.get(name, 0) > 2 * rows * width + 1000:
                    raise UserError(
                        f"{self.path} is damaged: '{name}' claims {counts[name]:,} values for {rows:,} rows; "
                        f"{self.way_out}."
                    )

    def _wrong_type(self, name: str, found: object, expected: str) -> NoReturn:
        raise UserError(f"{self.path}: '{name}' has the type {found}, expected {expected}; {self.way_out}.")

    def _values(self, name: str, column: Any, start: int) -> NDArray[Any]:
        """Turn a column, which begins at row `start`, into an array of its type."""
        column.validate(full=True)
        shape = self.dtype[name].shape
        if column.null_count and name not in self.nullable:
            self.wrong(start + _first(column.is_null()), name, "missing", "a value")
        if not shape:
            return self._cast(name, to_numpy(column), start, 1)
        whole = column.combine_chunks()
        whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
        if not pa.types.is_fixed_size_list(whole.type):
            lengths = to_numpy(whole.value_lengths())
            if (lengths != shape[0]).any():
                place = int(np.argmax(lengths != shape[0]))
                self.wrong(start + place, name, f"a list of {lengths[place]}", f"one of {shape[0]} numbers")
        flat = whole.flatten()
        if flat.null_count:
            self.wrong(start + _first(flat.is_null()) // shape[0], name, "missing a number", "a value")
        values = self._cast(name, to_numpy(flat), start, shape[0])
        return values.reshape(len(whole), *shape)

    def _cast(self, name: str, values: NDArray[Any], start: int, width: int) -> NDArray[Any]:
        base = self.dtype[name].base
        if values.dtype == base:
            return values
        if base.kind in "iu" and values.dtype.kind in "iu":
            limits = np.iinfo(base)
            outside = (values < limits.min) | (values > limits.max)
            if outside.any():
                place = int(np.argmax(outside))
                self.wrong(start + place // width, name, values[place], f"at most {limits.max:,}")
        with np.errstate(over="ignore"):  # values that do not fit become infinite and are refused as such
            return values.astype(base)


@contextmanager
def opened(path: Path, way_out: str = WAY_OUT) -> Generator[pq.ParquetFile]:
    """Open a Parquet file; raises UserError if it cannot be opened."""
    try:
        source = open_regular(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; {way_out}.") from error
    except (Damaged, OSError) as error:
        raise UserError(f"{path} cannot be read: {error}; {way_out}.") from error
    with source:
        try:
            file = pq.ParquetFile(source)
            _ = file.schema_arrow, file.metadata.num_rows
            check_sizes(source)
        except Damaged as error:
            raise UserError(f"{path} is damaged: {error}; {way_out}.") from error
        except UNREADABLE as error:
            raise UserError(f"{path} cannot be read and may be cut off: {_said(error)}; {way_out}.") from error
        yield file


def list_width(path: Path, name: str) -> int:
    """Return the length of a column's lists, from its type or else from its first row; 0 if neither tells."""
    with opened(path) as file:
        if name not in file.schema_arrow.names:
            return 0
        found = file.schema_arrow.field(name).type
        if pa.types.is_fixed_size_list(found):
            return min(found.list_size, MOST_IN_LIST)
        try:
            first = next(file.iter_batches(1, columns=[name]), None)
            values = None if first is None or not len(first) else first.column(0)[0].as_py()
        except UNREADABLE as error:
            raise UserError(
                f"{path}: a table is damaged: '{name}' cannot be read ({_said(error)}); {WAY_OUT}."
            ) from error
    return min(len(values), MOST_IN_LIST) if isinstance(values, list) else 0


def float_type(path: Path, name: str) -> str:
    """Return float32 if a column holds lists of numbers wider than float16; else float16."""
    with opened(path) as file:
        if name not in file.schema_arrow.names:
            return "float16"
        found = file.schema_arrow.field(name).type
    inner = getattr(found, "value_type", None)
    return "float32" if inner in (pa.float32(), pa.float64()) else "float16"


def to_numpy(column: Any) -> NDArray[Any]:
    """Return numbers as an array, NaN where one is missing; avoids Arrow's own conversion, which imports pandas."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan, np.float32)
    dtype = np.dtype(np.bool_ if pa.types.is_boolean(column.type) else column.type.to_pandas_dtype())
    return np.concatenate([np.zeros(0, dtype), *(_values_of(chunk, dtype) for chunk in chunks if len(chunk))])


def _values_of(chunk: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    if chunk.null_count:
        chunk = chunk.fill_null(float("nan"))
    if dtype == np.bool_:
        chunk = chunk.cast(pa.uint8())
    return np.frombuffer(chunk.buffers()[1], dtype, len(chunk), chunk.offset * dtype.itemsize)


def _first(mask: Any) -> int:
    return int(np.argmax(to_numpy(mask)))


def _damaged(path: Path, names: Sequence[str], error: BaseException, way_out: str) -> UserError:
    what = ", ".join(f"'{name}'" for name in names)
    return UserError(f"{path}: a table is damaged: {what} cannot be read ({_said(error)}); {way_out}.")


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())
