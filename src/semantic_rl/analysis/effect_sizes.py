"""How two sets of states differ in one quantity: both means, their difference, a bootstrap interval, an effect size.

Intervals are those of `analysis.metrics.bootstrap`: whole episodes are resampled, with the same draws for both sets.
The effect size is Cohen's d (difference of means over the pooled standard deviation of the states) or, for a share of
episodes, Cohen's h. Cramér's V measures how two distributions over categories differ. Axes: E episodes, N numbers,
A categories.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import MetricsConfig
from semantic_rl.config.intervals import QUANTILES
from semantic_rl.late_imports import import_alone

if TYPE_CHECKING:
    from semantic_rl.analysis.metrics.bootstrap import Bootstrap  # comes with scikit-learn, which takes seconds

TOO_FEW = "too few episodes for an interval"
NOTHING = "one of the two sets is empty"
COHENS_D, COHENS_H, CRAMERS_V = "Cohen's d", "Cohen's h", "Cramér's V"

type FloatOrNaN = float
"""NaN where the number is not defined."""


class Difference(TypedDict):
    """A difference between inside and rest, with its 95% interval over episodes."""

    inside: FloatOrNaN
    rest: FloatOrNaN
    difference: FloatOrNaN
    low: float | None
    high: float | None
    effect: FloatOrNaN
    effect_name: str
    num_episodes: int
    """Number of episodes that contribute to the number inside."""
    num_episodes_rest: int
    note: NotRequired[str]
    """Why there is no interval."""


class Sums(NamedTuple):
    """Sums over each episode of one set's numbers; all [E]."""

    total: NDArray[np.float64]
    square: NDArray[np.float64]
    """Sums of squares."""
    number: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Return the mean over all numbers; NaN if there are none."""
        count = self.number.sum()
        return float(self.total.sum() / count) if count else float("nan")

    @property
    def num_episodes(self) -> int:
        """Return how many episodes have numbers."""
        return int((self.number > 0).sum())


def add_up(values: NDArray[Any], episode: NDArray[np.integer], num_episodes: int) -> Sums:
    """Add up numbers [N] by the episode [N] that each belongs to."""
    values = values.astype(np.float64)
    return Sums(
        np.bincount(episode, values, num_episodes),
        np.bincount(episode, np.square(values), num_episodes),
        np.bincount(episode, minlength=num_episodes).astype(np.float64),
    )


def draws_of(num_episodes: int, seed: int) -> "Bootstrap":
    """Return the bootstrap draws of episodes that all intervals share."""
    import_alone("semantic_rl.analysis.metrics.bootstrap")
    from semantic_rl.analysis.metrics.bootstrap import Bootstrap

    return Bootstrap(np.arange(max(num_episodes, 1)), MetricsConfig.resamples, seed)


def contrast(bootstrap: "Bootstrap", inside: Sums, rest: Sums) -> Difference:
    """Compare the means of two sets."""
    return _difference(bootstrap, inside, rest, cohens_d(inside, rest), COHENS_D)


def contrast_shares(bootstrap: "Bootstrap", inside: Sums, rest: Sums) -> Difference:
    """Compare two shares: numbers that are 0 or 1."""
    return _difference(bootstrap, inside, rest, cohens_h(inside.mean, rest.mean), COHENS_H)


def _difference(bootstrap: "Bootstrap", inside: Sums, rest: Sums, effect: FloatOrNaN, effect_name: str) -> Difference:
    found = Difference(
        inside=inside.mean,
        rest=rest.mean,
        difference=inside.mean - rest.mean,
        low=None,
        high=None,
        effect=effect,
        effect_name=effect_name,
        num_episodes=inside.num_episodes,
        num_episodes_rest=rest.num_episodes,
    )
    if not found["num_episodes"] or not found["num_episodes_rest"]:
        return {**found, "note": NOTHING}
    low, high = interval(draws_of_mean(bootstrap, inside) - draws_of_mean(bootstrap, rest))
    return {**found, "note": TOO_FEW} if low is None else {**found, "low": low, "high": high}


def not_compared(effect_name: str, note: str) -> Difference:
    """Return a difference without numbers, and a note that says why."""
    nan = float("nan")
    numbers = Difference(
        inside=nan, rest=nan, difference=nan, low=None, high=None, effect=nan, effect_name=effect_name,
        num_episodes=0, num_episodes_rest=0,
    )  # fmt: skip
    return {**numbers, "note": note}


def draws_of_mean(bootstrap: "Bootstrap", sums: Sums) -> NDArray[np.float64]:
    """Return the mean in each draw, NaN in draws without numbers; a single NaN if only one episode can be drawn."""
    if not bootstrap.num_resamples:
        return np.array([np.nan])
    return bootstrap.ratio_draws(bootstrap.sums(sums.total), bootstrap.sums(sums.number))


def interval(draws: NDArray[np.float64]) -> tuple[float, float] | tuple[None, None]:
    """Return the middle 95% of the draws; (None, None) if any draw is NaN, since there are too few episodes then."""
    if not np.isfinite(draws).all():
        return None, None
    low, high = np.quantile(draws, QUANTILES).tolist()
    return low, high


def cohens_d(inside: Sums, rest: Sums) -> float:
    """Return the difference of means over the pooled standard deviation; NaN where that is undefined."""
    counts = [sums.number.sum() for sums in (inside, rest)]
    if min(counts) < 1 or sum(counts) < 3:
        return float("nan")
    squares = sum(
        float(sums.square.sum() - sums.total.sum() ** 2 / count)
        for sums, count in zip((inside, rest), counts, strict=True)
    )
    deviation = np.sqrt(max(squares, 0.0) / (sum(counts) - 2))
    return float((inside.mean - rest.mean) / deviation) if deviation > 0 else float("nan")


def cohens_h(inside: float, rest: float) -> float:
    """Return the difference of two shares after the arcsine transform, which makes differences comparable anywhere."""
    return float(2 * np.arcsin(np.sqrt(inside)) - 2 * np.arcsin(np.sqrt(rest)))


def cramers_v(table: NDArray[np.float64]) -> float:
    """Return how strongly the rows of a table of counts [2, A] differ, from 0 (not at all) to 1; NaN for no counts."""
    table = table[:, table.sum(0) > 0]
    if not table.sum(1).all() or table.shape[1] < 2:
        return float("nan")
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return float(np.sqrt((np.square(table - expected) / expected).sum() / table.sum()))
