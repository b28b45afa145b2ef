"""The states that a clustering is fitted to and judged on: drawn by episode, read in pieces, standardised.

Axes: B states, W numbers of a raw input, D features after the projection.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config.fit import FitConfig
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

WIDEST = 512
"""Inputs with more numbers, such as pictures, are projected onto principal components first."""
NUM_COMPONENTS = 128
PROJECTION_STATES = 4_000
"""States that the principal components are fitted to."""
OBSERVATIONS_AT_ONCE = 1024
LEAST_STATES = 10


class Split(NamedTuple):
    """The rows to fit to, and the rows to score on."""

    fitted: NDArray[np.int64]
    """[B], ascending."""
    held_out: NDArray[np.int64]
    """[B], ascending."""
    held_out_kind: str
    """What was held out: episodes, or the end of the only episode."""


class Scaling(NamedTuple):
    """How raw inputs become the features that are fitted to."""

    projection: NDArray[np.float32] | None
    """[W, D]"""
    mean: NDArray[np.float32]
    """[W]"""
    scale: NDArray[np.float32]
    """[D]"""

    def apply(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Standardise inputs [B, W]: [B, D]."""
        centred = inputs.astype(np.float32) - self.mean
        return (centred if self.projection is None else centred @ self.projection) / self.scale


def split_states(recording: Recording, config: FitConfig) -> Split:
    """Draw whole episodes to hold out; where there is one episode only, its last states are held out.

    Raises UserError if there are fewer states than codes, or too few to hold some out.
    """
    num_states = recording.num_states
    if num_states < max(LEAST_STATES, config.num_codes):
        raise UserError(
            f"{recording.path}: {num_states:,} states are too few for {config.num_codes} codes; record at least "
            f"{max(LEAST_STATES, config.num_codes)}, better thousands."
        )
    rng = np.random.default_rng(config.seed)
    first: NDArray[np.int64] = recording.episodes["first_row"].to_numpy().astype(np.int64)
    count: NDArray[np.int64] = recording.episodes["num_rows"].to_numpy().astype(np.int64)
    filled = np.flatnonzero(count > 0)
    wanted = max(int(config.held_out * num_states), 2)
    if len(filled) == 1:
        rows = np.arange(num_states)
        fitted, held_out, kind = rows[:-wanted], rows[-wanted:], "the last states of its only episode"
    else:
        order: NDArray[np.int64] = rng.permutation(filled)
        ends = np.cumsum(count[order])
        taken = min(int(np.searchsorted(ends, wanted)) + 1, len(order) - 1)
        held_out, fitted = (_rows_of(some, first, count) for some in (order[:taken], order[taken:]))
        kind = f"{taken:,} of {len(order):,} episodes"
    if len(fitted) < max(LEAST_STATES // 2, config.num_codes):
        raise UserError(
            f"held_out: {config.held_out:g} of {num_states:,} states leaves {len(fitted):,} to fit {config.num_codes} "
            "codes to; give less, or record more states."
        )
    if len(fitted) > config.fit_states:
        fitted = np.sort(rng.choice(fitted, config.fit_states, replace=False))
    return Split(fitted, _whole_episodes(held_out, recording, config), kind)


def _rows_of(episodes: NDArray[np.int64], first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    chosen = np.sort(episodes)
    spans = zip(first[chosen].tolist(), count[chosen].tolist(), strict=True)
    return np.concatenate([np.arange(start, start + length) for start, length in spans])


def _whole_episodes(held_out: NDArray[np.int64], recording: Recording, config: FitConfig) -> NDArray[np.int64]:
    """Keep the first held-out states up to the number that is judged, so that time runs on within episodes."""
    return held_out[: config.judged_states]


def read_inputs(recording: Recording, rows: NDArray[np.int64], source: str) -> NDArray[Any]:
    """Return the raw inputs [B, W] of some rows, which must ascend."""
    if source == "features":
        return recording.features(rows)
    return np.concatenate([_observations(recording, rows)])


def _observations(recording: Recording, rows: NDArray[np.int64]) -> NDArray[Any]:
    return np.stack([_flat(recording.observation_parts(row)) for row in rows.tolist()])


def _flat(parts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([part.reshape(-1) for part in parts.values()])


def all_inputs(recording: Recording, source: str) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the raw inputs of all states in pieces, as (first row, inputs)."""
    if source == "features":
        yield from recording.feature_groups()
        return
    for start in range(0, recording.num_states, OBSERVATIONS_AT_ONCE):
        yield start, _observations(recording, np.arange(start, min(start + OBSERVATIONS_AT_ONCE, recording.num_states)))


def make_scaling(
    recording: Recording, rows: NDArray[np.int64], config: FitConfig
) -> tuple[Scaling, NDArray[np.float32]]:
    """Return the scaling of inputs, and the standardised features [B, D] of `rows`.

    Raises UserError if the inputs of all these states are equal, or not finite.
    """
    if config.features == "observation":
        projection, mean = _components(recording, rows, config)
        parts = (rows[start : start + OBSERVATIONS_AT_ONCE] for start in range(0, len(rows), OBSERVATIONS_AT_ONCE))
        pieces = [_observations(recording, part).astype(np.float32) - mean for part in parts]
        features = np.concatenate([piece if projection is None else piece @ projection for piece in pieces])
    else:
        features = recording.features(rows).astype(np.float32)
        if not features.shape[1]:
            raise UserError(
                f"{recording.path}: its states have no features; fit to what the agent saw with --features observation."
            )
        projection, mean = None, features.mean(0, dtype=np.float64).astype(np.float32)
        features -= mean
    if not np.isfinite(features).all():
        raise UserError(
            f"{recording.path}: {int((~np.isfinite(features)).any(1).sum()):,} of the states have {config.features} "
            "that are not finite, so there is no plane for them; record another layer."
        )
    deviations = np.sqrt(np.square(features, dtype=np.float64).mean(0))
    overall = float(np.sqrt(np.square(deviations).mean()))
    if overall <= 0 or not np.isfinite(overall):
        raise UserError(
            f"{recording.path}: all states have the same {config.features}, so there is nothing to tell apart; record "
            "another layer, or other states."
        )
    if config.scaling == "together":
        scale = np.full(features.shape[1], overall, np.float32)
    else:
        scale = np.where(deviations > 1e-6 * overall, deviations, 1.0).astype(np.float32)
    features /= scale
    return Scaling(projection, mean, scale), features


def _components(
    recording: Recording, rows: NDArray[np.int64], config: FitConfig
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32]]:
    """Return principal components [W, D] of wide observations, None for narrow ones, and the mean observation [W]."""
    rng = np.random.default_rng(config.seed)
    some = np.sort(rng.choice(rows, min(len(rows), PROJECTION_STATES), replace=False))
    values = _observations(recording, some).astype(np.float32)
    mean = values.mean(0, dtype=np.float64).astype(np.float32)
    if values.shape[1] <= WIDEST:
        return None, mean
    values -= mean
    # The components of B states of W numbers each, W > B, from the B × B matrix of their products.
    weights, vectors = np.linalg.eigh((values @ values.T).astype(np.float64))
    count = int(min(NUM_COMPONENTS, (weights > 1e-9 * max(weights[-1], 0.0)).sum()))
    if not count:
        return np.zeros((values.shape[1], 1), np.float32), mean
    leading = vectors[:, ::-1][:, :count] / np.sqrt(weights[::-1][:count])
    return (values.T @ leading.astype(np.float32)).astype(np.float32), mean
