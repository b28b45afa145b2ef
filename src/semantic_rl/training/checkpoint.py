"""Checkpoints: a folder of safetensors and JSON that appears whole or not at all.

    update-000100/
      policy.safetensors        the weights, by parameter name
      optimizer.safetensors     Adam's moments
      worker-000.safetensors    one worker's environments, generators, normaliser and episode statistics
      state.json                format, counters, config, versions, and the other files' SHA-256

Everything is written to `update-000100.tmp`, synced to disk, and renamed last. Loading runs no code of the file.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import (
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    CHECKPOINTS_FOLDER,
    OPTIMIZER_FILE,
    POLICY_FILE,
    STATE_FILE,
    TEMPORARY_SUFFIX,
    checkpoint_folders,
    checkpoint_name,
    worker_file,
)
from semantic_rl.errors import UserError, nearest
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.distributed import Workers


class WorkerState(NamedTuple):
    """What one worker needs to go on exactly."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]
    """JSON values."""


class Checkpoint(NamedTuple):
    """Everything at the end of an update, in memory; `optimizer` and `worker` are absent in imported agents."""

    policy: dict[str, Tensor]
    optimizer: dict[str, Tensor] | None
    worker: WorkerState | None
    state: dict[str, Any]
    """Counters, config and versions: what goes into state.json; `update` is the number of updates done."""


def save_checkpoint(run: Path, checkpoint: Checkpoint, keep: int, workers: Workers | None = None) -> Path:
    """Write a checkpoint into a run folder and delete all but the last `keep`; return its path.

    Raises UserError when the disk is full or read-only; earlier checkpoints are untouched then.
    """
    workers = workers or Workers()
    folder = run / CHECKPOINTS_FOLDER / checkpoint_name(checkpoint.state["update"])
    if workers.any(workers.is_first and folder.exists()):
        return folder
    temporary = folder.with_name(folder.name + TEMPORARY_SUFFIX)
    error: OSError | SafetensorError | None = None
    try:
        if workers.is_first:
            _remove_leftovers(run)
            temporary.mkdir(parents=True, exist_ok=True)
        workers.wait()
        if checkpoint.worker is not None:
            worker = checkpoint.worker
            metadata = {"values": json.dumps(worker.values)}
            save_file(worker.tensors, temporary / worker_file(workers.rank), metadata=metadata)
    except (OSError, SafetensorError) as problem:
        error = problem
    _agree(workers, error, folder)
    if workers.is_first:
        try:
            _write_first(temporary, checkpoint)
            _rename(temporary, folder)
            for old in checkpoint_folders(run)[:-keep]:
                shutil.rmtree(old)
        except (OSError, SafetensorError) as problem:
            error = problem
            shutil.rmtree(temporary, ignore_errors=True)
    _agree(workers, error, folder)
    return folder


def _agree(workers: Workers, error: Exception | None, folder: Path) -> None:
    """Raise at every worker what went wrong at one of them."""
    if error is None:
        workers.all_succeed(None)
        return
    left = [path for path in checkpoint_folders(folder.parent.parent) if path != folder]
    last_good = f"the last good checkpoint is {left[-1]}" if left else "there is no earlier checkpoint"
    reason = getattr(error, "strerror", None) or error
    workers.all_succeed(UserError(f"cannot write checkpoint {folder}: {reason}; {last_good}."))


