"""Prepares a recording folder: the content of `recording.json`, and checks whether it may be written to or resumed."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from semantic_rl.artifacts import RECORDING_FILE, SEMANTIC_STATE_COLUMNS
from semantic_rl.config import RECORDING_MAY_CHANGE_ON_RESUME, RecordConfig, to_dict
from semantic_rl.envs.spec import as_typed
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder, is_unused
from semantic_rl.output_places import check_output_folder, exists
from semantic_rl.recording.record.subject import Subject
from semantic_rl.recording.store.description import is_of_procgen, read_description
from semantic_rl.recording.store.extra_columns import CATEGORIES, EXTRA_COLUMNS
from semantic_rl.recording.store.frames import BATCH_ROWS, PICTURE_QUALITY
from semantic_rl.recording.store.schema import SHARD_ROWS
from semantic_rl.training.versions import versions


def describe(
    subject: Subject, config: RecordConfig, picture_shape: tuple[int, int], machine: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of `recording.json` except format and counts: agent, settings, versions, layout."""
    spec, outputs, policy = subject.source.spec, subject.outputs, subject.policy
    semantic = None if policy is None else policy.semantic
    return {
        "agent": subject.entry,
        "environment": subject.source.settings,
        "env_spec": spec.to_json(),
        "settings": {k: v for k, v in to_dict(config).items() if k not in NOT_A_SETTING},
        "machine": {**machine, "num_threads": torch.get_num_threads()},
        "versions": {**versions(), **{name: version(name) for name in ("pyarrow", "pillow")}},
        "num_actions": spec.action.num_actions,
        "num_codes": 0 if policy is None else policy.num_codes,
        "codebook": [] if semantic is None else semantic.codebook.detach().cpu().tolist(),
        "policy_kind": outputs.policy_kind,
        "policy_width": outputs.policy_width,
        "absent_columns": _absent(subject, semantic is not None),
        **({EXTRA_COLUMNS: list(subject.source.info)} if subject.source.info else {}),
        **({CATEGORIES: {name: list[str]() for name in sorted(subject.source.texts)}} if subject.source.texts else {}),
        "frames": {
            "shard_rows": SHARD_ROWS,
            "batch_rows": BATCH_ROWS,
            "picture_size": max(picture_shape),
            "picture_shape": list(picture_shape),
            "picture_format": f"JPEG, quality {PICTURE_QUALITY}, 4:4:4",
        }
        if max(picture_shape)
        else {"shard_rows": SHARD_ROWS, "batch_rows": BATCH_ROWS, "picture_size": 0},
    }


NOT_A_SETTING = RECORDING_MAY_CHANGE_ON_RESUME | {"env", "env_args", "wrap", "vec_normalize", "layer", "trust", "info"}
"""Settings that the entries of the environment and of the agent state instead."""


def _absent(subject: Subject, has_codes: bool) -> dict[str, str]:
    """Return the columns that the recording will lack, with the reason."""
    spec, outputs = subject.source.spec, subject.outputs
    found: dict[str, str] = {}
    if not has_codes:
        found |= dict.fromkeys(SEMANTIC_STATE_COLUMNS, "the agent has no semantic clustering module")
    if spec.success is None:
        found["success"] = f"{spec.id} does not say what success is"
    if spec.level is None:
        found["level_seed"] = f"{spec.id} has no levels"
    if not outputs.has_value:
        found["value"] = "the agent does not estimate values"
    if outputs.policy_kind != "categorical":
        found["log_prob"] = f"the agent's policy is {outputs.policy_kind.replace('_', ' ')}"
    return found


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
            **_environment(description),
            "the agent's weights": description["agent"]["sha256"][:12],
            "info": " ".join(description.get(EXTRA_COLUMNS, [])),
            "device": description["machine"]["device"],
            "precision": description["machine"]["precision"],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{RECORDING_FILE} does not say what it should ({error!r}); record again.") from error


def _environment(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the environment, with its arguments as they are typed; earlier versions stored others."""
    typed = "" if is_of_procgen(description) else as_typed(description["env_spec"]["arguments"])
    return {"env_args": typed, **description["environment"]}
