"""Learning curves: smoothed scores of runs over environment steps, with mean and interval over seeds.

The processing is the original's. The first updates of a run are dropped, because few episodes have finished by then
and short ones finish first; the rest is smoothed by an exponential moving average. Normalised scores are
(return − minimum) / (maximum − minimum) with the ranges of Cobbe et al. (2020), appendix C.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.progress import Progress
from semantic_rl.analysis.return_ranges import normalize
from semantic_rl.analysis.runs import Run, describe_levels
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.config.intervals import QUANTILES
from semantic_rl.envs.procgen.games import find_range
from semantic_rl.envs.spec import ReturnRange

Interval = Literal["deviation", "bootstrap", "range", "none"]

NUM_RESAMPLES = 2000


class Series(NamedTuple):
    """What the runs of one curve have in common: everything but the game and the seed."""

    root: str
    algorithm: str
    num_levels: int
    start_level: int


class RunCurve(NamedTuple):
    """One seed's curve, smoothed."""

    seed: int
    steps: NDArray[np.float64]
    """[T], increasing."""
    scores: NDArray[np.float64]
    """[T], finite."""


@dataclass(frozen=True)
class Curve:
    """The runs of one series in one game; mean and interval over seeds are given where all runs have a score."""

    series: Series
    label: str
    held_out: bool
    """Scored on levels that the agent does not train on."""
    runs: tuple[RunCurve, ...]
    steps: NDArray[np.float64]
    """[T]; ends where the shortest run ends."""
    mean: NDArray[np.float64]
    """[T]"""
    low: NDArray[np.float64] | None
    """[T]; None with a single run, or if no interval was asked for."""
    high: NDArray[np.float64] | None


@dataclass(frozen=True)
class GameCurves:
    """All curves of one game."""

    env: str
    distribution_mode: str
    normalized: bool
    interval: Interval
    smoothing: float
    curves: tuple[Curve, ...]


def series_of(run: Run) -> Series:
    """Return the series that a run belongs to."""
    name = run.folder.name
    return Series(run.folder.root, name.algorithm, name.num_levels, name.start_level)


def series_labels(runs: Sequence[Run]) -> dict[Series, str]:
    """Return a label for every series, ordered by folder (as given), SPPO before PPO, few levels before many.

    A label includes the folder's name and the levels only if they are needed to tell series apart.
    """
    roots = list(dict.fromkeys(run.folder.root for run in runs))
    known = {"sppo": 0, "ppo": 1}

    def order(series: Series) -> tuple[int, int, str, int, int]:
        return roots.index(series.root), known.get(series.algorithm, 2), *series[1:]

    found = sorted({series_of(run) for run in runs}, key=order)
    several_levels = len({(series.num_levels, series.start_level) for series in found}) > 1

    def label(series: Series) -> str:
        levels = describe_levels(series.num_levels, series.start_level) if several_levels else ""
        return ", ".join(part for part in (series.algorithm.upper(), series.root, levels) if part)

    return {series: label(series) for series in found}


def held_out_label(label: str) -> str:
    """Return the label of a series' scores on held-out levels."""
    return f"{label}, held-out levels"


def smooth(values: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return the exponential moving average of values [T], started at the first value.

    smoothed_t = smoothing · smoothed_{t−1} + (1 − smoothing) · value_t; a smoothing of 0 changes nothing.
    """
    smoothed = values.astype(np.float64)
    for index in range(1, len(smoothed)):
        smoothed[index] = smoothing * smoothed[index - 1] + (1 - smoothing) * smoothed[index]
    return smoothed


def seed_interval(
    scores: NDArray[np.float64], interval: Interval, seed: int = CurvesFigureConfig.seed
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the interval [T], [T] over runs of scores [R, T]; None for a single run.

    "deviation": mean ± sample standard deviation, as in the original. "bootstrap": 95% percentile interval of the mean,
    runs resampled with replacement. "range": lowest and highest run.
    """
    num_runs = len(scores)
    if interval == "none" or num_runs < 2:
        return None
    if interval == "range":
        return scores.min(0), scores.max(0)
    if interval == "deviation":
        mean, deviation = scores.mean(0), scores.std(0, ddof=1)
        return mean - deviation, mean + deviation
    drawn = np.random.default_rng(seed).multinomial(num_runs, [1 / num_runs] * num_runs, NUM_RESAMPLES)
    low, high = np.quantile(drawn / num_runs @ scores, QUANTILES, axis=0)
    return low, high


def average_runs(runs: Sequence[RunCurve]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steps [T] at which all runs have a score, and their scores [R, T] at these steps.

    If runs were logged at different steps, each is interpolated linearly at the steps of all of them.
    """
    begin, end = max(run.steps[0] for run in runs), min(run.steps[-1] for run in runs)
    inside = [run.steps[(run.steps >= begin) & (run.steps <= end)] for run in runs]
    steps = np.unique(np.concatenate(inside))
    return steps, np.stack([np.interp(steps, run.steps, run.scores) for run in runs])


def compute_curves(
    runs: Sequence[Run],
    skip_updates: int = CurvesFigureConfig.skip_updates,
    smoothing: float = CurvesFigureConfig.smoothing,
    normalized: bool = CurvesFigureConfig.normalize,
    interval: Interval = CurvesFigureConfig.interval,
    seed: int = CurvesFigureConfig.seed,
) -> list[GameCurves]:
    """Return the curves of each game, games in alphabetical order; `seed` seeds the bootstrap.

    Raises UserError if scores are to be normalised and no return range is known for the game and mode.
    """
    games = sorted({(run.folder.name.env, run.folder.name.distribution_mode) for run in runs})
    computed: list[GameCurves] = []
    for env, mode in games:
        scale = find_range(env, mode) if normalized else None
        curves: list[Curve] = []
        for series, label in series_labels(runs).items():
            members = [run for run in runs if series_of(run) == series and run.folder.name[1:3] == (env, mode)]
            members.sort(key=lambda run: run.folder.name.seed)
            for held_out in (False, True):
                lines: list[RunCurve] = []
                for run in members:
                    progress = run.held_out if held_out else run.training
                    if progress is not None:
                        lines += _run_curve(run.folder.name.seed, progress, skip_updates, smoothing, scale)
                if lines:
                    steps, scores = average_runs(lines)
                    low, high = seed_interval(scores, interval, seed) or (None, None)
                    name = held_out_label(label) if held_out else label
                    curves.append(Curve(series, name, held_out, tuple(lines), steps, scores.mean(0), low, high))
        computed.append(GameCurves(env, mode, normalized, interval, smoothing, tuple(curves)))
    return computed


def _run_curve(
    seed: int, progress: Progress, skip_updates: int, smoothing: float, scale: ReturnRange | None
) -> list[RunCurve]:
    """Return one run's curve; an empty list if the run has no score after the skipped updates."""
    steps, returns = progress.steps[skip_updates:], progress.returns[skip_updates:]
    known = np.isfinite(returns)
    if not known.any():
        return []
    scores = smooth(returns[known], smoothing)
    return [RunCurve(seed, steps[known], scores if scale is None else normalize(scores, scale))]
