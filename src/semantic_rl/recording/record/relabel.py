"""Runs another agent's network on the observations of a recording.

The result is cached in the recording's `derived/` folder and computed only once.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.artifacts import CHECKPOINTS_FOLDER, POLICY_FILE
from semantic_rl.errors import UserError
from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import PolicyOutput, SemanticPolicy
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.derived_tables import cached_table
from semantic_rl.recording.store.table_file import Columns
from semantic_rl.training.checkpoint import find_checkpoint, load_policy, read_state
from semantic_rl.training.device import autocast, choose_device, choose_precision

BATCH_STATES = 256


def agent_name(agent: str | Path) -> str:
    """Return an agent's name without the path; `agent` may be any folder that belongs to it."""
    checkpoint = find_checkpoint(agent).resolve()
    return (checkpoint.parent.parent if checkpoint.parent.name == CHECKPOINTS_FOLDER else checkpoint).name


class Relabelled(NamedTuple):
    """An agent's outputs for B states of a recording."""

    agent_sha256: str
    """Hash of the file with the agent's weights."""
    features: NDArray[np.float16]
    """[B, 256]."""
    embedding: NDArray[np.float32] | None
    """[B, 2]; None if the agent has no semantic clustering module."""
    code_index: NDArray[np.int64] | None
    """[B]; None if the agent has no semantic clustering module."""


def relabel(
    recording: Recording,
    agent: str | Path,
    rows: NDArray[np.int64],
    device: str = "auto",
    precision: str = "auto",
    on_progress: OnProgress = lambda done, total: None,
) -> Relabelled:
    """Run an agent's network on the observations of the given rows, which must ascend.

    `agent` is anything that `record` accepts. Raises UserError if it is not an agent, or was trained on another game.
    """
    checkpoint = find_checkpoint(agent)
    state = read_state(checkpoint)
    game, recorded = state["config"]["env"], recording.description["environment"]["env"]
    if game != recorded:
        raise UserError(
            f"{agent}: the agent plays {game}, and {recording.path} is of {recorded}; give an agent of the same game."
        )
    runs_on = choose_device(device)
    parameters = {
        "agent": state["files"][POLICY_FILE],
        "rows": hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest(),
        "device": runs_on.type,
        "precision": choose_precision(precision, runs_on),
    }
    num_codes = state["config"]["num_codes"] if state["config"]["algorithm"] == "sppo" else 0

    def compute() -> Columns:
        policy = load_policy(checkpoint).place(runs_on)
        return _columns(recording, policy, rows, runs_on, parameters["precision"], on_progress)

    counts = {"code_index": num_codes}
    columns = cached_table(recording.path, "relabelled", parameters, rows, _dtype(num_codes), compute, counts)
    if not num_codes:
        return Relabelled(parameters["agent"], columns["features"], None, None)
    embedding = np.stack([columns["embedding_x"], columns["embedding_y"]], 1)
    return Relabelled(parameters["agent"], columns["features"], embedding, columns["code_index"])


def _dtype(num_codes: int) -> np.dtype[np.void]:
    """Return the record type of one state in the cached table."""
    semantic: dict[str, type] = {"embedding_x": np.float32, "embedding_y": np.float32, "code_index": np.int64}
    return np.dtype([("features", np.float16, (NUM_FEATURES,)), *(semantic.items() if num_codes else ())])


@torch.no_grad()
def _columns(
    recording: Recording,
    policy: SemanticPolicy,
    rows: NDArray[np.int64],
    device: torch.device,
    precision: str,
    on_progress: OnProgress,
) -> Columns:
    """Return the network's outputs for each state."""
    found: list[PolicyOutput] = []
    for start in range(0, len(rows), BATCH_STATES):
        on_progress(start, len(rows))
        observations = np.stack([recording.observation(row) for row in rows[start : start + BATCH_STATES].tolist()])
        with autocast(device, precision):
            found.append(policy(torch.from_numpy(observations).to(device)))
    on_progress(len(rows), len(rows))
    features = torch.cat([output.features.half() for output in found]).cpu().numpy()
    if not np.isfinite(features).all():
        raise UserError(f"the agent's features reach beyond what float16 holds, {np.finfo(np.float16).max:,.0f}.")
    columns: Columns = {"features": features}
    embedding = [output.embedding for output in found if output.embedding is not None]
    code_index = [output.code_index for output in found if output.code_index is not None]
    if embedding and code_index:
        columns["embedding_x"], columns["embedding_y"] = torch.cat(embedding).cpu().numpy().T
        columns["code_index"] = torch.cat(code_index).cpu().numpy()
    return columns
