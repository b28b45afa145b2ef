"""Checks, without PyTorch, what a run folder already contains and whether a config may resume it."""

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semantic_rl.artifacts import (
    CHECKPOINT_PREFIX,
    CHECKPOINTS_FOLDER,
    CONFIG_FILE,
    HELD_OUT_PROGRESS_FILE,
    OPTIMIZER_FILE,
    POLICY_FILE,
    PROGRESS_FILE,
    STATE_FILE,
    TEMPORARY_SUFFIX,
    run_name,
)
from semantic_rl.atomic_write import check_own_folder, is_temporary, remove_abandoned
from semantic_rl.config import MAY_CHANGE_ON_RESUME, TrainConfig, to_dict
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE
from semantic_rl.input_places import kind_of
from semantic_rl.json_files import read_json_object, shown

OF_THE_MACHINE = frozenset({"run_root"})
"""Settings that hold a path on this machine; they are left out of config.json and of checkpoints."""
ADDED_LATER: Mapping[str, Any] = {"env_args": ""}
"""Settings that earlier versions did not have, and did not write, with what they did."""
NUMBER_OF_WORKERS = "number of workers"
FORMER_TEMPORARY = tuple(name + TEMPORARY_SUFFIX for name in (CONFIG_FILE, PROGRESS_FILE, HELD_OUT_PROGRESS_FILE))
"""Names of temporary files of earlier versions, which a killed training may have left behind."""


def run_folder(config: TrainConfig) -> Path:
    """Return the folder of a config's run."""
    environment = config.environment
    return config.run_root / run_name(
        config.algorithm,
        environment.env,
        environment.distribution_mode,
        environment.num_levels,
        environment.start_level,
        config.seed,
    )


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """Return the settings by name, in the form in which config.json and checkpoints hold them."""
    return {name: value for name, value in to_dict(config).items() if name not in OF_THE_MACHINE}


def is_empty(run: Path) -> bool:
    """Say whether a folder holds no run: it does not exist, or contains only unfinished files of a killed process.

    Raises OSError if that cannot be determined.
    """
    try:
        return all(_is_leftover(path) or path.name == LOCK_FILE for path in run.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return True


def remove_leftovers(run: Path, is_held: bool) -> None:
    """Remove the unfinished files and checkpoints that killed trainings left in a run folder; no link is followed.

    `is_held` says that no other process can be writing there. Raises OSError, and UserError if `checkpoints` is a
    symbolic link.
    """
    checkpoints = run / CHECKPOINTS_FOLDER
    check_own_folder(checkpoints)
    for folder in (run, checkpoints):
        if not is_held:
            remove_abandoned(folder)
        elif folder.is_dir():
            for path in folder.iterdir():
                if _is_leftover(path):
                    _remove(path)


def _is_leftover(path: Path) -> bool:
    """Say whether a path in a run folder, or among its checkpoints, is a temporary file of this package."""
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return is_temporary(path) or path.name in FORMER_TEMPORARY
    return stat.S_ISDIR(mode) and (is_temporary(path) or _is_former_checkpoint(path))


def _is_former_checkpoint(folder: Path) -> bool:
    """Say whether a folder is an unfinished checkpoint of an earlier version, by its name and its entire content."""
    number = folder.name.removeprefix(CHECKPOINT_PREFIX).removesuffix(TEMPORARY_SUFFIX)
    if folder.name != f"{CHECKPOINT_PREFIX}{number}{TEMPORARY_SUFFIX}" or not (number.isascii() and number.isdigit()):
        return False
    return all(
        path.name in (POLICY_FILE, OPTIMIZER_FILE, STATE_FILE) or path.match("worker-*.safetensors")
        for path in folder.iterdir()
    )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def check_same_run(run: Path, config: TrainConfig, num_workers: int = 1) -> None:
    """Raise UserError if there is no run, or naming every setting that differs from the run's and may not change."""
    file = run / CONFIG_FILE
    if kind_of(file, "a run folder") is None:
        raise UserError(f"{run} is not a run folder: it has no {CONFIG_FILE}; choose another --run-root.")
    written = read_json_object(file, "restore it from a copy, or choose another --run-root.")
    before = {**written.object("config"), NUMBER_OF_WORKERS: written.integer("num_workers", 1)}
    check_same_settings(run, before, config, num_workers)


def check_same_settings(run: Path, before: Mapping[str, Any], config: TrainConfig, num_workers: int) -> None:
    """Raise UserError naming every setting that differs from `before` and may not change on resume."""
    now = {**to_dict(config), NUMBER_OF_WORKERS: num_workers}
    before = {**ADDED_LATER, **before}
    differing = [
        f"{name} was {_shown(before.get(name))}, is {_shown(value)}"
        for name, value in now.items()
        if name not in MAY_CHANGE_ON_RESUME and before.get(name) != value
    ]
    if differing:
        raise UserError(
            f"resume: {run} was made with another configuration: {'; '.join(differing)}. Resume with the former "
            "values, or start a new run in another --run-root."
        )


def _shown(value: Any) -> str:
    return "not said" if value is None else shown(value)
