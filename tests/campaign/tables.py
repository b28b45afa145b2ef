"""Damage to tables that leaves them tables: other types, orders, lengths, values that cannot be."""

import io
from typing import Any

from hypothesis import strategies as st

from .examples import Edit

STRANGE_COLUMNS = ("nan", "inf", "-inf", "null", "large", "negative", "text", "float", "shuffled", "dropped", "empty")
STRANGE_ROWS = ("reversed", "shuffled", "halved", "doubled", "none")


def edits_of_table() -> st.SearchStrategy[list[Edit]]:
    """A Parquet file with a strange column, or with its rows in another order or number."""
    column = st.builds(_strange_column, st.sampled_from(STRANGE_COLUMNS), st.integers(0, 10**6), st.integers(0, 10**6))
    return st.lists(st.one_of(column, st.builds(_strange_rows, st.sampled_from(STRANGE_ROWS))), min_size=1, max_size=2)


def _edited(data: bytes, change: Any) -> bytes:
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(change(pq.read_table(io.BytesIO(data))), written)
    return written.getvalue()


def _strange_rows(kind: str) -> Edit:
    def change(table: Any) -> Any:
        import numpy as np

        count = table.num_rows
        order = {
            "reversed": np.arange(count)[::-1],
            "shuffled": np.random.default_rng(0).permutation(count),
            "halved": np.arange(count // 2),
            "doubled": np.repeat(np.arange(count), 2),
            "none": np.arange(0),
        }[kind]
        return table.take(order)

    return lambda data: _edited(data, change)


def _strange_column(kind: str, column_number: int, row_number: int) -> Edit:
    def change(table: Any) -> Any:
        if not table.num_columns:
            return table
        place = column_number % table.num_columns
        name = table.column_names[place]
        if kind == "dropped":
            return table.drop_columns([name])
        return table.set_column(place, name, _strange(table.column(place), kind, row_number))

    return lambda data: _edited(data, change)


def _strange(column: Any, kind: str, row_number: int) -> Any:
    """Return a column of which one row, or all, is strange."""
    import numpy as np
    import pyarrow as pa

    values = column.to_pylist()
    if kind == "text":
        return pa.array([str(value) for value in values])
    if kind == "empty":
        return pa.nulls(len(values))
    if kind == "float":
        return pa.array([float(value) if isinstance(value, int | bool) else 0.5 for value in values])
    if kind == "shuffled":
        return column.take(np.random.default_rng(0).permutation(len(values)))
    if not values:
        return column
    numbers = {name: float(name) for name in ("nan", "inf", "-inf")}
    strange = {**numbers, "null": None, "large": 10**6, "negative": -1}[kind]
    row = row_number % len(values)
    if isinstance(values[row], list) and values[row]:
        values[row] = [strange, *values[row][1:]]
    else:
        values[row] = strange
    try:
        return pa.array(values, column.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([None if value is strange else value for value in values], column.type)
