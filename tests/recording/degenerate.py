"""Recordings in which there is little to tell apart: few states, one cluster, features or values that are all alike."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.frames import encode_picture, pack_observation
from semantic_rl.recording.store.schema import state_dtype
from semantic_rl.recording.store.writer import Block, Episode, ShardWriter

from .synthetic import SHAPE

CODEBOOK = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
Change = Callable[[np.ndarray, np.random.Generator], None]


def make(
    folder: Path, lengths: list[int], change: Change = lambda rows, rng: None, with_codes: bool = True
) -> Recording:
    """Write and open a recording of episodes of these lengths; `change` sets columns of all states of an episode."""
    rng = np.random.default_rng(0)
    num_codes = len(CODEBOOK) if with_codes else 0
    description = {
        "agent": {"algorithm": "sppo" if with_codes else "ppo", "sha256": "0" * 64},
        "environment": {"env": "coinrun", "distribution_mode": "easy"},
        "num_actions": 15,
        "num_codes": num_codes,
        "codebook": CODEBOOK.tolist() if with_codes else [],
        "frames": {"picture_size": 32},
    }
    writer = ShardWriter(folder, description, SHAPE, with_pictures=True)
    writer.begin()
    for index, length in enumerate(lengths):
        rows = np.zeros(length, state_dtype(15, num_codes, 256))
        rows["step"] = np.arange(length)
        rows["level_seed"] = index
        rows["action"] = rng.integers(0, 15, length)
        rows["log_prob"] = np.log(1 / 15)
        rows["value"] = rng.normal(size=length)
        rows["terminated"][-1] = True
        rows["features"] = rng.random((length, 256))
        if with_codes:
            rows["code_index"] = rng.integers(0, num_codes, length)
            noise = rng.normal(0, 0.1, (length, 2))
            rows["embedding_x"], rows["embedding_y"] = (CODEBOOK[rows["code_index"]] + noise).T
            rows["code_distance"] = rng.random((length, num_codes))
        change(rows, rng)
        tile = np.full(SHAPE, 90, np.uint8)
        block = Block(rows, [pack_observation(tile)] * length, [encode_picture(tile, 32)] * length)
        writer.add(block, Episode(length, 0.0, index, False, True, False, 0))
    writer.finish()
    return open_recording(folder)


def set_all(**values: float) -> Change:
    """Return what gives columns the same value everywhere."""

    def change(rows: np.ndarray, rng: np.random.Generator) -> None:
        for name, value in values.items():
            if name in (rows.dtype.names or ()):
                rows[name] = value

    return change


def _two_kinds(rows: np.ndarray, rng: np.random.Generator) -> None:
    rows["features"] = rng.integers(0, 2, len(rows))[:, None]


KINDS: dict[str, Callable[[Path], Recording]] = {
    "one state": lambda folder: make(folder, [1]),
    "two states": lambda folder: make(folder, [2]),
    "two episodes of one state": lambda folder: make(folder, [1, 1]),
    "five states": lambda folder: make(folder, [3, 2]),
    "one episode": lambda folder: make(folder, [120]),
    "one cluster in use": lambda folder: make(folder, [60, 60], set_all(code_index=1)),
    "all values alike": lambda folder: make(folder, [60, 60], set_all(value=1.5, action=4)),
    "one place in the plane": lambda folder: make(folder, [60, 60], set_all(embedding_x=0.25, embedding_y=0.5)),
    "features alike": lambda folder: make(folder, [1] * 100, set_all(features=0.5)),
    "two kinds of features": lambda folder: make(folder, [60, 60], _two_kinds),
    "everything alike": lambda folder: make(
        folder, [60, 60],
        set_all(features=0.0, value=0.0, action=0, code_index=0, embedding_x=0.0, embedding_y=0.0, code_distance=0.0),
    ),
    "PPO, features alike": lambda folder: make(folder, [60, 60], set_all(features=0.5), with_codes=False),
    "PPO, two states": lambda folder: make(folder, [2], with_codes=False),
    "PPO, one state": lambda folder: make(folder, [1], with_codes=False),
}  # fmt: skip
