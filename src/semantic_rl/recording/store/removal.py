"""Removes a temporary recording, but nothing that somebody else put into its folder."""

import shutil
from pathlib import Path

from semantic_rl.artifacts import (
    DERIVED_FOLDER,
    EPISODES_FILE,
    FRAMES_FOLDER,
    PARTS_FOLDER,
    RECORDING_FILE,
    STATES_FILE,
)
from semantic_rl.atomic_write import is_temporary
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import LOCK_FILE

_OWN = {RECORDING_FILE, STATES_FILE, EPISODES_FILE, FRAMES_FOLDER, PARTS_FOLDER, DERIVED_FOLDER, LOCK_FILE}


def remove_recording(folder: Path) -> None:
    """Remove a complete or incomplete recording; raises UserError if its folder holds anything else."""
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in _OWN and not is_temporary(path))
    if foreign:
        raise UserError(f"{folder / foreign[0]} was not written by a recording; move it away.")
    shutil.rmtree(folder)
