"""Reads and writes cached tables in a recording's `derived/` folder; an invalid table counts as missing.

A cached table can be computed again, and it may have been written by a faulty or different version or by someone else.
So it is used only if it covers exactly the requested states and all its numbers are finite.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.errors import UserError
from semantic_rl.recording.store.checked_tables import check_finite
from semantic_rl.recording.store.derived import keep
from semantic_rl.recording.store.schema import columns_to_table
from semantic_rl.recording.store.table_file import Columns, TableFile

_said: set[Path] = set()
"""Invalid tables that a note has already named."""
ROW = "row"
"""Name of the column with the states' rows in the recording."""


def cached_table(
    recording: Path,
    kind: str,
    parameters: Mapping[str, Any],
    rows: NDArray[np.int64],
    columns: np.dtype[np.void],
    compute: Callable[[], Columns],
    counts: Mapping[str, int] = MappingProxyType({}),
) -> Columns:
    """Return the cached table of the states `rows`, or compute and cache it.

    `kind` is the beginning of the file's name; the rest is a hash of `parameters`, which must say everything that the
    table depends on. `columns` and `counts` are as for `read_kept`.
    """
    text = json.dumps(parameters, sort_keys=True)
    name = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.parquet"
    found = read_kept(recording, name, rows, columns, counts)
    if found is None:
        found = compute()
        keep_table(recording, name, rows, found, text)
    return found


def read_kept(
    recording: Path, name: str, rows: NDArray[np.int64], columns: np.dtype[np.void], counts: Mapping[str, int]
) -> Columns | None:
    """Return the columns of a cached table of the states `rows`, or None if there is no valid one.

    `columns` is the record type of a state. The columns named in `counts` hold whole numbers below the given counts. If
    a table exists but is invalid, one line on stderr names it.
    """
    path = recording / DERIVED_FOLDER / name
    try:
        path.lstat()
    except (OSError, ValueError):
        return None
    try:
        return _read(path, rows, columns, counts)
    except UserError as error:
        if path not in _said:
            _said.add(path)
            reason = str(error).removeprefix(f"{path}: ").partition(";")[0]
            print(f"note: {path} is invalid and is not used: {reason}.", file=sys.stderr)
        return None


def _read(path: Path, rows: NDArray[np.int64], columns: np.dtype[np.void], counts: Mapping[str, int]) -> Columns:
    file = TableFile(path, np.dtype([(ROW, np.int64), *[(name, columns[name]) for name in columns.names or ()]]))
    if file.num_rows != len(rows):
        raise UserError(f"it is of {file.num_rows:,} states, expected {len(rows):,}")
    parts = [part for _, part in file.groups(file.dtype.names or ())]
    found = {name: np.concatenate([part[name] for part in parts]) for name in file.dtype.names or ()}
    if not np.array_equal(found.pop(ROW), rows):
        raise UserError("it is of other states")
    for name, values in found.items():
        if values.dtype.kind == "f":
            check_finite(file, name, values, 0)
        if name in counts and ((values < 0) | (values >= counts[name])).any():
            place = int(np.argmax((values < 0) | (values >= counts[name])))
            file.wrong(place, name, values[place], f"less than {counts[name]}")
    return found


def keep_table(recording: Path, name: str, rows: NDArray[np.int64], columns: Columns, parameters: str) -> None:
    """Cache a table of the states `rows`; `parameters`, which say how it was made, go into its metadata."""
    table: Any = columns_to_table({ROW: rows, **columns}).replace_schema_metadata({"parameters": parameters})
    keep(recording, name, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
