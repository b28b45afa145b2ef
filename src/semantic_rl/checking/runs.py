"""Checks a run folder, a checkpoint or an agent: hashes, weights, settings, logs, card."""

from collections.abc import Callable
from pathlib import Path

from semantic_rl.agents import read_card
from semantic_rl.analysis.progress import read_held_out, read_progress
from semantic_rl.artifacts import CARD_FILE, CONFIG_FILE, PROGRESS_FILE, checkpoint_folders
from semantic_rl.checking.result import Part, Parts
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.json_files import read_json_object
from semantic_rl.progress_bar import OnPhase
from semantic_rl.training.checkpoint import file_sha256, load_checkpoint, load_policy, read_state

BEFORE = "Delete this folder to continue from the previous checkpoint."


def check_run(path: Path, on_progress: OnPhase) -> list[Part]:
    """Check all parts of a run folder."""
    parts = Parts()
    with parts.part(CONFIG_FILE, "Curves can be drawn if the folder's name says what was trained."):
        read_json_object(path / CONFIG_FILE, "restore it.").object("config")
    parts.append(_log(PROGRESS_FILE, lambda warn: read_progress(path / PROGRESS_FILE, warn)))
    parts.append(_log("held-out scores", lambda warn: read_held_out(path, warn)))
    folders = checkpoint_folders(path)
    for index, folder in enumerate(folders):
        on_progress("checkpoints", index, len(folders))
        weights = _weights(folder, f"checkpoints/{folder.name}", BEFORE)
        parts.append(weights)
        if not weights.wrong and "imported_from" not in read_state(folder):
            parts.append(_training(folder))
    if not folders:
        parts.append(Part("checkpoints", "there is none", "The curves can be drawn."))
    return parts


def check_checkpoint(path: Path) -> list[Part]:
    """Check all parts of a checkpoint, or of an agent with a card."""
    parts = Parts()
    parts.append(_weights(path, "weights", "Nothing of it can be used; restore it from a copy."))
    if kind_of(path / CARD_FILE, "a card") is not None:
        with parts.part(CARD_FILE, "The agent can be used; its card cannot be shown."):
            read_card(path)
    if kind_of(path / PROGRESS_FILE, "a log") is not None:
        parts.append(_log(PROGRESS_FILE, lambda warn: read_progress(path / PROGRESS_FILE, warn)))
    return parts


def _weights(folder: Path, name: str, usable: str) -> Part:
    """Compare every file with its stored hash, and load the network."""
    parts = Parts()
    with parts.part(name, usable) as notes:
        files: dict[str, str] = read_state(folder)["files"]
        for file, sha256 in files.items():
            path = folder / Path(file).name
            try:
                if file_sha256(path) != sha256:
                    raise UserError(f"{path} is not the file that was written (its SHA-256 differs).")
            except OSError as error:
                raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        load_policy(folder)
        notes.append(f"{len(files)} files")
    return parts[0]


def _training(folder: Path) -> Part:
    """Load what every worker needs to train on from a checkpoint, as --resume does."""
    parts = Parts()
    with parts.part(f"training from {folder.name}", "The agent can be evaluated, recorded and looked at."):
        state = load_checkpoint(folder).state
        for worker in range(1, state["num_workers"]):
            load_checkpoint(folder, worker)
    return parts[0]


def _log(name: str, read: Callable[[Callable[[str], None]], object]) -> Part:
    parts, warnings = Parts(), list[str]()
    with parts.part(name, "The checkpoints can be used; the curve cannot be drawn."):
        read(warnings.append)
    part = parts[0]
    if warnings and not part.wrong:
        return Part(name, " ".join(warnings[0].split()), "The other rows of the curve are drawn.")
    return part
