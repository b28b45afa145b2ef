"""Settings of playing with a trained agent: recording and evaluating it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import (
    MOST,
    MOST_THREADS,
    Device,
    Precision,
    above_zero,
    at_least,
    require,
    within,
    without_effect,
)
from semantic_rl.config.levels import check_levels
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class RecordConfig:
    """Play a trained agent and write the states it meets into a recording folder."""

    agent: Positional[Path]
    """A run folder, whose last checkpoint is taken, a checkpoint folder, or the name of an agent that ships with the
    package, such as sppo-coinrun; 'semantic-rl agents' lists them."""
    out: Path
    """Recording folder to make."""
    protocol: Literal["episodes", "explore"] = "episodes"
    """episodes: whole episodes by the agent's own policy; explore: a fixed number of steps with some random actions."""
    states: int | None = None
    """Protocol episodes: record whole episodes until there are so many states; 5,000 if neither this nor episodes."""
    episodes: int | None = None
    """Protocol episodes: record so many episodes, instead of a number of states."""
    distribution_mode: str | None = None
    """Difficulty of the game; by default the one the agent was trained on."""
    num_levels: int | None = None
    """Levels to play, 0 for all; by default those the agent was trained on."""
    start_level: int | None = None
    """Seed of the first of these levels; by default the one the agent was trained on."""
    level_seed: int | None = None
    """Play this one level and no other, in place of --num-levels and --start-level."""
    frame_size: int = 256
    """Width and height of the pictures for people, rendered at 512 and shrunk; 0 for none."""
    seed: int = 0
    """Seed of the environments and the actions."""
    num_envs: int = 64
    """Environments that play side by side."""
    explore_steps: int = 500
    """Protocol explore: steps of each environment."""
    random_action_probability: float = 0.2
    """Protocol explore: probability that an action is replaced by a uniformly random one."""
    keep_probability: float = 0.8
    """Protocol explore: probability that the states of a step are recorded."""
    device: Device = "auto"
    """Where the network runs; auto takes CUDA where there is a device."""
    precision: Precision = "auto"
    """Arithmetic of the convolutions; auto takes bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """CPU threads of the network; 0 leaves PyTorch's choice."""
    resume: bool = False
    """Complete a recording that was interrupted, exactly where it stopped."""

    def __post_init__(self) -> None:
        require(
            self.states is None or self.episodes is None,
            "episodes",
            self.episodes,
            f"either --states or --episodes, and --states is {self.states}",
        )
        for name in ("states", "episodes"):
            value = getattr(self, name)
            require(value is None or 1 <= value <= MOST, name, value, f"a number of at least 1 and at most {MOST}")
            require(
                value is None or self.protocol == "episodes",
                name,
                value,
                "none with --protocol explore, which plays --explore-steps steps in each environment",
            )
        require(
            self.frame_size == 0 or 64 <= self.frame_size <= 512,
            "frame_size",
            self.frame_size,
            "0 (no pictures) or a number from 64 to 512",
        )
        within(self, 0, 2**31 - 1, "seed")
        within(self, 1, 32767, "num_envs")
        at_least(self, 1, "explore_steps")
        within(self, 0, MOST_THREADS, "num_threads")
        within(self, 0.0, 1.0, "random_action_probability", "keep_probability")
        above_zero(self, "keep_probability")
        check_levels(self.num_levels, self.start_level, self.level_seed)
        if self.protocol == "episodes":
            reason = "--protocol episodes plays whole episodes by the agent's own policy"
            without_effect(self, reason, "explore_steps", "random_action_probability", "keep_probability")

    @property
    def target_states(self) -> int | None:
        """States at which protocol episodes ends; None if it counts episodes."""
        return self.states if self.states is not None or self.episodes is not None else 5_000


RECORDING_MAY_CHANGE_ON_RESUME = frozenset({"agent", "out", "resume", "num_threads", "device", "precision"})
"""Settings of a recording that do not change what is recorded; device and precision are compared once resolved."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Play whole episodes with a trained agent: mean return, success rate and how certain they are."""

    agent: Positional[Path]
    """A run folder, whose last checkpoint is taken, a checkpoint folder, or the name of an agent that ships with the
    package, such as sppo-coinrun; 'semantic-rl agents' lists them."""
    episodes: int = 200
    """Episodes to play, in up to 64 environments side by side."""
    distribution_mode: str | None = None
    """Difficulty; by default the one the agent was trained on."""
    num_levels: int | None = None
    """Levels to play, 0 for all; by default those the agent was trained on."""
    start_level: int | None = None
    """Seed of the first of these levels; by default the one the agent was trained on."""
    level_seed: int | None = None
    """Play this one level and no other, in place of --num-levels and --start-level."""
    seed: int = 0
    """Seed of the environments and the actions."""
    json: bool = False
    """Print one JSON object instead of a table."""
    device: Device = "auto"
    """Where the network runs; auto takes CUDA where there is a device."""
    precision: Precision = "auto"
    """Arithmetic of the convolutions; auto takes bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """CPU threads of the network; 0 leaves PyTorch's choice."""

    def __post_init__(self) -> None:
        at_least(self, 1, "episodes")
        check_levels(self.num_levels, self.start_level, self.level_seed)
        within(self, 0, 2**31 - 1, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
