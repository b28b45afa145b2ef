"""A clip of moments, one after the other: of what the player plays, or of a list."""

import itertools
import re
from pathlib import Path

from semantic_rl.clips.encode import write_animation, write_video
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.selection.downloads import captioned

MEDIA_TYPES = {"webp": "image/webp", "gif": "image/gif", "mp4": "video/mp4"}
MOST_FRAMES = 3_000
FASTEST = 50
"""Frames a second; viewers show faster GIFs slowly."""
_RUN = re.compile(r"(\d{1,9})-(\d{1,9})")


def read_runs(explored: Explored, parts: str) -> list[tuple[int, int]]:
    """Read runs of states, as in '3-17,90-95', the last row included; return (first row, number of states)."""
    found: list[tuple[int, int]] = []
    for part in parts.split(","):
        matched = _RUN.fullmatch(part)
        if matched is None:
            raise Refusal(400, f"parts: got '{part[:30]}', expected two rows, as in 3-17.")
        first, last = int(matched[1]), int(matched[2])
        if not first <= last < explored.num_states:
            raise Refusal(404, f"parts: got '{part}', expected rows from 0 to {explored.num_states - 1} in order.")
        found.append((first, last - first + 1))
    total = sum(count for _, count in found)
    if total > MOST_FRAMES:
        raise Refusal(400, f"a clip of {total:,} frames is too long; the most are {MOST_FRAMES:,}.")
    return found


def write_moments(
    explored: Explored, frames: Frames, runs: list[tuple[int, int]], form: str, title: str, path: Path
) -> None:
    """Write runs of states as WebP, GIF or MP4 at the speed of the environment."""
    if not explored.recording.has_frames:
        raise Refusal(404, "the recording has no frames, so there is no clip.")
    pictures = captioned(explored, frames, runs)
    speed = min(max(round(explored.recording.spec.steps_per_second), 1), FASTEST)
    if form != "mp4":
        write_animation(path, pictures, speed, form, title)
        return
    first = next(pictures)
    write_video(path, itertools.chain([first], pictures), (first.shape[0], first.shape[1]), speed, title)
