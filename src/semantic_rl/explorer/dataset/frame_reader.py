"""Frames of a recording for many threads at once, and what to do where some are missing."""

import io
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.errors import UserError
from semantic_rl.explorer.encoding import to_png
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.schema import SHARD_ROWS

MOST_AT_ONCE = 256
MOST_IN_MEAN = 500
"""States, drawn at random, of which a mean frame is made."""


class Frames:
    """Reads frames one at a time, whoever asks: the files behind it are not made for several threads."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return a state's picture and its media type: JPEG as stored, or the observation as PNG if there is none."""
        if self._recording.has_pictures:
            with self._lock:
                return self._recording.picture(row), "image/jpeg"
        return to_png(self.observation(row)), "image/png"

    def picture(self, row: int) -> NDArray[np.uint8]:
        """Return a state's picture [H, H, 3]; the observation if the recording has none."""
        with self._lock:
            return self._recording.frame(row)

    def observation(self, row: int) -> NDArray[np.uint8]:
        """Return what the agent saw [64, 64, 3]."""
        with self._lock:
            return self._recording.observation(row)

    def packed(self, first: int, count: int) -> bytes:
        """Return several pictures in one piece: their number, their sizes, themselves; 0 bytes where one is missing."""
        images: list[bytes] = []
        for row in range(first, first + count):
            try:
                images.append(self.encoded(row)[0])
            except UserError:
                images.append(b"")
        return pack(images)

    def mean(self, rows: NDArray[np.int64], seed: int = 0) -> NDArray[np.uint8] | None:
        """Return the mean observation of some of the states `rows`; None if there is none."""
        chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_IN_MEAN])
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


def pack(images: list[bytes]) -> bytes:
    """Return images in one piece: uint32 count, a uint32 size each, then the images one after the other."""
    head = struct.pack(f"<{len(images) + 1}I", len(images), *map(len, images))
    return head + b"".join(images)


def recompressed(picture: NDArray[np.uint8], size: int, quality: int) -> bytes:
    """Encode a picture [H, H, 3] as JPEG, no larger than `size`."""
    image = Image.fromarray(picture)
    if image.width > size:
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    found = io.BytesIO()
    image.save(found, "JPEG", quality=quality, optimize=True)
    return found.getvalue()


class WithGaps(Recording):
    """A recording in which a missing observation is black, for what would rather have any than stop."""

    def observation(self, row: int) -> NDArray[np.uint8]:
        """Return what the agent saw in a state [64, 64, 3]; black where that is missing."""
        try:
            return super().observation(row)
        except UserError:
            return np.zeros(self.description["frames"].get("observation_shape", (64, 64, 3)), np.uint8)


class Gap(NamedTuple):
    """How many states have no frame of one kind that can be read, and the first reason."""

    num_states: int = 0
    why: str = ""


class Missing(NamedTuple):
    """What cannot be read of a recording's frames."""

    pictures: Gap = Gap()
    observations: Gap = Gap()


NOTHING_MISSING = Missing()


def find_missing(recording: Recording) -> Missing:
    """Return what cannot be read of a recording's frames; reads one of each file only where a file is bad."""
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
