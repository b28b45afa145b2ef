"""Normalises observations as Stable-Baselines3's VecNormalize does, by the statistics that it saved.

Its file is a pickle, of which nothing is executed: see `semantic_rl.array_pickle`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.array_pickle import ArrayPickle, Record, RefusedPickle
from semantic_rl.envs.gymnasium.observations import Observation
from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file, shown_path

MOST_BYTES = 64 * 2**20
WAY_OUT = "expected a file that VecNormalize.save has written (vecnormalize.pkl)."
CLASSES = ("stable_baselines3.common.vec_env.", "stable_baselines3.common.running_mean_std.", "gym.spaces.",
           "gymnasium.spaces.", "numpy.random.")  # fmt: skip
"""Beginnings of the names of classes that such a file refers to."""
NORMALIZER = "VecNormalize"


@dataclass(frozen=True)
class Statistics:
    """Running mean and variance of an array of the observation."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


@dataclass(frozen=True)
class VecNormalizeStatistics:
    """What normalises an agent's observations."""

    parts: Mapping[str, Statistics]
    """By key of a Dict; under the empty name for an observation that is an array. Empty if nothing is normalised."""
    clip: float
    epsilon: float

    def normalize_observation(self, observation: Observation) -> Observation:
        """Return an observation as the agent sees it, in float32 where it is normalised."""
        if not isinstance(observation, dict):
            return self._normalized(observation, self.parts[""]) if self.parts else observation
        normalized = {name: self._normalized(observation[name], part) for name, part in self.parts.items()}
        return observation | normalized

    def check_fits(self, shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
        """Raise UserError, which begins with `where`, unless the statistics are for observations of these shapes."""
        for name, part in self.parts.items():
            if shapes.get(name) != part.mean.shape:
                of = f" '{name}'" if name else ""
                found = "none" if name not in shapes else f"of the shape {shapes[name]}"
                raise UserError(
                    f"{where} normalises observations{of} of the shape {part.mean.shape}, and the environment's are "
                    f"{found}; choose the file and the wrappers that the agent was trained with."
                )

    def _normalized(self, array: NDArray[Any], part: Statistics) -> NDArray[np.float32]:
        scaled = (array - part.mean) / np.sqrt(part.variance + self.epsilon)
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)


def read_vec_normalize(path: Path) -> VecNormalizeStatistics:
    """Return the statistics in a file; raises UserError if it is damaged or something else, and executes nothing."""
    data = read_file(path, MOST_BYTES, WAY_OUT)
    try:
        return _statistics(ArrayPickle(data, _is_allowed).read_record())
    except RefusedPickle as refusal:
        raise UserError(
            f"{shown_path(path)} was not read, and nothing in it was executed: {refusal}; {WAY_OUT}"
        ) from refusal


def _is_allowed(module: str, name: str) -> bool:
    return f"{module}.{name}".startswith(CLASSES)


def _statistics(record: Record) -> VecNormalizeStatistics:
    if record.name.rpartition(".")[2] != NORMALIZER:
        raise RefusedPickle(f"it holds {record.name!a}, expected a {NORMALIZER}")
    clip, epsilon = (_number(record, field) for field in ("clip_obs", "epsilon"))
    if not record.get("norm_obs"):
        return VecNormalizeStatistics({}, clip, epsilon)
    found = record.get("obs_rms")
    if isinstance(found, Record):
        return VecNormalizeStatistics({"": _part(found)}, clip, epsilon)
    parts = record.items("obs_rms")
    keys = record.get("norm_obs_keys") if "norm_obs_keys" in record else None
    chosen = [name for name in parts if not isinstance(keys, list) or name in keys]
    return VecNormalizeStatistics({name: _part(parts[name]) for name in chosen}, clip, epsilon)


def _part(value: object) -> Statistics:
    if not isinstance(value, Record):
        raise RefusedPickle("its statistics are not a mean and a variance")
    mean, variance = value.get("mean"), value.get("var")
    if not isinstance(mean, np.ndarray) or not isinstance(variance, np.ndarray):
        raise RefusedPickle("its statistics are not arrays")
    mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    if mean.shape != variance.shape or not np.isfinite([mean, variance]).all() or (variance < 0).any():
        raise RefusedPickle("its mean and variance do not fit each other or are not finite")
    return Statistics(mean, variance)


def _number(record: Record, field: str) -> float:
    value = record.get(field)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise RefusedPickle(f"its {field} is not a number of at least 0")
    return float(value)