def _write_first(folder: Path, checkpoint: Checkpoint) -> None:
    save_file({name: value.contiguous() for name, value in checkpoint.policy.items()}, folder / POLICY_FILE)
    if checkpoint.optimizer is not None:
        tensors = {name: value.contiguous() for name, value in checkpoint.optimizer.items()}
        save_file(tensors, folder / OPTIMIZER_FILE)
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    state = {"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION, **checkpoint.state, "files": files}
    (folder / STATE_FILE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")


def _rename(temporary: Path, folder: Path) -> None:
    """Make the finished folder visible, once its content is safely on disk and readable by who may read the folder."""
    readable = temporary.stat().st_mode & 0o666
    for path in temporary.iterdir():
        path.chmod(readable)  # safetensors would keep them to their owner
        sync(path)
    sync(temporary)
    temporary.rename(folder)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until a file's content or a folder's entries are on disk (folders: where the system can)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_leftovers(run: Path) -> None:
    for path in (run / CHECKPOINTS_FOLDER).glob(f"*{TEMPORARY_SUFFIX}"):
        shutil.rmtree(path)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_checkpoint(path: str | Path) -> Path:
    """Return the checkpoint folder that `path` is or, for a run folder, its last one; raises UserError if none.

    Where there is nothing at `path`, it may be the name of an agent that ships with the package.
    """
    path = Path(path)
    if not path.exists():
        return _find_shipped(path)
    if (path / STATE_FILE).is_file():
        return path
    found = checkpoint_folders(path) if path.is_dir() else []
    if not found:
        raise UserError(
            f"{path}: holds no checkpoint; expected a run folder with {CHECKPOINTS_FOLDER}/ or a checkpoint folder "
            f"with {STATE_FILE}."
        )
    return found[-1]


def _find_shipped(name: Path) -> Path:
    agents = {agent.name: agent.path for agent in shipped_agents()}
    if str(name) not in agents:
        raise UserError(
            f"{name}: no such file or folder; expected a run folder, a checkpoint folder, or an agent that ships with "
            f"the package ({', '.join(agents)}).{nearest(str(name), list(agents))}"
        )
    return agents[str(name)]


def read_state(path: str | Path) -> dict[str, Any]:
    """Return a checkpoint's state.json as a dictionary; `path` is a run folder or a checkpoint folder.

    Raises UserError if it is missing, damaged, foreign or written by a newer version.
    """
    folder = find_checkpoint(path)
    file = folder / STATE_FILE
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{STATE_FILE} cannot be read: {error}") from error
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise UserError(f"{file}: not a semantic-rl checkpoint (its format is not '{CHECKPOINT_FORMAT}').")
    version = state.get("version")
    if not isinstance(version, int) or version < 1:
        raise _damaged(folder, f"its version is {version!r}, expected a whole number")
    if version > CHECKPOINT_VERSION:
        raise UserError(
            f"{folder}: written by a newer semantic-rl (checkpoint version {version}, this one reads up to "
            f"{CHECKPOINT_VERSION}); update semantic-rl."
        )
    return state


def _damaged(folder: Path, what: str) -> UserError:
    return UserError(
        f"{folder}: damaged checkpoint: {what}. Delete this folder to fall back to the one before, "
        "or restore it from a copy."
    )


def _load_tensors(folder: Path, name: str, files: dict[str, str]) -> dict[str, Tensor]:
    path = folder / name
    try:
        if file_sha256(path) != files.get(name):
            raise _damaged(folder, f"{name} is not the file that was written (its SHA-256 differs)")
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(folder, f"{name} cannot be read: {error}") from error


def load_policy(path: str | Path) -> SemanticPolicy:
    """Load an agent from a run folder (its last checkpoint) or a checkpoint folder: on the CPU, in eval mode."""
    folder = find_checkpoint(path)
    state = read_state(folder)
    weights = _load_tensors(folder, POLICY_FILE, state["files"])
    codebook = weights.get("semantic.codebook")
    logits = weights.get("policy_head.bias")
    if logits is None:
        raise _damaged(folder, f"{POLICY_FILE} holds no policy head")
    policy = SemanticPolicy(len(logits), 0 if codebook is None else len(codebook))
    _load_weights(policy, weights, folder)
    return policy.eval()


def _load_weights(policy: SemanticPolicy, weights: dict[str, Tensor], folder: Path) -> None:
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        raise _damaged(folder, f"{POLICY_FILE} does not fit the network: {error}") from error


def check_trainable(path: str | Path, worker: int = 0) -> None:
    """Raise UserError where a checkpoint holds weights alone, as those of imported and shipped agents do."""
    folder = find_checkpoint(path)
    files = read_state(folder)["files"]
    if OPTIMIZER_FILE not in files or worker_file(worker) not in files:
        raise UserError(
            f"{folder}: holds an agent's weights alone (no optimiser, no environments), so training cannot go on from "
            "it; it can be evaluated, recorded and looked at."
        )


def load_checkpoint(path: str | Path, worker: int = 0) -> Checkpoint:
    """Load everything that one worker needs to go on; raises UserError where an imported agent has no such state."""
    folder = find_checkpoint(path)
    check_trainable(folder, worker)
    state = read_state(folder)
    files: dict[str, str] = state["files"]
    policy = _load_tensors(folder, POLICY_FILE, files)
    optimizer = _load_tensors(folder, OPTIMIZER_FILE, files)
    tensors = _load_tensors(folder, worker_file(worker), files)
    with safe_open(folder / worker_file(worker), "pt") as file:  # pyright: ignore[reportUnknownVariableType]
        values: dict[str, Any] = json.loads(file.metadata()["values"])  # pyright: ignore
    return Checkpoint(policy, optimizer, WorkerState(tensors, values), state)


def pack_bytes(items: list[bytes]) -> tuple[Tensor, list[int]]:
    """Pack byte strings into one uint8 tensor and their lengths."""
    return torch.frombuffer(bytearray(b"".join(items)), dtype=torch.uint8), [len(item) for item in items]


def unpack_bytes(packed: Tensor, lengths: list[int]) -> list[bytes]:
    """Undo `pack_bytes`."""
    content = packed.numpy().tobytes()
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    return [content[end - length : end] for end, length in zip(ends, lengths, strict=True)]
