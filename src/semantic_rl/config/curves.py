"""Settings of the learning curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import MAX_SEED, MOST_STEPS, above_zero, at_least, require, within, without_effect
from semantic_rl.envs.procgen.games import check_mode, find_game


@dataclass(frozen=True)
class CurvesFigureConfig:
    """Draw return over environment steps for runs, ours or the original's; write their final scores as text and CSV."""

    run_root: tuple[str, ...] = ("runs",)
    """Folders of run folders, or run folders. NAME=FOLDER draws a folder's runs apart from the others', as NAME."""
    env: tuple[str, ...] = ()
    """Games; without it all of which there are runs."""
    distribution_mode: str = "easy"
    """Distribution mode of the runs."""
    num_levels: int | None = None
    """Only runs that train on so many levels (0: on all); without it each number has a curve."""
    out: Path = Path("figures")
    """Folder in which figures and tables are written."""
    smoothing: float = 0.9
    """Weight of what was before in the exponential moving average over updates; 0 draws raw scores."""
    skip_updates: int = 10
    """Updates at the beginning of a run that are not drawn: few episodes are finished then, short ones first."""
    max_steps: float | None = None
    """Take runs up to so many environment steps, in curves and scores."""
    normalize: bool = False
    """Draw scores on the scale on which 0 is a trivial and 1 a perfect policy (Cobbe et al. 2020)."""
    interval: Literal["deviation", "bootstrap", "range", "none"] = "deviation"
    """Band around the mean over seeds: ± 1 standard deviation; 95% bootstrap of the mean; lowest to highest seed."""
    show_runs: bool = False
    """Draw each run as a thin line too."""
    final_updates: int = 100
    """Updates at the end of a run whose mean is its final score; at most a fifth of the run."""
    original_workers: int = 1
    """Training workers of runs that the original wrote: it counts the steps of one."""
    seed: int = 0
    """Seed of the bootstrap."""

    def __post_init__(self) -> None:
        require(len(self.run_root) > 0, "run_root", self.run_root, "at least one folder")
        for env in self.env:
            find_game(env)
            check_mode(env, self.distribution_mode)
        require(0 <= self.smoothing < 1, "smoothing", self.smoothing, "a number from 0 to below 1")
        at_least(self, 0, "skip_updates")
        at_least(self, 1, "final_updates", "original_workers")
        within(self, 0, MAX_SEED, "seed")
        if self.num_levels is not None:
            at_least(self, 0, "num_levels")
        if self.max_steps is not None:
            above_zero(self, "max_steps", most=float(MOST_STEPS))
        if self.interval != "bootstrap":
            without_effect(self, f"--interval {self.interval} draws nothing at random", "seed")
