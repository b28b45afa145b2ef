"""Reads a user's labels of a recording's states from a Parquet, CSV or NPZ file with one label a row.

A table may have other columns too if the one with the labels is called `label`. The file is untrusted input: nothing in
it is executed. Axes: B states, K different labels.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.recording.own_data.npz_source import NpzSource
from semantic_rl.recording.store.annotations import LONGEST, without_controls
from semantic_rl.recording.store.plane_head import MOST_CODES
from semantic_rl.recording.store.table_file import UNREADABLE, opened

COLUMN = "label"
EXPECTED = "a .parquet, .csv or .npz file with one label a row"
WAY_OUT = "give --labels a file with one label a row"


class Labels(NamedTuple):
    """Labels as clusters."""

    code_index: NDArray[np.int64]
    """[B], 0 to K−1: in the order of the sorted labels."""
    names: list[str]
    """[K]"""


def read_labels(path: Path, num_states: int) -> Labels:
    """Read labels; raises UserError unless there is one for each state, and at most 256 different ones."""
    if kind_of(path, EXPECTED) != "file":
        raise UserError(f"labels: {path} is no file; expected {EXPECTED}.")
    kinds = {".parquet": _from_parquet, ".csv": _from_csv, ".npz": _from_npz}
    if path.suffix.lower() not in kinds:
        raise UserError(f"labels: got {path}, expected {EXPECTED}.")
    try:
        values = kinds[path.suffix.lower()](path)
    except UserError:
        raise
    except UNREADABLE as error:
        raise UserError(
            f"labels: {path} cannot be read ({' '.join(str(error).split())}); expected {EXPECTED}."
        ) from error
    if len(values) != num_states:
        raise UserError(
            f"labels: {path} has {len(values):,} labels, but the recording has {num_states:,} states; give one a row, "
            "in the order of states.parquet."
        )
    missing = [row for row, value in enumerate(values) if value is None or value != value]
    if missing:
        raise UserError(f"labels: {path}: row {missing[0]} has no label; give every state one.")
    different = sorted(set(values), key=lambda value: (not isinstance(value, int | float), value))
    if len(different) > MOST_CODES:
        raise UserError(f"labels: {path} has {len(different):,} different labels, expected at most {MOST_CODES}.")
    index = {value: place for place, value in enumerate(different)}
    names = [" ".join(without_controls(str(value)).split())[: LONGEST["name"]] for value in different]
    return Labels(np.array([index[value] for value in values], np.int64), names)


def _from_parquet(path: Path) -> list[Any]:
    with opened(path, WAY_OUT) as file:
        names = file.schema_arrow.names
        name = _chosen(names, path, "columns")
        return _values(file.read([name]).column(0), path)


def _from_csv(path: Path) -> list[Any]:
    from pyarrow import csv

    table = csv.read_csv(path)
    return _values(table.column(_chosen(table.column_names, path, "columns")), path)


def _chosen(names: list[str], path: Path, kind: str) -> str:
    """Return the name of what holds the labels."""
    if COLUMN not in names and len(names) != 1:
        raise UserError(
            f"labels: {path} has the {kind} {', '.join(names[:20])}; expected one, or one called '{COLUMN}'."
        )
    return COLUMN if COLUMN in names else names[0]


def _values(column: Any, path: Path) -> list[Any]:
    column.validate(full=True)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _is_text(column.type)):
        raise UserError(f"labels: {path}: the labels have the type {column.type}, expected numbers or texts.")
    return column.to_pylist()


def _is_text(found: Any) -> bool:
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean)
    return any(is_kind(found) for is_kind in kinds)


def _from_npz(path: Path) -> list[Any]:
    source = NpzSource(path, None, WAY_OUT)
    values = source.whole(_chosen(source.names, path, "arrays"))
    if values.ndim != 1:
        raise UserError(f"labels: {path}: an array {list(values.shape)} of {values.dtype}, expected one label a state.")
    return values.tolist()
