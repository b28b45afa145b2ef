"""Makes clips of an agent, which is played for them, or of a recording, as `semantic-rl clips` asks for.

An agent is first played into a recording without pictures until each cluster has enough frames; this is several times
as fast as rendering everything. Episodes that are too long to be shown are abandoned. Then only the states that the
clips show are replayed and rendered.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from semantic_rl.artifacts import RECORDING_FILE
from semantic_rl.atomic_write import check_own_folder
from semantic_rl.called_flags import as_called
from semantic_rl.clips.choose import Shot
from semantic_rl.clips.footage import (
    Footage,
    find_candidates,
    footage_so_far,
    max_episode_steps,
    read_footage,
    require_episodes,
)
from semantic_rl.clips.make import PLAYING_FOLDER, Clip, choose_clips, make_clips, prepared, shortfalls, write_clips
from semantic_rl.config import ClipsConfig, RecordConfig
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import is_unused
from semantic_rl.input_places import kind_of
from semantic_rl.progress_bar import progress_bar
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.clusterings import AS_RECORDED
from semantic_rl.recording.store.description import read_description
from semantic_rl.recording.store.names import cluster_names
from semantic_rl.recording.store.pictures import decode_picture
from semantic_rl.recording.store.writer import ShardWriter

STATES_BETWEEN_CHECKS = 8_192
"""Number of states after which it is checked whether they suffice."""


def make(config: ClipsConfig) -> list[Path]:
    """Make the clips of an agent or of a recording, say which ones are too short, and return the paths."""
    is_recording = kind_of(config.source / RECORDING_FILE, "an agent or a recording") is not None
    clips = _clips_of_recording(config) if is_recording else _clips_of_agent(config)
    short = shortfalls(clips, config.clips)
    for line in short:
        print(line, file=sys.stderr)
    if short:
        more = "more states in the recording" if is_recording else f"a higher --max-steps than {config.max_steps}"
        said = f"{more}, other lengths of shots or a looser rule of success would give more."
        print(as_called(said), file=sys.stderr)
    return [path for clip in clips for path in (clip.mp4, clip.animation) if path is not None]


def _clips_of_recording(config: ClipsConfig) -> list[Clip]:
    for field in fields(config):
        if field.name not in ("source", "out", "clips", "clustering") and getattr(config, field.name) != field.default:
            flag = "--" + field.name.replace("_", "-")
            raise UserError(f"{field.name}: {config.source} is a recording, which is not played; leave {flag} out.")

    recording = open_recording(config.source, clustering=config.clustering)
    if not recording.has_frames:
        raise UserError(
            f"{config.source} has no pictures ('semantic-rl record --frame-size 0' left them out), and its "
            "observations are no images; record again with pictures."
        )
    if not recording.has_pictures:
        height, width = recording.frame_shape
        print(
            f"{config.source} has no pictures ('semantic-rl record --frame-size 0' left them out); the clips show the "
            f"agent's {width}×{height} observations, enlarged.",
            file=sys.stderr,
        )
    _warn_of_untrained(recording)
    with progress_bar("writing clips") as on_progress:
        return make_clips(recording, config.out, config.clips, on_progress)


def _warn_of_untrained(recording: Recording) -> None:
    if recording.clusters_note is not None:
        print(f"note: {recording.clusters_note}", file=sys.stderr)


def _clips_of_agent(config: ClipsConfig) -> list[Clip]:
    if config.clustering is not None:
        raise UserError(
            f"clustering: {config.source} is an agent, of which its own clusters are shown; leave --clustering out, or "
            "give a recording."
        )
    _require_clusters(config.source)
    names = {} if config.names is None else _names_for(config.source, config.names)
    with prepared(config.out, config.clips):
        return _played_and_written(config, names)


def _played_and_written(config: ClipsConfig, names: dict[int, str]) -> list[Clip]:
    """Play the agent and write the clips into a folder that this process holds."""

    playing = config.out / PLAYING_FOLDER
    _check_playing(playing)
    if config.resume != playing.is_dir():
        raise UserError(
            f"resume: there is nothing in {config.out} that was played before; leave --resume out to start."
            if config.resume
            else f"{config.out} holds episodes that were played before; continue with --resume, or delete {playing}."
        )
    kept = f"What was played is kept in {playing}: the same command with --resume does not play it again."
    try:
        footage = _play(config, playing)
        _warn_of_untrained(footage.recordings[0])
        require_episodes(footage, config.clips)
        chosen = choose_clips(footage, config.clips)
        size = max(config.clips.video_size, config.clips.animation_size)
        pictures = _render(footage, chosen, size)
        with progress_bar("writing clips") as on_progress:
            clips = write_clips(
                footage,
                chosen,
                lambda row: decode_picture(pictures[row], (size, size)),
                config.out,
                config.clips,
                on_progress,
                names=names,
            )
    except UserError as error:
        raise UserError(f"{error} {kept}" if playing.is_dir() else str(error)) from error
    except KeyboardInterrupt:
        print(as_called(f"stopped. {kept}"), file=sys.stderr)
        raise
    if not config.keep_recording:
        remove_played(playing)
    return clips


def remove_played(playing: Path) -> None:
    """Remove the temporary recordings of the played agent; raises UserError if the folder holds anything else."""
    _check_playing(playing)
    shutil.rmtree(playing)


def _check_playing(playing: Path) -> None:
    """Raise UserError if the folder, which is removed in the end, holds anything but such temporary recordings."""
    check_own_folder(playing)
    if not playing.is_dir():
        return
    for path in sorted(playing.iterdir()):
        is_part = re.fullmatch(r"part-\d{3,}", path.name) and path.is_dir() and not path.is_symlink()
        if not is_part or not (os.path.lexists(path / RECORDING_FILE) or is_unused(path)):
            raise UserError(f"{path} is not what an agent played for clips; move it away, or choose another --out.")


def _require_clusters(agent: Path) -> None:
    from semantic_rl.training.checkpoint import find_checkpoint, read_state

    try:
        checkpoint = find_checkpoint(agent)
    except UserError as error:
        raise UserError(f"{error} Nor is it a recording: there is no {RECORDING_FILE} in it.") from error
    if read_state(checkpoint)["config"]["algorithm"] != "sppo":
        raise UserError(
            f"{agent}: the agent has no semantic clustering module (PPO), so there are no clusters; give an SPPO agent."
        )


def _names_for(agent: Path, recording: Path) -> dict[int, str]:
    """Return the names of clusters from a recording of the same agent."""
    from semantic_rl.recording.record.subject import weights_sha256
    from semantic_rl.training.checkpoint import find_checkpoint, load_policy

    recorded = open_recording(recording, with_frames=False, clustering=AS_RECORDED).description["agent"].get("sha256")
    if recorded != weights_sha256(load_policy(find_checkpoint(agent))):
        raise UserError(
            f"names: {recording} is of another agent than {agent}, whose clusters are others; give a recording of this "
            "one, or leave --names out."
        )
    return cluster_names(recording, longest=None)


def _play(config: ClipsConfig, playing: Path) -> Footage:
    """Play until every cluster has enough frames or max_steps steps are played.

    All is one part, unless what was kept of an earlier command does not suffice.
    """
    parts: list[Recording] = []
    while True:
        parts.append(_play_part(config, playing, parts))
        footage = read_footage(parts)
        found = find_candidates(footage, config.clips).frames_of_clusters(footage.num_codes)
        if found.min() >= config.clips.frames or len(footage.action) >= config.max_steps:
            return footage


def _play_part(config: ClipsConfig, playing: Path, earlier: list[Recording]) -> Recording:
    """Play one part, resume it if it was interrupted, or open it if it is complete."""
    from semantic_rl.recording.record.make import Until, record

    part = len(earlier)
    folder = playing / f"part-{part:03d}"
    begun = (folder / RECORDING_FILE).is_file()
    most_states = config.max_steps - sum(recording.num_states for recording in earlier)
    states = most_states
    if begun:  # perhaps with another --max-steps
        states = read_description(folder).object("settings").integer("states", 1)
    recording = RecordConfig(
        agent=config.source,
        out=folder,
        states=states,
        distribution_mode=config.distribution_mode,
        num_levels=config.num_levels,
        start_level=config.start_level,
        level_seed=config.level_seed,
        frame_size=0,
        seed=int(np.random.SeedSequence([config.clips.seed, part]).generate_state(1)[0] % 2**31),
        num_envs=config.num_envs,
        device=config.device,
        precision=config.precision,
        num_threads=config.num_threads,
        resume=begun,
    )
    longest = max_episode_steps(procgen_spec(_settings_of(config.source)), config.clips)
    until = Until(longest, most_states, STATES_BETWEEN_CHECKS, _enough(config, earlier))
    return open_recording(record(recording, until))


def _settings_of(agent: Path) -> dict[str, Any]:
    """Return the settings of the game that the agent was trained on."""
    from semantic_rl.training.checkpoint import find_checkpoint, read_state

    return read_state(find_checkpoint(agent))["config"]


def _enough(config: ClipsConfig, earlier: list[Recording]) -> Callable[[ShardWriter], bool]:
    """Return a function that says whether a part in progress has the frames that the earlier parts lack."""
    before, num_before = np.zeros(1, np.int64), 0
    if earlier:
        footage = read_footage(earlier)
        before = find_candidates(footage, config.clips).frames_of_clusters(footage.num_codes)
        num_before = len(footage.action)

    def is_enough(writer: ShardWriter) -> bool:
        footage = footage_so_far(writer)
        found = before + find_candidates(footage, config.clips).frames_of_clusters(footage.num_codes)
        wanted = config.clips.frames
        if found.min() >= wanted:
            return True
        lacking = ", ".join(f"cluster {index} has {some}" for index, some in enumerate(found) if some < wanted)
        print(f"{num_before + len(footage.action):,} states played; of {wanted} frames {lacking}", file=sys.stderr)
        return False

    return is_enough


def _render(footage: Footage, chosen: list[list[Shot]], size: int) -> dict[int, bytes]:
    """Render the states that the clips show; return JPEGs by row of the footage."""
    from semantic_rl.recording.record.replay import render_states

    rows = {shot.first_row + index for shots in chosen for shot in shots for index in range(shot.num_frames)}
    pictures: dict[int, bytes] = {}
    bounds = [*footage.first_rows.tolist(), len(footage.action)]
    for part, recording in enumerate(footage.recordings):
        first, end = bounds[part : part + 2]
        mine = [row - first for row in rows if first <= row < end]
        with progress_bar(f"rendering part {part + 1} of {len(footage.recordings)}") as on_progress:
            found = render_states(recording, mine, size, on_progress)
        pictures |= {row + first: picture for row, picture in found.items()}
    return pictures
