"""Settings of training and of importing the original's checkpoints.

The defaults are those of docs/method.md: Zhang, Lieffers and Pyarelal (NeurIPS 2025), with the PPO of OpenAI's
train-procgen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

from semantic_rl.config.checks import (
    MOST_STEPS,
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
from semantic_rl.config.markers import Positional
from semantic_rl.envs.procgen.games import check_mode, find_game, find_options, option_texts, stored_option_texts

Algorithm = Literal["sppo", "ppo"]


@dataclass(frozen=True)
class EnvConfig:
    """The game, its levels, and the number of environments."""

    env: str = "coinrun"
    """Procgen game."""
    distribution_mode: str = "easy"
    """Difficulty of the game: easy or hard; some games also have extreme, memory or exploration."""
    num_levels: int = 0
    """Number of levels to play; 0 means all. Studies of generalisation use 200 (easy) or 500 (hard)."""
    start_level: int = 0
    """Seed of the first level."""
    num_envs: int = 64
    """Number of environments of each worker."""
    env_groups: int = 0
    """Number of groups that the environments are divided into: while one group steps, the network chooses actions for
    the next. 0 makes two groups on a GPU and one on a CPU."""
    env_args: tuple[str, ...] = ()
    """Procgen's own options of the game, as name=true or name=false: use_backgrounds, restrict_themes, paint_vel_info,
    use_sequential_levels, use_monochrome_assets, use_generated_assets, center_agent."""

    def __post_init__(self) -> None:
        find_game(self.env)
        check_mode(self.env, self.distribution_mode)
        object.__setattr__(
            self, "env_args", option_texts(self.options)
        )  # one spelling, so that equal games have equal settings
        at_least(self, 0, "num_levels", "start_level", most=2**31 - 1)
        require(
            self.start_level + self.num_levels < 2**31,
            "start_level",
            self.start_level,
            "start_level + num_levels below 2^31",
        )
        within(self, 1, 32767, "num_envs")
        at_least(self, 0, "env_groups")
        require(
            self.num_envs % (self.env_groups or 1) == 0,
            "env_groups",
            self.env_groups,
            f"a divisor of num_envs = {self.num_envs}",
        )

    @property
    def options(self) -> dict[str, bool]:
        """The game's options that are not as by default, by name."""
        return find_options(read_env_arguments(self.env_args))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return the game that settings describe which `to_dict` returned, of this version or an earlier one."""
        known: dict[str, Any] = {field.name: settings[field.name] for field in fields(cls) if field.name in settings}
        known["env_args"] = stored_option_texts(settings)
        return cls(**known)


@dataclass(frozen=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al., 2017), as implemented in train-procgen."""

    num_steps: int = 256
    """Number of steps of each environment in one rollout."""
    num_minibatches: int = 8
    """Number of minibatches in an epoch."""
    num_epochs: int = 3
    """Number of passes over each rollout."""
    gamma: float = 0.999
    """Discount factor γ."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    clip_range: float = 0.2
    """ε: the probability ratio is clipped to 1 ± ε and the change of the value to ± ε."""
    learning_rate: float = 5e-4
    """Adam's learning rate, constant over the run."""
    adam_epsilon: float = 1e-5
    """Adam's ε, added outside the bias correction as in TensorFlow."""
    max_grad_norm: float = 0.5
    """Norm to which the gradient of all parameters together is clipped."""
    entropy_coef: float = 0.01
    """Weight of the entropy bonus."""
    value_coef: float = 0.5
    """Weight of the value loss."""
    reward_discount: float = 0.99
    """Discount factor of the running return; rewards are divided by the standard deviation of this return."""
    reward_clip: float = 10.0
    """Normalised rewards are clipped to the range from minus to plus this value."""

    def __post_init__(self) -> None:
        at_least(self, 1, "num_steps", "num_minibatches", "num_epochs")
        within(self, 0.0, 1.0, "gamma", "gae_lambda", "reward_discount")
        above_zero(self, "clip_range", "learning_rate", "adam_epsilon", "max_grad_norm", "reward_clip")
        at_least(self, 0.0, "entropy_coef", "value_coef")


@dataclass(frozen=True)
class SemanticConfig:
    """The semantic clustering module: feature dimensionality reduction (FDR) and vector quantisation (VQ)."""

    num_codes: int = 8
    """Number of codes in the codebook, which is the number of clusters."""
    feature_dof: float = 20.0
    """Degrees of freedom of Student's t over the features (the original's alpha1)."""
    embedding_dof: float = 20.0
    """Degrees of freedom of Student's t over the embedding (the original's alpha2)."""
    commitment_coef: float = 0.25
    """β: weight of the commitment loss within the VQ loss."""
    fdr_coef: float = 500.0
    """Weight of the FDR loss."""
    vq_coef: float = 1.0
    """Weight of the VQ loss."""
    semantic_interval: int = 50
    """Number of updates after which the control factor λ is set again."""
    semantic_return_fraction: float = 0.8
    """Fraction of the game's maximum return at which the control factor λ reaches 1."""

    def __post_init__(self) -> None:
        within(self, 1, 256, "num_codes")
        above_zero(self, "feature_dof", "embedding_dof", "semantic_return_fraction")
        at_least(self, 0.0, "commitment_coef", "fdr_coef", "vq_coef")
        at_least(self, 1, "semantic_interval")


