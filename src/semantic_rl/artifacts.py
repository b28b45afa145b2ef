"""Names of files and columns in run and recording folders: the interface between the parts of the package."""

import os
import re
from pathlib import Path

PROGRESS_FILE = "progress.csv"
HELD_OUT_PROGRESS_FILE = "progress-rank001.csv"
"""Our log of held-out levels; `held_out_logs` also finds the original's."""
CONFIG_FILE = "config.json"
CHECKPOINTS_FOLDER = "checkpoints"
TENSORBOARD_FOLDER = "tensorboard"
TEMPORARY_SUFFIX = ".tmp"

CHECKPOINT_PREFIX = "update-"
CHECKPOINT_FORMAT = "semantic-rl checkpoint"
CHECKPOINT_VERSION = 1
CARD_FILE = "card.json"
CARD_FORMAT = "semantic-rl agent"
CARD_VERSION = 1
POLICY_FILE = "policy.safetensors"
OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "state.json"

RUN_COLUMNS = (
    "eplenmean",
    "eprewmean",
    "fps",
    "loss/approxkl",
    "loss/clipfrac",
    "loss/loss",
    "loss/policy_entropy",
    "loss/policy_loss",
    "loss/skill_loss",
    "loss/value_loss",
    "loss/vq_loss",
    "misc/explained_variance",
    "misc/nupdates",
    "misc/serial_timesteps",
    "misc/time_elapsed",
    "misc/total_timesteps",
)
"""Columns of the original's `progress.csv`, in its order."""

OWN_RUN_COLUMNS = (
    "semantic/weight",
    "semantic/codes_in_use",
    "semantic/perplexity",
    "loss/grad_norm",
    "episodes/finished",
    "episodes/success_rate",
)
"""Columns that we append to the original's."""

SEMANTIC_COLUMNS = (
    "loss/skill_loss",
    "loss/vq_loss",
    "semantic/weight",
    "semantic/codes_in_use",
    "semantic/perplexity",
)
"""Columns that a run without the semantic clustering module does not have."""


def held_out_logs(run: Path) -> list[Path]:
    """Return the logs of a run folder that hold scores on held-out levels, by rank of the worker that wrote them.

    The original names a worker's log after its rank, and besides the first worker only test workers write one: rank 1
    with `--test_worker_interval 2`, rank 3 with 4. Never raises: a folder that cannot be read has no logs.
    """
    try:
        names = os.listdir(run)
    except OSError:
        return []
    ranks = {
        int(match[1]): name for name in sorted(names) if (match := re.fullmatch(r"progress-rank(\d{3,9})\.csv", name))
    }
    return [run / ranks[rank] for rank in sorted(ranks) if rank]


def worker_file(rank: int) -> str:
    """Return the name of the checkpoint file that holds the environments and generators of one worker."""
    return f"worker-{rank:03d}.safetensors"


def run_name(algorithm: str, env: str, distribution_mode: str, num_levels: int, start_level: int, seed: int) -> str:
    """Return the name of a run folder, in the original's form."""
    return f"{algorithm}-{env}_{distribution_mode}_{num_levels}_{start_level}_{seed}"


def checkpoint_name(update: int) -> str:
    """Return the name of the checkpoint written after `update` updates."""
    return f"{CHECKPOINT_PREFIX}{update:06d}"


def checkpoint_folders(run: Path) -> list[Path]:
    """Return the complete checkpoints of a run folder, oldest first (unfinished ones have other names).

    Never raises: a folder that cannot be read has no checkpoints.
    """
    folder = run / CHECKPOINTS_FOLDER
    try:
        names = [name for name in os.listdir(folder) if re.fullmatch(CHECKPOINT_PREFIX + "[0-9]{6,15}", name)]
    except OSError:
        return []
    names.sort(key=lambda name: int(name.removeprefix(CHECKPOINT_PREFIX)))
    return [folder / name for name in names if os.path.isdir(folder / name)]


RECORDING_FILE = "recording.json"
STATES_FILE = "states.parquet"
EPISODES_FILE = "episodes.parquet"
FRAMES_FOLDER = "frames"
PARTS_FOLDER = "parts"
DERIVED_FOLDER = "derived"
RESUME_FILE = "resume.safetensors"
ANNOTATIONS_FILE = "annotations.json"
RECORDING_FORMAT = "semantic-rl recording"
RECORDING_VERSION = 2

CLUSTERINGS_FOLDER = "clusterings"
"""Folder of a recording that holds the clusterings fitted to its states, each in a folder of its name."""
CLUSTERING_FILE = "clustering.json"
HEAD_FILE = "head.safetensors"
DEFAULT_CLUSTERING_FILE = "default.json"
"""File in the clusterings folder that names the clustering to show where none is chosen."""
CLUSTERING_FORMAT = "semantic-rl clustering"
CLUSTERING_VERSION = 1
AGENT_CLUSTERING = "agent"
"""Name of the plane and clusters that the agent itself learned."""

STATE_COLUMNS = (
    "episode",
    "step",
    "level_seed",
    "action",
    "action_random",
    "log_prob",
    "value",
    "reward",
    "return_to_go",
    "terminated",
    "truncated",
    "features",
)
"""Columns of a recording of a Procgen agent in `states.parquet`; docs/recordings.md describes each."""

OPTIONAL_STATE_COLUMNS = ("level_seed", "log_prob", "value", "action", "reward", "return_to_go")
"""Columns that a recording lacks if its environment, its agent or its data do not say such a thing."""
OTHER_STATE_COLUMNS = ("action_vector", "policy")
"""Columns of action spaces that are not discrete, and of policies that are not categorical."""

SEMANTIC_STATE_COLUMNS = ("code_index", "code_distance", "embedding_x", "embedding_y")
"""Columns that a recording of an agent without the semantic clustering module does not have."""

EPISODE_COLUMNS = (
    "episode",
    "first_row",
    "num_rows",
    "frame_shard",
    "frame_offset",
    "length",
    "return",
    "level_seed",
    "success",
    "terminated",
    "truncated",
    "env",
)
"""Columns of a recording's `episodes.parquet`."""
OPTIONAL_EPISODE_COLUMNS = ("level_seed", "success")
"""Columns that a recording lacks if its environment does not say such a thing."""


def observations_file(shard: int) -> str:
    """Return the name of the file in a recording's frames folder that holds the observations of one shard."""
    return f"observations-{shard:05d}.arrow"


def pictures_file(shard: int) -> str:
    """Return the name of the file in a recording's frames folder that holds the pictures for people of one shard."""
    return f"pictures-{shard:05d}.arrow"


def part_file(shard: int) -> str:
    """Return the name of the file in an unfinished recording's parts folder that holds the rows of one shard."""
    return f"states-{shard:05d}.arrow"
