"""Frames shrunk to a few pixels, by which look-alikes among all states are found quickly.

They are made once, in the background, and kept in the recording's `derived/` folder. Axes: B states, P numbers.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.dataset.row_arrays import PIECE_ROWS, RowArrays, kept_arrays
from semantic_rl.progress_bar import OnProgress

SIDE = 16
"""Side in pixels of a shrunk frame."""
NUM_PIXELS = SIDE * SIDE * 3
KEPT_FROM = 1_000
"""Number of states from which the shrunk frames are kept on disk."""
IN_MEMORY_UP_TO = 100_000
"""Number of states up to which they are kept in memory where nothing can be written: 77 MB."""
_ROWS_BETWEEN_REPORTS = 500


class SmallFrames(NamedTuple):
    """The shrunk frames of all states [B, P + 1]; the last number is 1 if the frame can be read, else 0."""

    file: RowArrays | None
    """None if they are in memory."""
    lines: NDArray[np.uint8] | None

    def pieces(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield (first row, lines) of consecutive rows."""
        if self.lines is not None:
            for start in range(0, len(self.lines), PIECE_ROWS):
                yield start, self.lines[start : start + PIECE_ROWS]
        elif self.file is not None:
            yield from self.file.pieces()


def read_small_frames(explored: Explored, frames: Frames, on_progress: OnProgress) -> SmallFrames:
    """Shrink the frames of all states, or find them kept; raises UserError if there is no place to keep them."""

    def compute() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, explored.num_states, PIECE_ROWS):
            count = min(PIECE_ROWS, explored.num_states - start)
            lines = np.zeros((count, NUM_PIXELS + 1), np.uint8)
            for place in range(count):
                if place % _ROWS_BETWEEN_REPORTS == 0:
                    on_progress(start + place, explored.num_states)
                try:
                    frame = frames.observation(start + place)
                except UserError:
                    continue
                lines[place, :-1] = np.rint(shrunk(frame))
                lines[place, -1] = 1
            yield lines

    file = None
    if explored.num_states >= KEPT_FROM:
        parameters = {"side": SIDE}
        file = kept_arrays(explored, "frames", NUM_PIXELS + 1, np.dtype(np.uint8), parameters, compute)
    if file is not None:
        return SmallFrames(file, None)
    if explored.num_states > IN_MEMORY_UP_TO:
        raise UserError(
            f"{explored.recording.path}: nothing can be written below it, so the frames of {explored.num_states:,} "
            "states cannot be compared; copy the recording to a place where it can."
        )
    return SmallFrames(None, np.concatenate([np.zeros((0, NUM_PIXELS + 1), np.uint8), *compute()]))


def shrunk(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the means of blocks of a frame; of one with a side below `SIDE`, pixels repeated first."""
    repeats = [-(-SIDE // side) for side in frame.shape[:2]]
    if max(repeats) > 1:
        frame = frame.repeat(repeats[0], 0).repeat(repeats[1], 1)
    high, wide = (side // SIDE for side in frame.shape[:2])
    frame = frame[: high * SIDE, : wide * SIDE]
    # one axis after the other, which takes a third of the time of a mean over both
    lines = frame.reshape(SIDE, high, wide * SIDE, 3).sum(1, dtype=np.uint32)
    blocks = lines.reshape(SIDE, SIDE, wide, 3).sum(2, dtype=np.uint32)
    return (blocks / np.float32(high * wide)).astype(np.float32).ravel()
