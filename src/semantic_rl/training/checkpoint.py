"""Checkpoints: folders of safetensors and JSON files, written atomically.

    update-000100/
      policy.safetensors        the weights, by parameter name
      optimizer.safetensors     Adam's moments
      worker-000.safetensors    one worker's environments, generators, normaliser and episode statistics
      state.json                format, counters, config, versions, and the other files' SHA-256

Everything is written to a temporary folder next to the final one, synced to disk, and renamed last. Loading executes no
code from the files.
"""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from semantic_rl.artifacts import (
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    CHECKPOINTS_FOLDER,
    OPTIMIZER_FILE,
    POLICY_FILE,
    STATE_FILE,
    checkpoint_folders,
    checkpoint_name,
    worker_file,
)
from semantic_rl.atomic_write import make_own_folder, whole_folder
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.output_places import exists
from semantic_rl.training.checkpoint_state import check_resumable, find_checkpoint, read_state
from semantic_rl.training.checkpoint_tensors import damaged, file_sha256, load_optimizer, load_weights, load_worker
from semantic_rl.training.distributed import Workers


class WorkerState(NamedTuple):
    """What one worker needs to resume exactly."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]
    """JSON values."""


class Checkpoint(NamedTuple):
    """The complete training state after an update, in memory; imported agents lack `optimizer` and `worker`."""

    policy: dict[str, Tensor]
    optimizer: dict[str, Tensor] | None
    worker: WorkerState | None
    state: dict[str, Any]
    """The content of state.json: counters, config and versions; `update` is the number of completed updates."""


def save_checkpoint(run: Path, checkpoint: Checkpoint, keep: int, workers: Workers | None = None) -> Path:
    """Write a checkpoint into a run folder, delete all but the last `keep` checkpoints, and return its path.

    Raises UserError if the disk is full or read-only, or if `checkpoints` is a symbolic link; earlier checkpoints are
    left untouched then.
    """
    workers = workers or Workers()
    folder = run / CHECKPOINTS_FOLDER / checkpoint_name(checkpoint.state["update"])
    if workers.any(workers.is_first and exists(folder)):
        return folder
    temporary = Path()
    error: Exception | None = None
    with ExitStack() as stack:  # a failure inside leaves no temporary folder behind
        try:
            if workers.is_first:
                run.mkdir(parents=True, exist_ok=True)
                make_own_folder(run, CHECKPOINTS_FOLDER)
                temporary = stack.enter_context(whole_folder(folder))
        except (OSError, UserError) as problem:
            error = problem
        _agree(workers, error, folder)
        temporary = folder.with_name(workers.share_text(temporary.name))
        try:
            if checkpoint.worker is not None:
                metadata = {"values": json.dumps(checkpoint.worker.values)}
                save_file(checkpoint.worker.tensors, temporary / worker_file(workers.rank), metadata=metadata)
        except (OSError, SafetensorError) as problem:
            error = problem
        _agree(workers, error, folder)
        try:
            if workers.is_first:
                write_files(temporary, checkpoint)
                stack.close()  # syncs and renames
                _remove_old(run, keep)
        except (OSError, SafetensorError) as problem:
            error = problem
        _agree(workers, error, folder)
    return folder


def _agree(workers: Workers, error: Exception | None, folder: Path) -> None:
    """Raise an error on every worker if one of them failed."""
    if error is None:
        workers.all_succeed(None)
        return
    left = [path for path in checkpoint_folders(folder.parent.parent) if path != folder]
    last_good = f"the last good checkpoint is {left[-1]}" if left else "there is no earlier checkpoint"
    reason = getattr(error, "strerror", None) or str(error).rstrip(".")
    workers.all_succeed(UserError(f"cannot write checkpoint {folder}: {reason}; {last_good}."))


def write_files(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the first worker's part of a checkpoint into a folder that is empty or holds only the workers' files.

    Raises OSError and SafetensorError.
    """
    save_file({name: value.contiguous() for name, value in checkpoint.policy.items()}, folder / POLICY_FILE)
    if checkpoint.optimizer is not None:
        tensors = {name: value.contiguous() for name, value in checkpoint.optimizer.items()}
        save_file(tensors, folder / OPTIMIZER_FILE)
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    state = {"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION, **checkpoint.state, "files": files}
    (folder / STATE_FILE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")


def _remove_old(run: Path, keep: int) -> None:
    """Delete all but the last `keep` checkpoints; symbolic links and their targets are left alone."""
    for old in checkpoint_folders(run)[:-keep]:
        if not old.is_symlink():
            shutil.rmtree(old)


def load_policy(path: str | Path) -> SemanticPolicy:
    """Load an agent onto the CPU, in eval mode, from a checkpoint folder or a run folder (its last checkpoint).

    Raises UserError if there is none, or if its weights are damaged, belong to another network or are not finite.
    """
    folder = find_checkpoint(path)
    weights, num_codes = load_weights(folder, read_state(folder)["files"])
    policy = SemanticPolicy(num_codes=num_codes)
    policy.load_state_dict(weights)
    return policy.eval()


def check_trainable(path: str | Path, worker: int = 0) -> None:
    """Raise UserError if a checkpoint holds only weights, as those of imported and shipped agents do."""
    folder = find_checkpoint(path)
    files = read_state(folder)["files"]
    if OPTIMIZER_FILE not in files or worker_file(worker) not in files:
        raise UserError(
            f"{folder}: holds an agent's weights alone (no optimiser, no environments), so training cannot continue "
            "from it; it can be evaluated, recorded and looked at."
        )


def load_checkpoint(path: str | Path, worker: int = 0) -> Checkpoint:
    """Load everything that one worker needs to resume.

    Raises UserError if there is no such state, as in imported agents, or if a part of it is not what was written.
    """
    folder = find_checkpoint(path)
    check_trainable(folder, worker)
    state = read_state(folder)
    check_resumable(folder, state)
    files: dict[str, str] = state["files"]
    policy, num_codes = load_weights(folder, files)
    config = state["config"]
    said = config["num_codes"] if config["algorithm"] == "sppo" else 0
    if num_codes != said:
        raise damaged(folder, f"{POLICY_FILE} has {num_codes} codes, and {STATE_FILE} says {said}")
    optimizer = load_optimizer(folder, OPTIMIZER_FILE, files, num_codes)
    tensors, values = load_worker(folder, worker_file(worker), files, config["num_envs"])
    return Checkpoint(policy, optimizer, WorkerState(tensors, values), state)


def pack_bytes(items: list[bytes]) -> tuple[Tensor, list[int]]:
    """Pack byte strings into one uint8 tensor; return it with their lengths."""
    return torch.frombuffer(bytearray(b"".join(items)), dtype=torch.uint8), [len(item) for item in items]


def unpack_bytes(packed: Tensor, lengths: list[int]) -> list[bytes]:
    """Undo `pack_bytes`."""
    content = packed.numpy().tobytes()
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    return [content[end - length : end] for end, length in zip(ends, lengths, strict=True)]
