"""Arrays with a line for each state, kept in a recording's `derived/` folder and read a piece at a time.

A file holds nothing but the numbers. Its name says what they depend on, and its size must fit; otherwise it is made
anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.recording.store.arrow_file import open_regular
from semantic_rl.recording.store.derived import keep
from semantic_rl.recording.store.flatbuffer import Damaged

PIECE_ROWS = 16_384


class RowArrays(NamedTuple):
    """A file of arrays [B, W]."""

    path: Path
    num_rows: int
    width: int
    dtype: np.dtype[Any]

    @property
    def num_bytes(self) -> int:
        """Return the size that the file must have."""
        return self.num_rows * self.width * self.dtype.itemsize

    def is_there(self) -> bool:
        """Say whether the file exists and has the right size."""
        try:
            with open_regular(self.path):
                return self.path.stat().st_size == self.num_bytes
        except (OSError, ValueError, Damaged):
            return False

    def pieces(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first row, array [B, W]) of consecutive rows; raises OSError if the file ends too early."""
        row_bytes = self.width * self.dtype.itemsize
        with open_regular(self.path) as file:
            for start in range(0, self.num_rows, PIECE_ROWS):
                count = min(PIECE_ROWS, self.num_rows - start)
                content = file.read(count * row_bytes)
                if len(content) != count * row_bytes:
                    raise OSError(f"{self.path} ends too early")
                yield start, np.frombuffer(content, self.dtype).reshape(count, self.width)


def kept_arrays(
    explored: Explored,
    kind: str,
    width: int,
    dtype: np.dtype[Any],
    parameters: Mapping[str, Any],
    compute: Callable[[], Iterator[NDArray[Any]]],
) -> RowArrays | None:
    """Return the file of this kind, written first if there is none; None if nothing can be written.

    `compute` yields the lines of all states in order, in pieces [B, `width`].
    """
    recording = explored.recording
    key = {
        **parameters,
        "width": width,
        "dtype": dtype.str,
        "description": recording.description,
    }
    text = json.dumps(key, sort_keys=True, default=str)
    name = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.bin"
    found = RowArrays(recording.path / DERIVED_FOLDER / name, explored.num_states, width, dtype)
    if not found.is_there():

        def write(path: Path) -> None:
            with path.open("wb") as file:
                for piece in compute():
                    file.write(np.ascontiguousarray(piece, dtype).tobytes())

        keep(recording.path, name, write)
    return found if found.is_there() else None
