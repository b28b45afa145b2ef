"""The protocol of a file of existing states: columns by name, read whole or a part at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

WAY_OUT = "give a .parquet or .npz file of states"
MOST_BYTES_WHOLE = 4 * 1024**3
"""Largest column that is read whole."""
MOST_NAMES = 256
"""Most columns of a file."""


class Source(Protocol):
    """A table of states: arrays [B, …] of numbers or texts, or lists of B byte strings, by name."""

    path: Path
    names: list[str]
    num_rows: int

    def whole(self, name: str) -> Any:
        """Return a whole column, which has one value a state."""
        ...

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield columns a few rows at a time, side by side."""
        ...
