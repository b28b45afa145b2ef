"""Settings of recording and of evaluating a trained agent."""

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
from semantic_rl.config.env_arguments import read_env_arguments
from semantic_rl.config.levels import check_levels
from semantic_rl.config.markers import Positional
from semantic_rl.envs.spec import Scalar


@dataclass(frozen=True)
class RecordConfig:
    """Let a trained agent play and write the states that it visits into a recording folder."""

    agent: Positional[Path]
    """A run folder (its last checkpoint is used), a checkpoint folder, the name of an agent that ships with the package
    ('semantic-rl agents' lists them), a zip of Stable-Baselines3 or sb3-contrib, or a function in a Python file of your
    own that returns an agent (my_agent.py:make_agent)."""
    out: Path
    """Recording folder to create."""
    env: str | None = None
    """Environment of an agent that was trained elsewhere: a Gymnasium id (LunarLander-v3, ALE/Breakout-v5), a Procgen
    game (coinrun), or a function in a Python file that makes one (my_env.py:make_env)."""
    env_args: tuple[str, ...] = ()
    """Arguments of that environment, as name=value; of a Procgen game its options, such as use_backgrounds=false."""
    wrap: tuple[str, ...] = ()
    """Wrappers around that environment, innermost first: atari, frame-stack=4, …; an unknown name lists them all."""
    info: tuple[str, ...] = ()
    """Keys of that environment's info whose values, numbers or texts, are recorded too, each in a column of its own.
    Like a reward, a value is that of the step which is taken in a state."""
    vec_normalize: Path | None = None
    """File of Stable-Baselines3's VecNormalize with the statistics that normalise the agent's observations."""
    layer: str | None = None
    """Layer of the network whose output is recorded as features; by default the last one before the policy's output.
    'semantic-rl layers AGENT' lists them."""
    trust: bool = False
    """Let Stable-Baselines3 itself open the agent's zip, which runs any code that it holds."""
    deterministic: bool = False
    """Take the most likely action in each state, instead of sampling one."""
    protocol: Literal["episodes", "explore"] = "episodes"
    """episodes: record whole episodes, in which the agent follows its policy; explore: record a fixed number of steps,
    in which some actions are random."""
    states: int | None = None
    """With --protocol episodes: record whole episodes until there are at least this many states; 5,000 if neither
    --states nor --episodes is given."""
    episodes: int | None = None
    """With --protocol episodes: record this many episodes, instead of a number of states."""
    distribution_mode: str | None = None
    """Difficulty of the game; by default the one that the agent was trained on."""
    num_levels: int | None = None
    """Number of levels to play, 0 for all; by default the levels that the agent was trained on."""
    start_level: int | None = None
    """Seed of the first of these levels; by default the one that the agent was trained on."""
    level_seed: int | None = None
    """Play only this level, instead of those of --num-levels and --start-level."""
    frame_size: int = 256
    """Width and height in pixels of the pictures that people look at (the agent sees smaller ones); they are rendered
    at 512 and scaled down. 0 records none."""
    seed: int = 0
    """Seed of the environments and the actions."""
    num_envs: int = 64
    """Number of environments that are played in parallel."""
    explore_steps: int = 500
    """With --protocol explore: number of steps in each environment."""
    random_action_probability: float = 0.2
    """With --protocol explore: probability that an action is replaced by a uniformly random one."""
    keep_probability: float = 0.8
    """With --protocol explore: probability that the states of a step are recorded."""
    device: Device = "auto"
    """Where the network runs; auto uses CUDA if there is a device."""
    precision: Precision = "auto"
    """Number format of the convolutions; auto uses bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """Number of CPU threads of the network; 0 leaves the choice to PyTorch, and is 1 for agents trained elsewhere."""
    resume: bool = False
    """Complete a recording that was interrupted, exactly from where it stopped."""

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
        read_env_arguments(self.env_args)
        if self.protocol == "episodes":
            reason = "--protocol episodes plays whole episodes by the agent's own policy"
            without_effect(self, reason, "explore_steps", "random_action_probability", "keep_probability")

    @property
    def arguments(self) -> dict[str, Scalar]:
        """The environment's arguments, by name; numbers, true, false and null are read as such."""
        return read_env_arguments(self.env_args)

    @property
    def target_states(self) -> int | None:
        """Number of states at which the protocol `episodes` ends; None if it counts episodes."""
        return self.states if self.states is not None or self.episodes is not None else 5_000


RECORDING_MAY_CHANGE_ON_RESUME = frozenset({"agent", "out", "resume", "num_threads", "device", "precision"})
"""Settings of a recording that may differ when it is resumed. Device and precision are compared after `auto` has been
resolved."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Let a trained agent play whole episodes and print its mean return and success rate, with intervals."""

    agent: Positional[Path]
    """A run folder (its last checkpoint is used), a checkpoint folder, the name of an agent that ships with the package
    ('semantic-rl agents' lists them), a zip of Stable-Baselines3 or sb3-contrib, or a function in a Python file of your
    own that returns an agent (my_agent.py:make_agent)."""
    episodes: int = 200
    """Number of episodes to play, in up to 64 parallel environments."""
    env: str | None = None
    """Environment of an agent that was trained elsewhere: a Gymnasium id (LunarLander-v3, ALE/Breakout-v5), a Procgen
    game (coinrun), or a function in a Python file that makes one (my_env.py:make_env)."""
    env_args: tuple[str, ...] = ()
    """Arguments of that environment, as name=value; of a Procgen game its options, such as use_backgrounds=false."""
    wrap: tuple[str, ...] = ()
    """Wrappers around that environment, innermost first: atari, frame-stack=4, …; an unknown name lists them all."""
    vec_normalize: Path | None = None
    """File of Stable-Baselines3's VecNormalize with the statistics that normalise the agent's observations."""
    trust: bool = False
    """Let Stable-Baselines3 itself open the agent's zip, which runs any code that it holds."""
    deterministic: bool = False
    """Take the most likely action in each state, instead of sampling one."""
    distribution_mode: str | None = None
    """Difficulty of the game; by default the one that the agent was trained on."""
    num_levels: int | None = None
    """Number of levels to play, 0 for all; by default the levels that the agent was trained on."""
    start_level: int | None = None
    """Seed of the first of these levels; by default the one that the agent was trained on."""
    level_seed: int | None = None
    """Play only this level, instead of those of --num-levels and --start-level."""
    seed: int = 0
    """Seed of the environments and the actions."""
    json: bool = False
    """Print one JSON object instead of a table."""
    device: Device = "auto"
    """Where the network runs; auto uses CUDA if there is a device."""
    precision: Precision = "auto"
    """Number format of the convolutions; auto uses bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """Number of CPU threads of the network; 0 leaves the choice to PyTorch."""

    @property
    def arguments(self) -> dict[str, Scalar]:
        """The environment's arguments, by name; numbers, true, false and null are read as such."""
        return read_env_arguments(self.env_args)

    def __post_init__(self) -> None:
        at_least(self, 1, "episodes")
        read_env_arguments(self.env_args)
        check_levels(self.num_levels, self.start_level, self.level_seed)
        within(self, 0, 2**31 - 1, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
