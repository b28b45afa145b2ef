"""Settings of the learning curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import MAX_SEED, MOST_STEPS, above_zero, at_least, require, within, without_effect
from semantic_rl.envs.procgen.games import check_mode, find_game


@dataclass(frozen=True)
class CurvesFigureConfig:
    """Draw the learning curves of runs (ours or the original's) and write their final scores as text and CSV."""

    run_root: tuple[str, ...] = ("runs",)
    """Run folders, or folders that contain run folders. NAME=FOLDER draws the folder's runs as a curve of their own,
    labelled NAME."""
    env: tuple[str, ...] = ()
    """Games to draw; by default every game that has runs."""
    distribution_mode: str = "easy"
    """Distribution mode of the runs."""
    num_levels: int | None = None
    """Draw only runs that were trained on this many levels (0 means all levels); by default each number of levels has
    its own curve."""
    out: Path = Path("figures")
    """Folder in which figures and tables are written."""
    smoothing: float = 0.9
    """Weight of the past in the exponential moving average over updates; 0 draws the raw scores."""
    skip_updates: int = 10
    """Number of updates at the beginning of a run that are not drawn, since few episodes have finished by then and
    short ones finish first."""
    max_steps: float | None = None
    """Use only this many environment steps from the beginning of each run, for curves and scores."""
    normalize: bool = False
    """Draw normalised scores: 0 is a trivial policy and 1 a perfect one (Cobbe et al. 2020)."""
    interval: Literal["deviation", "bootstrap", "range", "none"] = "deviation"
    """Band around the mean over seeds. deviation: ± 1 standard deviation; bootstrap: 95% bootstrap interval of the
    mean; range: from the lowest to the highest seed."""
    show_runs: bool = False
    """Draw each run as a thin line, too."""
    final_updates: int = 100
    """Number of last updates over which a run's final score is averaged; at most a fifth of the run."""
    original_workers: int = 1
    """Number of workers that trained the original's runs: its logs count the steps of one worker."""
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
