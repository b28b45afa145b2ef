"""Final scores of runs, and their aggregates over seeds and games with bootstrap intervals.

Aggregates follow the conventions of Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice" (2021): mean, median over games, interquartile mean and optimality gap of normalised scores, with 95%
percentile intervals by a stratified bootstrap, in which the runs of each game are resampled separately.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.curves import Series, held_out_label, series_labels, series_of
from semantic_rl.analysis.return_ranges import normalize, published_range
from semantic_rl.analysis.runs import Run, RunFolder
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.config.intervals import QUANTILES

Metric = Literal["mean", "median", "iqm", "optimality_gap"]
METRICS: tuple[Metric, ...] = ("mean", "median", "iqm", "optimality_gap")

NUM_RESAMPLES = 10_000
SHORT_RUN_SHARE = 0.2
"""A final score averages at most this share of a run's updates."""


@dataclass(frozen=True)
class RunScore:
    """The final score of a run."""

    folder: RunFolder
    held_out: bool
    num_updates: int
    """Number of updates that the score averages."""
    steps: float
    """Environment steps at the last of these updates."""
    score: float
    """Mean raw return."""
    normalized: float | None
    """Normalised score: 0 for a trivial and 1 for a perfect policy; None if no range was published."""


class Estimate(NamedTuple):
    """A number with its 95% bootstrap interval, which is absent if a game has a single run."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SeriesScores:
    """The final scores of one series: in one game, or over all of its games."""

    series: Series
    label: str
    held_out: bool
    runs: tuple[tuple[RunScore, ...], ...]
    """The runs of each game."""
    mean_return: Estimate | None
    """Mean of raw returns; None for several games, where it would be meaningless."""
    normalized: dict[Metric, Estimate] | None
    """Aggregates of normalised scores; None if no range was published."""

    @property
    def envs(self) -> tuple[str, ...]:
        """The games, in alphabetical order."""
        return tuple(runs[0].folder.name.env for runs in self.runs)

    @property
    def num_runs(self) -> tuple[int, ...]:
        """The number of runs of each game."""
        return tuple(map(len, self.runs))


@dataclass(frozen=True)
class Scores:
    """Final scores of each series, in each game and over all games."""

    games: tuple[SeriesScores, ...]
    overall: tuple[SeriesScores, ...]


def final_score(run: Run, held_out: bool = False, final_updates: int = CurvesFigureConfig.final_updates) -> RunScore:
    """Return the mean over a run's last `final_updates` updates with a score, or the last fifth if that is fewer."""
    progress = run.held_out if held_out else run.training
    assert progress is not None, "a run without held-out levels has no score there"
    known = np.isfinite(progress.returns)
    returns, steps = progress.returns[known], progress.steps[known]
    count = min(final_updates, max(1, int(len(returns) * SHORT_RUN_SHARE)))
    scores = returns[-count:]
    name = run.folder.name
    scale = published_range(name.env, name.distribution_mode)
    normalized = None if scale is None else float(normalize(scores, scale).mean())
    return RunScore(run.folder, held_out, count, float(steps[-1]), float(scores.mean()), normalized)


def aggregate(metric: Metric, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return an aggregate [...] of normalised scores, given for each game as [..., runs].

    "mean" and "median" are taken over the games' means. "iqm", the interquartile mean (mean of the middle half), and
    "optimality_gap", by how much scores fall short of 1, are taken over all runs of all games.
    """
    means = np.stack([game.mean(-1) for game in scores], -1)
    every = np.concatenate(list(scores), -1)
    match metric:
        case "mean":
            return means.mean(-1)
        case "median":
            return np.median(means, -1)
        case "iqm":
            cut = every.shape[-1] // 4
            return np.sort(every, -1)[..., cut : every.shape[-1] - cut].mean(-1)
        case "optimality_gap":
            return 1 - np.minimum(every, 1).mean(-1)


def resample(
    scores: Sequence[NDArray[np.float64]], seed: int = CurvesFigureConfig.seed, num_resamples: int = NUM_RESAMPLES
) -> list[NDArray[np.float64]]:
    """Resample each game's scores [runs] with replacement: [num_resamples, runs] each."""
    generator = np.random.default_rng(seed)
    return [game[generator.integers(len(game), size=(num_resamples, len(game)))] for game in scores]


def estimate(metric: Metric, scores: Sequence[NDArray[np.float64]], seed: int = CurvesFigureConfig.seed) -> Estimate:
    """Return an aggregate of the games' scores [runs] with its interval."""
    value = float(aggregate(metric, scores))
    if min(map(len, scores)) < 2:
        return Estimate(value, None, None)
    drawn = aggregate(metric, resample(scores, seed))
    low, high = np.quantile(drawn, QUANTILES)
    return Estimate(value, float(low), float(high))


def compute_scores(
    runs: Sequence[Run],
    final_updates: int = CurvesFigureConfig.final_updates,
    seed: int = CurvesFigureConfig.seed,
) -> Scores:
    """Return final scores and their aggregates, in the order of the curves; `seed` seeds the bootstrap."""
    games: list[SeriesScores] = []
    overall: list[SeriesScores] = []
    for series, label in series_labels(runs).items():
        members = sorted((run for run in runs if series_of(run) == series), key=lambda run: run.folder.name)
        for held_out in (False, True):
            scored = [
                final_score(run, held_out, final_updates) for run in members if not held_out or run.held_out is not None
            ]
            by_game: dict[str, list[RunScore]] = {}
            for score in scored:
                by_game.setdefault(score.folder.name.env, []).append(score)
            groups = tuple(tuple(group) for group in by_game.values())
            name = held_out_label(label) if held_out else label
            games += [_summary(series, name, held_out, (group,), seed) for group in groups]
            if groups:
                overall.append(_summary(series, name, held_out, groups, seed))
    games.sort(key=lambda summary: summary.envs)
    return Scores(tuple(games), tuple(overall))


def _summary(
    series: Series, label: str, held_out: bool, groups: tuple[tuple[RunScore, ...], ...], seed: int
) -> SeriesScores:
    mean_return = None
    if len(groups) == 1:
        mean_return = estimate("mean", [np.array([run.score for run in groups[0]])], seed)
    normalized: dict[Metric, Estimate] | None = None
    if all(run.normalized is not None for group in groups for run in group):
        scores = [np.array([run.normalized for run in group], np.float64) for group in groups]
        normalized = {metric: estimate(metric, scores, seed) for metric in METRICS}
    return SeriesScores(series, label, held_out, groups, mean_return, normalized)
