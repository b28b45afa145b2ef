"""Prepares a recording folder: the content of `recording.json`, and checks whether it may be written to or resumed."""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from semantic_rl.artifacts import RECORDING_FILE, SEMANTIC_STATE_COLUMNS
from semantic_rl.config import RECORDING_MAY_CHANGE_ON_RESUME, EnvConfig, RecordConfig, to_dict
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder, is_unused
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.output_places import check_output_folder, exists
from semantic_rl.recording.store.description import read_description
from semantic_rl.recording.store.frames import BATCH_ROWS, PICTURE_QUALITY
from semantic_rl.recording.store.schema import SHARD_ROWS
from semantic_rl.training.versions import versions


def describe(
    policy: SemanticPolicy,
    environment: EnvConfig,
    config: RecordConfig,
    agent: dict[str, Any],
    observation_shape: tuple[int, int, int],
    device: torch.device,
    precision: str,
) -> dict[str, Any]:
    """Return the content of `recording.json` except format and counts: agent, settings, versions, layout."""
    semantic = policy.semantic
    absent = "the agent has no semantic clustering module"
    return {
        "agent": {**agent, "sha256": weights_sha256(policy)},
        "environment": to_dict(environment),
        "settings": {k: v for k, v in to_dict(config).items() if k not in RECORDING_MAY_CHANGE_ON_RESUME},
        "machine": {"device": device.type, "precision": precision, "num_threads": torch.get_num_threads()},
        "versions": {**versions(), **{name: version(name) for name in ("pyarrow", "pillow")}},
        "num_actions": policy.num_actions,
        "num_codes": policy.num_codes,
        "codebook": [] if semantic is None else semantic.codebook.detach().cpu().tolist(),
        "absent_columns": dict.fromkeys(SEMANTIC_STATE_COLUMNS, absent) if semantic is None else {},
        "frames": {
            "shard_rows": SHARD_ROWS,
            "batch_rows": BATCH_ROWS,
            "observation_shape": list(observation_shape),
            "picture_size": config.frame_size,
            "picture_format": f"JPEG, quality {PICTURE_QUALITY}, 4:4:4" if config.frame_size else None,
        },
    }


def weights_sha256(policy: SemanticPolicy) -> str:
    """Return a hash of the names, shapes and values of all weights, which identifies the agent of a recording."""
    digest = hashlib.sha256()
    for name, value in sorted(policy.state_dict().items()):
        digest.update(f"{name} {list(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def held_folder(config: RecordConfig, description: dict[str, Any]) -> Generator[bool]:
    """Create the folder of a recording and lock it, so that no other process writes there.

    Yields whether the recording is already complete. Raises UserError as `check_folder` does, and if another process
    holds the folder.
    """
    folder = config.out
    try:
        is_complete = check_folder(config, description)
    except UserError:
        if _is_incomplete(folder):
            with hold_folder(folder, way_out=_WAIT):
                pass
        raise
    if is_complete:
        yield True
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"out: cannot make {folder} ({error.strerror}); choose another place.") from error
    with hold_folder(folder, way_out=_WAIT):
        yield check_folder(config, description)


_WAIT = "wait for it, or end it: what it has recorded is kept"


def check_folder(config: RecordConfig, description: dict[str, Any]) -> bool:
    """Say whether the recording is already complete.

    Raises UserError if the folder exists and `resume` is off, and if `resume` is on and there is no recording or it was
    begun with other settings.
    """
    folder = config.out
    is_begun = _is_begun(folder)
    is_there = is_begun or _holds_anything(folder)
    if not config.resume:
        if is_there:
            way_out = "add --resume to complete an interrupted recording, or " if is_begun else ""
            raise UserError(f"{folder} exists already; {way_out}choose another --out.")
        check_output_folder(folder)
        return False
    if not is_there:
        raise UserError(f"resume: there is no recording at {folder}; leave --resume out to start one.")
    before = read_description(folder)
    differing = [
        f"{name} was {before_value!r}, is {value!r}"
        for name, value in _decisive(description).items()
        if (before_value := _decisive(before).get(name)) != value
    ]
    if differing:
        raise UserError(
            f"resume: {folder / RECORDING_FILE} was begun otherwise: {'; '.join(differing)}. Resume with the former "
            "values, or record into another --out."
        )
    return before.get("complete") is True


def _is_begun(folder: Path) -> bool:
    return exists(folder / RECORDING_FILE)


def _is_incomplete(folder: Path) -> bool:
    try:
        return _is_begun(folder) and read_description(folder).get("complete") is not True
    except UserError:
        return False


def _holds_anything(folder: Path) -> bool:
    """Say whether `folder` exists and contains more than what a recording leaves if it is killed before it begins."""
    if not exists(folder):
        return False
    try:
        return not folder.is_dir() or not is_unused(folder)
    except OSError as error:
        raise UserError(f"out: {folder} cannot be read ({error.strerror}); choose another place.") from error


def _decisive(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that determine the content of a recording, by name."""
    try:
        return {
            **description["settings"],
            **description["environment"],
            "the agent's weights": description["agent"]["sha256"][:12],
            "device": description["machine"]["device"],
            "precision": description["machine"]["precision"],
        }
    except (KeyError, TypeError) as error:
        raise UserError(f"{RECORDING_FILE} does not say what it should ({error!r}); record again.") from error
