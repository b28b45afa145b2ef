"""Reads the columns of an untrusted Parquet file of states a part at a time."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from semantic_rl.errors import UserError, on_one_line
from semantic_rl.recording.own_data.source import MOST_NAMES, WAY_OUT
from semantic_rl.recording.store.table_file import UNREADABLE, opened, to_numpy

ROWS_AT_ONCE = 512


class ParquetSource:
    """A Parquet file whose columns are numbers, texts, byte strings, or lists of numbers of one shape."""

    def __init__(self, path: Path) -> None:
        """Read the file's metadata; raises UserError if it cannot be read."""
        self.path = path
        with opened(path, WAY_OUT) as file:
            self.num_rows: int = file.metadata.num_rows
            self.names: list[str] = list(file.schema_arrow.names)
        if len(set(self.names)) != len(self.names) or len(self.names) > MOST_NAMES:
            raise UserError(
                f"{path}: {len(self.names):,} columns, expected at most {MOST_NAMES}, all of different names."
            )

    def whole(self, name: str) -> Any:
        """Return a whole column, which has one value a state; raises UserError if one is missing."""
        with self._reading(name), opened(self.path, WAY_OUT) as file:
            column = file.read([name]).column(name)
            if column.null_count:
                row = int(np.argmax(to_numpy(column.is_null())))
                raise UserError(f"'{name}' is missing in row {row:,}, expected a value in each row.")
            found = _values(name, column)
        return self._checked(name, found, self.num_rows)

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield columns a few rows at a time, side by side."""
        done = 0
        with opened(self.path, WAY_OUT) as file:
            batches = file.iter_batches(ROWS_AT_ONCE, columns=list(names))
            while True:
                with self._reading(", ".join(names)):
                    batch = next(batches, None)
                    if batch is None:
                        break
                    found = {name: _values(name, pa.chunked_array([batch.column(name)])) for name in names}
                done += len(batch)
                yield found
        self._checked(names[0], range(done), self.num_rows)

    def _checked(self, name: str, found: Any, count: int) -> Any:
        if len(found) != count:
            raise UserError(f"{self.path} is damaged: '{name}' holds {len(found):,} of {count:,} rows; {WAY_OUT}.")
        return found

    @contextmanager
    def _reading(self, name: str) -> Generator[None]:
        try:
            yield
        except UserError as error:
            raise UserError(f"{self.path}: {error}") from None
        except UNREADABLE as error:
            said = on_one_line(str(error))[:200]
            raise UserError(f"{self.path} is damaged: '{name}' cannot be read ({said}); {WAY_OUT}.") from error


def _values(name: str, column: Any) -> Any:
    """Return a column as an array, or as a list of byte strings; a missing number is NaN, a missing text is empty."""
    column.validate(full=True)
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _values(name, column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return np.array(column.fill_null("").to_pylist(), object)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        if column.null_count:
            raise UserError(f"'{name}' misses values, expected one in each row.")
        return column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return to_numpy(column.cast(pa.float64()) if column.null_count else column)
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    return _list_values(name, whole)


def _list_values(name: str, lists: Any) -> NDArray[Any]:
    """Return lists, also of lists, as an array [B, …]."""
    kind = lists.type
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list and not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise UserError(f"'{name}' has the type {kind}, expected numbers, texts, or lists of numbers.")
    if lists.null_count:
        raise UserError(f"'{name}' misses values, expected one in each row.")
    if not is_list:
        return to_numpy(lists)
    if pa.types.is_fixed_size_list(kind):
        width = kind.list_size
    else:
        lengths = to_numpy(lists.value_lengths())
        if len(lengths) and (lengths != lengths[0]).any():
            raise UserError(
                f"'{name}' holds lists of {lengths.min():,} to {lengths.max():,} values, expected one length."
            )
        width = int(lengths[0]) if len(lengths) else 0
    inner = _list_values(name, lists.flatten())
    return inner.reshape(len(lists), width, *inner.shape[1:])
