"""The clips of the clusters: cut for the page, or taken from a folder of clips of the same agent."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from PIL import Image

from semantic_rl.analysis.clusters import require_clusters
from semantic_rl.clips import ClipSettings, make_clips
from semantic_rl.clips.make import CLIPS_FILE, CLIPS_FORMAT
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.report.html import Html, join
from semantic_rl.report.parts import encoded, picture

PAGE_CLIPS = ClipSettings(frames=96, video_size=0, animation_size=256, animation_frames=96, overlay=True)
"""Clips of at most twelve seconds, as sharp as the recording's pictures."""


class PageClip(NamedTuple):
    """The clip of one cluster, ready to be put into a page."""

    animation: bytes
    still: bytes
    """Its first frame, WebP: for readers who want nothing to move."""
    form: str
    """webp or gif."""
    size: tuple[int, int]
    """Width, height."""
    seconds: float
    num_runs: int
    """Of the video that it is the beginning of."""


class PageClips(NamedTuple):
    """The clips of the clusters that have one, by code index, and what they show."""

    clips: dict[int, PageClip]
    about: str


def cut_clips(recording: Recording, seed: int, report: Callable[[int, int], None]) -> PageClips:
    """Cut clips by the usual rule or, where no episode is successful, from all episodes.

    Raises UserError if the agent has no clusters.
    """
    require_clusters(recording)
    with TemporaryDirectory() as folder:
        settings = replace(PAGE_CLIPS, seed=seed)
        try:
            make_clips(recording, Path(folder), settings, report)
        except UserError:
            make_clips(recording, Path(folder), replace(settings, all_episodes=True), report)
        return read_clips(Path(folder), recording)


def read_clips(folder: Path, recording: Recording) -> PageClips:
    """Read a clips folder; raises UserError if it is none, or of another agent."""
    file = folder / CLIPS_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != CLIPS_FORMAT:
            raise ValueError(f"its format is not '{CLIPS_FORMAT}'")
        agent, settings = content["agent"].get("sha256"), content["settings"]
        clips = {int(clip["cluster"]): _read(folder, clip, settings) for clip in content["clips"] if clip["animation"]}
        found = PageClips(clips, _about(settings))
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"clips: {file} cannot be used ({error}); make the folder with 'semantic-rl clips', or leave --clips out."
        ) from error
    if agent != recording.description["agent"].get("sha256"):
        raise UserError(
            f"clips: {folder} is of another agent than {recording.path}; make it anew or leave --clips out."
        )
    return found


def _read(folder: Path, clip: dict[str, Any], settings: dict[str, Any]) -> PageClip:
    content = (folder / Path(str(clip["animation"])).name).read_bytes()  # its name alone: a list must not reach outside
    frames = min(int(clip["num_frames"]), int(settings["animation_frames"]))
    with Image.open(io.BytesIO(content), formats=("WEBP", "GIF")) as image:
        form, size, still = str(image.format).lower(), image.size, encoded(image.convert("RGB"))
    return PageClip(content, still, form, size, frames / int(settings["frames_per_second"]), len(clip["runs"]))


def _about(settings: dict[str, Any]) -> str:
    episodes = "any episodes" if settings["all_episodes"] else "successful episodes"
    overlay = " Over a clip: the action, and below how far the run is." if settings["overlay"] else ""
    return (
        f"Clips: the agent in the cluster for {settings['min_run']} to {settings['max_run']} steps on end, in "
        f"{episodes}, {settings['frames_per_second']} steps a second.{overlay}"
    )


def show(index: int, clip: PageClip) -> Html:
    """Show a cluster's clip, with its still first frame for when clips shall not move."""
    alt = f"Clip of cluster {index}: {clip.seconds:.0f} seconds of the agent at play."
    return join(
        picture(clip.animation, clip.form, clip.size, alt, class_="moving"),
        picture(clip.still, "webp", clip.size, alt, class_="still"),
    )
