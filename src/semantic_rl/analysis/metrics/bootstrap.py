"""Bootstrap intervals that resample episodes, because frames of one episode are not independent.

E of E episodes are drawn with replacement, with all their states, many times; the interval is the middle 95% of the
resulting values of the metric (percentile bootstrap: Efron, 1979; Field and Welsh, 2007). A mean or a ratio is
recomputed in every draw. A metric that depends on pairs of states is not: a draw holds some episodes twice, and each
state of such an episode would find its own duplicate as its neighbour. Instead the metric is computed with each episode
left out in turn (the jackknife), which gives each episode's influence, and a draw adds up these influences:

    θ* = θ + 1/E · Σ_e n_e · (l_e − mean of l),   l_e = (E − 1) (θ − θ without e),   n_e: how often e was drawn

For a mean both are the same. With more than 100 episodes, 100 groups of episodes are resampled instead (Kott, 2001).
All metrics of a recording share the same draws. Axes: R draws, E units (episodes or groups of episodes), B states.
"""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.config.intervals import QUANTILES

MOST_UNITS = 100
NO_INTERVAL = "one episode only, so there is no interval"
NOT_FINITE = "it is no finite number"
UNDEFINED = "without some episode it is undefined, so there is no interval"


class Bootstrap:
    """Bootstrap draws of units, and the intervals computed from them."""

    def __init__(self, episode: NDArray[np.int64], num_resamples: int, seed: int) -> None:
        """`episode` [B]: the episode of each state, numbered from 0."""
        rng = np.random.default_rng(seed)
        self.num_episodes = int(episode.max()) + 1
        self.num_units = min(self.num_episodes, MOST_UNITS)
        group = np.arange(self.num_episodes)
        if self.num_episodes > MOST_UNITS:
            group = rng.permutation(self.num_episodes) % MOST_UNITS
        self.unit: NDArray[np.int64] = group[episode]
        """[B]."""
        self.sizes: NDArray[np.float64] = np.bincount(self.unit).astype(np.float64)
        """[E]: states of each unit."""
        self.num_resamples = num_resamples if self.num_units > 1 else 0
        shares = np.full(self.num_units, 1 / self.num_units)
        drawn = rng.multinomial(self.num_units, shares, size=self.num_resamples)
        self.counts: NDArray[np.float64] = drawn.astype(np.float64)
        """[R, E]: how often each unit is drawn."""

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Add up values [B] over the states of each unit: [E]."""
        return np.bincount(self.unit, weights=values.astype(np.float64), minlength=self.num_units)

    def tables(self, labels: NDArray[np.generic]) -> NDArray[np.float64]:
        """Count the states of each unit with each of the labels [B] that occur: [E, labels]."""
        values, index = np.unique(labels, return_inverse=True)
        cells = np.bincount(self.unit * len(values) + index, minlength=self.num_units * len(values))
        return cells.reshape(self.num_units, len(values)).astype(np.float64)

    def ratio(self, above: NDArray[np.floating], below: NDArray[np.floating]) -> Estimate:
        """Return the sum of `above` [E] over that of `below` [E]."""
        if below.sum() == 0:
            return Estimate(None, note="nothing to count")
        return self.estimate(float(above.sum() / below.sum()), self.ratio_draws(above, below))

    def ratio_draws(self, above: NDArray[np.floating], below: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return this ratio in each draw: [R], NaN where the denominator is empty."""
        totals = self.counts @ below
        return np.divide(self.counts @ above, totals, out=np.full(len(totals), np.nan), where=totals != 0)

    def estimate(self, value: float, draws: NDArray[np.floating]) -> Estimate:
        """Return a metric's value with the interval of its draws [R]."""
        if not np.isfinite(value):
            return Estimate(None, note=NOT_FINITE)
        if not self.num_resamples:
            return Estimate(value, note=NO_INTERVAL)
        if not np.isfinite(draws).all():
            return Estimate(value, note=UNDEFINED)
        low, high = np.quantile(draws, QUANTILES).tolist()
        return Estimate(value, low, high)

    def estimate_left_out(self, value: float, left_out: NDArray[np.floating]) -> Estimate:
        """Return a metric's value with the interval from its values without each unit [E]; NaN means undefined."""
        influence = (self.num_units - 1) * (value - left_out)
        return self.estimate(value, value + self.counts @ (influence - influence.mean()) / self.num_units)
