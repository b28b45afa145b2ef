"""The columns of all states: the recording's own table, with a fitted clustering in place of the agent's own.

Both tables have the same rows in the same row groups, so that they are read side by side, a part at a time.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import SEMANTIC_STATE_COLUMNS
from semantic_rl.errors import UserError
from semantic_rl.recording.store.checked_tables import check_lists
from semantic_rl.recording.store.table_file import Columns, TableFile


class StateColumns:
    """Reads columns of states from the table that has them."""

    def __init__(self, recorded: TableFile, clustered: TableFile | None = None) -> None:
        """`recorded` lacks the columns of a clustering where `clustered` has them."""
        self.recorded = recorded
        self._clustered = clustered
        if clustered is not None and clustered.group_rows != recorded.group_rows:
            raise UserError(f"{clustered.path}: its row groups are not those of {recorded.path}; {clustered.way_out}.")

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Return the record type of a state."""
        if self._clustered is None:
            return self.recorded.dtype
        fields = [(name, self.recorded.dtype[name]) for name in self.recorded.dtype.names or ()]
        clustered = [(name, self._clustered.dtype[name]) for name in SEMANTIC_STATE_COLUMNS]
        return np.dtype([*fields, *clustered])

    def read(self, names: Sequence[str]) -> Columns:
        """Return whole scalar columns, by name in the order of `names`."""
        found: Columns = {}
        for file, mine in self._by_file(names):
            found |= file.read(mine)
        return {name: found[name] for name in names}

    def groups(self, names: Sequence[str], rows: NDArray[np.integer] | None = None) -> Iterator[tuple[int, Columns]]:
        """Yield columns in batches of rows, as (first row, columns); `rows` as in `TableFile.groups`."""
        parts = [file.groups(mine, rows) for file, mine in self._by_file(names)]
        for side_by_side in zip(*parts, strict=True):
            starts = {start for start, _ in side_by_side}
            assert len(starts) == 1, "both tables have the same row groups"
            found: Columns = {name: values for _, columns in side_by_side for name, values in columns.items()}
            yield starts.pop(), {name: found[name] for name in names}

    def check_lists(self, name: str, values: NDArray[Any], start: int) -> None:
        """Raise UserError unless the lists of a column hold only valid numbers."""
        check_lists(self._file_of(name), name, values, start)

    def _by_file(self, names: Sequence[str]) -> list[tuple[TableFile, list[str]]]:
        found: dict[int, tuple[TableFile, list[str]]] = {}
        for name in names:
            file = self._file_of(name)
            found.setdefault(id(file), (file, []))[1].append(name)
        return list(found.values())

    def _file_of(self, name: str) -> TableFile:
        is_clustered = self._clustered is not None and name in SEMANTIC_STATE_COLUMNS
        return self._clustered if is_clustered and self._clustered is not None else self.recorded
