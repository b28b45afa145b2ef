"""Makes the clips of a recording: chooses shots for each cluster, writes a video and an animation, and a list of them.

clips/
  cluster_0.mp4, cluster_0.webp, …    for each cluster that has frames
  clips.json                          what each clip shows; written last, so it exists only if all clips do
"""

import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.atomic_write import is_temporary
from semantic_rl.clips.choose import Shot, choose_shots, fit
from semantic_rl.clips.encode import MOST_BYTES_OF_CLIP, find_ffmpeg, is_clip, write_animation, write_video
from semantic_rl.clips.footage import Footage, find_candidates, read_footage, require_episodes
from semantic_rl.clips.overlay import Caption, draw_overlay, fit_picture, fitted_shape
from semantic_rl.config.checks import to_dict
from semantic_rl.config.clips import ClipSettings
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE, hold_folder
from semantic_rl.json_files import read_json_object
from semantic_rl.output_places import check_output_file, check_output_folder, exists
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.names import cluster_names, cluster_title
from semantic_rl.recording.store.writer import write_json

CLIPS_FILE = "clips.json"
CLIPS_FORMAT = "semantic-rl clips"
CLIPS_VERSION = 1
PLAYING_FOLDER = "playing"
"""Subfolder of a clips folder that holds the recordings while an agent is played for the clips."""
_OURS = re.compile(
    rf"{re.escape(CLIPS_FILE)}|{re.escape(LOCK_FILE)}|{PLAYING_FOLDER}|cluster_\d+\.(mp4|webp|gif|avi)(\.tmp)?"
)
"""Names of files that may be in a clips folder; the original writes avi."""
_CLIP = re.compile(r"cluster_\d+\.(mp4|webp|gif)")

PictureOf = Callable[[int], NDArray[np.uint8]]
"""Returns the picture [H, H, 3] of a row; is called by several threads at once."""
MOST_THREADS = 8
"""Largest number of clips that are encoded at once; each holds the frames of its animation in memory."""


class Clip(NamedTuple):
    """The files made for one cluster."""

    cluster: int
    mp4: Path | None
    """None if there are no frames, or if no videos were requested."""
    animation: Path | None
    """WebP or GIF; None if there are no frames, or if no animation was requested."""
    num_frames: int
    """Number of frames of the video (whether or not it was written); the animation shows the first of them."""
    shots: list[Shot]
    short_by: int
    """Number of frames missing from the requested length."""
    name: str = ""
    """The cluster's name, given by a user."""

    @property
    def title(self) -> str:
        """Return the cluster's number and name."""
        return cluster_title(self.cluster, self.name)