@dataclass(frozen=True)
class TrainConfig:
    """Train an agent, with the semantic clustering module (sppo) or without it (ppo)."""

    algorithm: Algorithm = "sppo"
    """sppo: PPO with the semantic clustering module; ppo: PPO without it."""
    environment: EnvConfig = field(default_factory=EnvConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    semantic: SemanticConfig = field(default_factory=SemanticConfig)
    timesteps: int = 25_000_000
    """Number of environment steps of the run, summed over all workers; rounded down to whole updates."""
    seed: int = 2021
    """Seed of the weights, the environments, the actions and the shuffling."""
    run_root: Path = Path("runs")
    """Folder in which the run folder is created."""
    resume: bool = False
    """Continue the run from its last checkpoint, exactly from where it stopped."""
    auto_resume: bool = False
    """Continue the run if its folder exists, otherwise start it; for schedulers that restart commands."""
    device: Device = "auto"
    """Where the network runs; auto uses CUDA if there is a device."""
    precision: Precision = "auto"
    """Number format of the convolutions; auto uses bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """Number of CPU threads of the network; 0 leaves the choice to PyTorch."""
    cuda_graphs: bool = True
    """By default steps are replayed as CUDA graphs on a GPU; --no-cuda-graphs launches each kernel separately."""
    checkpoint_interval: int = 10
    """Number of updates after which a checkpoint is written; the last update always writes one."""
    keep_checkpoints: int = 3
    """Number of checkpoints to keep; older ones are deleted."""
    held_out_interval: int = 1
    """Where --num-levels is not 0: number of updates after which the agent is scored on held-out levels (a rollout on
    all levels); 0 means never."""

    def __post_init__(self) -> None:
        batch = self.batch_size
        require(
            batch % self.ppo.num_minibatches == 0,
            "num_minibatches",
            self.ppo.num_minibatches,
            f"a divisor of the batch of num_envs × num_steps = {batch}",
        )
        require(
            self.num_codes == 0 or self.minibatch_size > 1,
            "num_minibatches",
            self.ppo.num_minibatches,
            f"few enough that a minibatch has at least 2 of the {batch} steps, since the FDR loss compares states",
        )
        require(
            self.timesteps >= batch,
            "timesteps",
            self.timesteps,
            f"at least one update of num_envs × num_steps = {batch} steps",
        )
        within(self, 0, 2**31 - 1, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
        at_least(self, 0, "held_out_interval")
        at_least(self, 1, "checkpoint_interval", "keep_checkpoints")
        require(self.timesteps <= MOST_STEPS, "timesteps", self.timesteps, f"a number of at most {MOST_STEPS}")

    def check_effects(self) -> None:
        """Raise UserError for settings that have no effect in combination with the others.

        Only command lines are checked this way, since a config may also describe a run that was trained elsewhere.
        """
        if self.algorithm == "ppo":
            reason = "--algorithm ppo has no semantic clustering module"
            without_effect(self.semantic, reason, *vars(self.semantic))
        if self.environment.num_levels == 0:
            reason = "all levels are played, so none is held out and none is the first"
            without_effect(self.environment, f"{reason}; --num-levels 1 is one level alone", "start_level")
            if self.held_out_interval:
                without_effect(self, reason, "held_out_interval")
        if self.device == "cpu":
            without_effect(self, "--device cpu has no CUDA graphs", "cuda_graphs")
        if self.resume:
            without_effect(self, "--resume continues the run already", "auto_resume")

    @property
    def batch_size(self) -> int:
        """Number of steps that one worker collects, and learns from, in an update."""
        return self.environment.num_envs * self.ppo.num_steps

    @property
    def minibatch_size(self) -> int:
        """Number of steps in one minibatch of one worker."""
        return self.batch_size // self.ppo.num_minibatches

    @property
    def num_codes(self) -> int:
        """Number of codes of the network; 0 without the semantic clustering module."""
        return self.semantic.num_codes if self.algorithm == "sppo" else 0

    def num_updates(self, num_workers: int = 1) -> int:
        """Return the number of updates of the whole run, to which all workers contribute steps."""
        return self.timesteps // (self.batch_size * num_workers)


MAY_CHANGE_ON_RESUME = frozenset(
    {
        "timesteps",
        "run_root",
        "resume",
        "auto_resume",
        "device",
        "precision",
        "num_threads",
        "cuda_graphs",
        "checkpoint_interval",
        "keep_checkpoints",
        "held_out_interval",
    }
)
"""Settings that may differ when a run is resumed: they do not affect learning, or only when it ends."""


@dataclass(frozen=True, kw_only=True)
class ImportOriginalConfig:
    """Convert a checkpoint that the paper's code wrote into a run folder, to evaluate and record its agent.

    No code in the file is executed.
    """

    file: Positional[Path]
    """Checkpoint of the original (a joblib file that maps variable names to arrays)."""
    out: Path
    """Run folder to create; it must not exist yet."""
    env: str
    """Procgen game that the agent was trained on, which the file does not say."""
    distribution_mode: str = EnvConfig.distribution_mode
    """Difficulty that the agent was trained on."""
    num_levels: int = EnvConfig.num_levels
    """Number of levels that the agent was trained on; 0 means all."""
    start_level: int = EnvConfig.start_level
    """Seed of the first of these levels."""
    seed: int = TrainConfig.seed
    """Seed of the original run; it is only noted in the run folder."""

    def __post_init__(self) -> None:
        EnvConfig(self.env, self.distribution_mode, self.num_levels, self.start_level)
        within(self, 0, 2**31 - 1, "seed")
