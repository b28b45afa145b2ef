"""The clips of the clusters: made for the page, or read from a clips folder of the same agent."""

import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image

from semantic_rl.analysis.clusters import require_clusters
from semantic_rl.clips import ClipSettings, make_clips
from semantic_rl.clips.make import CLIPS_FILE, CLIPS_FORMAT
from semantic_rl.clips.overlay import fitted_shape
from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file
from semantic_rl.json_files import JsonObject, read_json_object
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.flatbuffer import Damaged, unpack
from semantic_rl.recording.store.pictures import NOT_DECODED
from semantic_rl.report.html import Html, join
from semantic_rl.report.parts import encoded, picture

PAGE_CLIPS = ClipSettings(frames=96, video_size=0, animation_size=256, animation_frames=96, overlay=True)
"""Clips of at most twelve seconds, as sharp as the recording's pictures."""

MOST_BYTES = 100_000_000
"""Largest accepted size of an animation, in bytes."""
MOST_PIXELS = 4096
"""Largest accepted width and height."""


class PageClip(NamedTuple):
    """The clip of one cluster, ready to be embedded in a page."""

    animation: bytes
    still: bytes
    """Its first frame as WebP, for readers who do not want animation."""
    form: str
    """webp or gif."""
    size: tuple[int, int]
    """Width, height."""
    seconds: float


class PageClips(NamedTuple):
    """The clips by code index, for the clusters that have one, and a description of what they show."""

    clips: dict[int, PageClip]
    about: str


def cut_clips(recording: Recording, seed: int, on_progress: OnProgress) -> PageClips:
    """Make clips by the usual rule or, if no episode is successful, from all episodes.

    Raises UserError if the agent has no clusters.
    """
    require_clusters(recording)
    with TemporaryDirectory() as folder:
        settings = replace(PAGE_CLIPS, seed=seed)
        try:
            make_clips(recording, Path(folder), settings, on_progress)
        except UserError:
            make_clips(recording, Path(folder), replace(settings, all_episodes=True), on_progress)
        return read_clips(Path(folder), recording)


def read_clips(folder: Path, recording: Recording) -> PageClips:
    """Read a clips folder; raises UserError if it is not one, or belongs to another agent."""
    file = folder / CLIPS_FILE
    try:
        content = read_json_object(file, "expected what 'semantic-rl clips' writes.")
        if content.get("format") != CLIPS_FORMAT:
            content.wrong("format", f"'{CLIPS_FORMAT}'")
        agent, settings = content.object("agent").text("sha256"), content.object("settings")
        clustering = content.get("clustering")
        listed = [clip for clip in content.objects("clips") if clip.get("animation") is not None]
        clips = {clip.integer("cluster"): _read(folder, clip, settings, recording.frame_shape) for clip in listed}
        found = PageClips(clips, _about(settings, recording))
    except (UserError, Damaged, *NOT_DECODED) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(
            f"clips: {file} cannot be used ({reason}); make the folder with 'semantic-rl clips', or leave --clips out."
        ) from error
    if agent != recording.description["agent"].get("sha256"):
        raise UserError(
            f"clips: {folder} is of another agent than {recording.path}; make it anew or leave --clips out."
        )
    if clustering != recording.clustering_key:
        raise UserError(
            f"clips: {folder} shows other clusters than '{recording.clustering_name}' of {recording.path}; make it "
            f"anew with --clustering {recording.clustering_name}, or leave --clips out."
        )
    return found


def _read(folder: Path, clip: JsonObject, settings: JsonObject, shape: tuple[int, int]) -> PageClip:
    path = folder / Path(clip.text("animation")).name  # only the name: stay inside the folder
    content = read_file(path, MOST_BYTES, "make the clips anew")
    frames = min(clip.integer("num_frames"), settings.integer("animation_frames", 1))
    side = settings.integer("animation_size", 1, MOST_PIXELS)
    height, width = fitted_shape(shape, side)
    if size_of_animation(content) != (width, height):
        raise Damaged(f"{path.name} is no picture of {width}×{height} pixels")
    with Image.open(io.BytesIO(content), formats=("WEBP", "GIF")) as image:
        if image.size != (width, height):
            raise Damaged(f"{path.name} is no picture of {width}×{height} pixels")
        form, size, still = str(image.format).lower(), image.size, encoded(image.convert("RGB"))
    seconds = frames / settings.integer("frames_per_second", 1)
    return PageClip(content, still, form, size, seconds)


def size_of_animation(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the header of a GIF or WebP; None if it is neither.

    Pillow is not used for this, because it allocates a WebP's whole canvas when it opens the file.
    """
    if content[:6] in (b"GIF87a", b"GIF89a"):
        width, height = unpack("<HH", content, 6)
        return width, height
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = unpack("<HBHB", content, 24)
        return 1 + low_width + (high_width << 16), 1 + low_height + (high_height << 16)
    if kind == b"VP8L":
        bits: int = unpack("<I", content, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = unpack("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _about(settings: JsonObject, recording: Recording) -> str:
    is_known = recording.has("success") or recording.spec.greatest_return is not None
    chosen = "successful episodes" if is_known else "the better half of the episodes"
    episodes = "any episodes" if settings.flag("all_episodes") else chosen
    overlay = " Over a clip: the action, and below how far the shot is." if settings.flag("overlay") else ""
    word = "shot" if "min_shot" in settings else "run"  # what earlier versions called a shot
    shortest, longest = (settings.integer(f"{end}_{word}") for end in ("min", "max"))
    return (
        f"Clips: shots of {shortest} to {longest} consecutive steps in the cluster, from {episodes}, at "
        f"{settings.integer('frames_per_second', 1)} steps a second.{overlay}"
    )


def show(index: int, clip: PageClip) -> Html:
    """Show a cluster's clip, with its first frame as a still for when animation is turned off."""
    alt = f"Clip of cluster {index}: {clip.seconds:.0f} seconds of the agent at play."
    return join(
        picture(clip.animation, clip.form, clip.size, alt, class_="moving"),
        picture(clip.still, "webp", clip.size, alt, class_="still"),
    )
