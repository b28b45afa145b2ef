"""Reads frames of a recording from many threads, and handles missing frames."""

import io
import struct
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.analysis.clusters import FRAMES_IN_MEAN
from semantic_rl.config.explore import ExploreConfig
from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.observation_numbers import MOST_NUMBERS, number_names, numbers_of
from semantic_rl.explorer.encoding import to_png
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.schema import SHARD_ROWS

MOST_AT_ONCE = 256


class Frames:
    """Serialises the reading of frames, because the underlying files are not thread-safe."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return a state's picture and its media type: the stored JPEG, or the observation as PNG if there is none.

        Raises UserError if the recording has nothing to look at.
        """
        if not self._recording.has_frames:
            raise UserError("the recording has no frames: its observations are no pictures, and it has no pictures.")
        if self._recording.has_pictures:
            with self._lock:
                return self._recording.picture(row), "image/jpeg"
        return to_png(self.observation(row)), "image/png"

    def picture(self, row: int) -> NDArray[np.uint8]:
        """Return a state's picture [H, H, 3]; the observation if the recording has none."""
        with self._lock:
            return self._recording.frame(row)

    def observation(self, row: int) -> NDArray[np.uint8]:
        """Return a state's observation as a picture [H, W, 3]; if it is no image, its frame."""
        with self._lock:
            return self._recording.observation_picture(row)

    def numbers(self, first: int, count: int) -> NDArray[np.float64]:
        """Return the numbers of the observations of some states, [count, N]; NaN where an observation is missing."""
        width = min(len(number_names(self._recording)), MOST_NUMBERS)
        found = np.full((count, width), np.nan)
        for place in range(count if width else 0):
            try:
                with self._lock:
                    parts = self._recording.observation_parts(first + place)
            except UserError:
                continue
            found[place] = numbers_of(self._recording, parts)
        return found

    def sees_the_same(self, other: "Frames", row: int) -> bool:
        """Say whether the agent of another recording saw exactly the same in a state."""
        with self._lock:
            ours = self._recording.observation_parts(row)
        with other._lock:
            theirs = other._recording.observation_parts(row)
        return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)

    def packed(self, rows: Sequence[int]) -> bytes:
        """Return several pictures as one byte string (see `pack`); a missing picture has 0 bytes."""
        pictures: dict[int, bytes] = {}
        for row in sorted(set(rows)):  # as they lie in the files
            try:
                pictures[row] = self.encoded(row)[0]
            except UserError:
                pictures[row] = b""
        return pack([pictures[row] for row in rows])

    def mean(self, rows: NDArray[np.int64], seed: int = ExploreConfig.seed) -> NDArray[np.uint8] | None:
        """Return the mean observation of some of the states `rows`; None if there is none."""
        if not self._recording.has_frames:
            return None
        chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:FRAMES_IN_MEAN])
        total: NDArray[np.float64] | None = None
        found = 0
        for row in chosen.tolist():
            try:
                frame = self.observation(row)
            except UserError:
                continue
            total = frame.astype(np.float64) if total is None else total + frame
            found += 1
        return None if total is None else np.rint(total / found).astype(np.uint8)


def pack(pictures: list[bytes]) -> bytes:
    """Return pictures as one byte string: uint32 count, a uint32 size each, then the pictures one after the other."""
    head = struct.pack(f"<{len(pictures) + 1}I", len(pictures), *map(len, pictures))
    return head + b"".join(pictures)


def recompressed(picture: NDArray[np.uint8], size: int, quality: int) -> bytes:
    """Encode a picture [H, W, 3] as JPEG, shrunk to at most `size` pixels per side."""
    image = Image.fromarray(picture)
    if max(image.size) > size:
        image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=None)
    found = io.BytesIO()
    image.save(found, "JPEG", quality=quality, optimize=True)
    return found.getvalue()


class WithGaps(Recording):
    """A recording whose missing observations are read as black, for callers that should not fail because of them."""

    def observation_picture(self, row: int) -> NDArray[np.uint8]:
        """Return a state's observation as a picture [H, W, 3]; black if it is missing."""
        try:
            return super().observation_picture(row)
        except UserError:
            return np.zeros((*self.frame_shape, 3), np.uint8)


class Gap(NamedTuple):
    """The number of states without a readable frame of one kind, and the first reason."""

    num_states: int = 0
    why: str = ""


class Missing(NamedTuple):
    """The frames of a recording that cannot be read."""

    pictures: Gap = Gap()
    observations: Gap = Gap()


NOTHING_MISSING = Missing()


def find_missing(recording: Recording) -> Missing:
    """Return which frames cannot be read; tries one frame per file, and only if a file is faulty."""
    try:
        recording.check_frames()
        return NOTHING_MISSING
    except UserError:
        pass
    pictures = _gap(recording, recording.picture) if recording.has_pictures else Gap()
    return Missing(pictures, _gap(recording, recording.observation))


def _gap(recording: Recording, read: Callable[[int], object]) -> Gap:
    count, why = 0, ""
    for first in range(0, recording.num_states, SHARD_ROWS):
        last = min(first + SHARD_ROWS, recording.num_states) - 1
        try:
            read(last)
        except UserError as error:
            count += last + 1 - first
            why = why or str(error)
    return Gap(count, why)