def make_clips(
    recording: Recording,
    out: Path,
    settings: ClipSettings | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> list[Clip]:
    """Make the clips of a recording in the folder `out`, one per cluster; existing clips are replaced.

    If the recording has no pictures, the clips show the observations. Raises UserError if the agent has no clusters, if
    no episode is successful, if `out` holds other files, or if ffmpeg fails.
    """
    settings = settings or ClipSettings()
    with prepared(out, settings):
        footage = read_footage([recording])
        require_episodes(footage, settings)
        chosen = choose_clips(footage, settings)
        names = cluster_names(recording.notes_folder, longest=None)
        picture_of = _one_at_a_time(recording.frame)
        return write_clips(footage, chosen, picture_of, out, settings, on_progress, recording.path, names)


def _one_at_a_time(picture_of: PictureOf) -> PictureOf:
    """Make a function that reads from a recording, which threads must not do at once, fit for `write_clips`."""
    lock = Lock()

    def read(row: int) -> NDArray[np.uint8]:
        with lock:
            return picture_of(row)

    return read


@contextmanager
def prepared(out: Path, settings: ClipSettings) -> Generator[None]:
    """Create the folder of clips and lock it, so that no other process writes there.

    Raises UserError if it cannot be written to, if it holds anything but clips, or if ffmpeg is needed and missing.
    """
    if settings.video_size:
        find_ffmpeg()
    check_output_folder(out)
    is_new = not exists(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        names = sorted(path.name for path in out.iterdir() if not is_temporary(path))
    except OSError as error:
        raise UserError(f"cannot write clips to {out}: {error.strerror or error}; choose another --out.") from error
    foreign = [name for name in names if not _OURS.fullmatch(name)]
    if foreign:
        raise UserError(f"{out} holds what is not a clip ({foreign[0]}); choose another --out.")
    listed = _listed(out)
    check_output_file(out / CLIPS_FILE, "a list of clips", lambda beginning: _LIST_BEGINS in beginning)
    for name in names:
        if _CLIP.fullmatch(name) and name not in listed:
            check_output_file(out / name, "a clip of semantic-rl", is_clip, most_bytes=MOST_BYTES_OF_CLIP)
    try:
        with hold_folder(out):
            yield
    finally:
        if is_new:
            with suppress(OSError):
                out.rmdir()  # remove the folder if nothing was written


_LIST_BEGINS = f'{{\n  "format": "{CLIPS_FORMAT}"'.encode()


def _listed(out: Path) -> set[str]:
    """Return the files named in the list of clips. They are ours even without a mark, which older versions lacked."""
    if not os.path.isfile(out / CLIPS_FILE):
        return set()
    try:
        content = read_json_object(out / CLIPS_FILE, "")
        clips = content.array("clips") if content.get("format") == CLIPS_FORMAT else []
    except UserError:
        return set()
    entries = [cast(dict[str, Any], clip) for clip in clips if isinstance(clip, dict)]
    found = {str(entry.get(kind)) for entry in entries for kind in ("mp4", "animation")}
    return {name for name in found if (out / name).is_file() and not (out / name).is_symlink()}


def choose_clips(footage: Footage, settings: ClipSettings) -> list[list[Shot]]:
    """Choose the shots of each cluster, in the order in which they are shown; deterministic given the seed."""
    candidates = find_candidates(footage, settings)
    return [
        choose_shots(
            candidates.where(candidates.code_index == cluster),
            settings.frames,
            settings.min_shot,
            np.random.default_rng([settings.seed, cluster]),
        )
        for cluster in range(footage.num_codes)
    ]


def write_clips(
    footage: Footage,
    chosen: list[list[Shot]],
    picture_of: PictureOf,
    out: Path,
    settings: ClipSettings,
    on_progress: OnProgress = lambda done, total: None,
    recording: Path | None = None,
    names: Mapping[int, str] = MappingProxyType({}),
) -> list[Clip]:
    """Write the clips that show the chosen shots of each cluster, and the list of them.

    `recording` is the folder of the recording that the shots' rows refer to, if it will be kept; the list holds its
    name. `names` are the clusters' names, for the titles.
    """
    total = sum(shot.num_frames for shots in chosen for shot in shots)
    clips: list[Clip] = []
    on_progress(0, total)
    is_stopped = Event()

    def picture_unless_stopped(row: int) -> NDArray[np.uint8]:
        if is_stopped.is_set():
            raise InterruptedError("another clip could not be written")
        return picture_of(row)

    def write(cluster: int) -> Clip:
        name = names.get(cluster, "")
        return _write_clip(footage, cluster, name, chosen[cluster], picture_unless_stopped, out, settings)

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / CLIPS_FILE).unlink(missing_ok=True)
        # Encoders release Python's lock, and ffmpeg is a process of its own.
        with ThreadPoolExecutor(min(num_cores(), MOST_THREADS)) as threads:
            futures = [threads.submit(write, cluster) for cluster in range(len(chosen))]
            try:
                for future in futures:  # in order, so that always the same one of several errors is reported
                    clips.append(future.result())
                    on_progress(sum(clip.num_frames for clip in clips), total)
            except BaseException:
                is_stopped.set()
                threads.shutdown(cancel_futures=True)
                raise
        _remove_others(out, clips)
        write_json(out / CLIPS_FILE, _describe(footage, clips, settings, recording))
    except OSError as error:
        raise UserError(f"cannot write clips to {out}: {error.strerror or error}.") from error
    return clips


def shortfalls(clips: list[Clip], settings: ClipSettings) -> list[str]:
    """Return one line for each cluster with too few frames, saying how many are missing."""
    return [
        f"cluster {clip.cluster} is {clip.short_by} frames short: "
        + (f"{clip.num_frames} of {settings.frames}" if clip.num_frames else "it has none, so it has no clip")
        for clip in clips
        if clip.short_by
    ]


def _write_clip(
    footage: Footage,
    cluster: int,
    name: str,
    shots: list[Shot],
    picture_of: PictureOf,
    out: Path,
    settings: ClipSettings,
) -> Clip:
    num_frames = sum(shot.num_frames for shot in shots)
    clip = Clip(cluster, None, None, num_frames, shots, max(0, settings.frames - num_frames), name)
    mp4 = animation = None
    first_recording = footage.recordings[0]
    title = f"{first_recording.spec.id}, {clip.title}"
    if num_frames and settings.video_size:
        mp4 = out / f"cluster_{cluster}.mp4"
        frames = _frames(footage, cluster, shots, picture_of, settings.video_size, settings.overlay)
        shape = fitted_shape(first_recording.frame_shape, settings.video_size)
        write_video(mp4, frames, shape, settings.frames_per_second, title)
    if num_frames and settings.animation_size:
        animation = out / f"cluster_{cluster}.{settings.format}"
        first = fit(shots, settings.animation_frames, settings.min_shot)
        frames = _frames(footage, cluster, first, picture_of, settings.animation_size, settings.overlay)
        write_animation(animation, frames, settings.frames_per_second, settings.format, title)
    return clip._replace(mp4=mp4, animation=animation)


def _frames(
    footage: Footage, cluster: int, shots: list[Shot], picture_of: PictureOf, size: int, overlay: bool
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames [H, W, 3] of a clip, whose longer side is `size`."""
    recording = footage.recordings[0]
    for shot in shots:
        for index in range(shot.num_frames):
            row = shot.first_row + index
            frame = fit_picture(picture_of(row), size)
            if overlay:
                action = recording.spec.action.name(int(footage.action[row])) if recording.num_known_actions else None
                frame = draw_overlay(frame, Caption(cluster, action, index, shot.num_frames))
            yield frame


def _remove_others(out: Path, clips: list[Clip]) -> None:
    """Delete earlier clips, which `prepared` has checked to be ours, that are not in this set."""
    written = {path for clip in clips for path in (clip.mp4, clip.animation)}
    for path in out.iterdir():
        if _CLIP.fullmatch(path.name) and path not in written:
            path.unlink()


def _describe(footage: Footage, clips: list[Clip], settings: ClipSettings, recording: Path | None) -> dict[str, Any]:
    """Return the content of `clips.json`."""
    first = footage.recordings[0]
    return {
        "format": CLIPS_FORMAT,
        "version": CLIPS_VERSION,
        "recording": recording.resolve().name if recording else None,
        "agent": first.description["agent"],
        "environment": first.description["environment"],
        "clustering": first.clustering_key,
        "settings": to_dict(settings),
        "num_states": len(footage.action),
        "num_episodes": len(footage.episode_return),
        "clips": [
            {
                "cluster": clip.cluster,
                "name": clip.name,
                "mp4": clip.mp4.name if clip.mp4 else None,
                "animation": clip.animation.name if clip.animation else None,
                "num_frames": clip.num_frames,
                "seconds": clip.num_frames / settings.frames_per_second,
                "short_by": clip.short_by,
                "shots": [shot._asdict() for shot in clip.shots],
            }
            for clip in clips
        ],
    }
