"""Settings of training and of reading the original's checkpoints.

Defaults are those of docs/method.md: Zhang, Lieffers, Pyarelal (NeurIPS 2025) on the PPO of OpenAI's train-procgen.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

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
from semantic_rl.config.markers import Positional
from semantic_rl.envs.procgen.games import check_mode, find_game

Algorithm = Literal["sppo", "ppo"]


@dataclass(frozen=True)
class EnvConfig:
    """Which game, which levels, how many environments."""

    env: str = "coinrun"
    """Procgen game."""
    distribution_mode: str = "easy"
    """Difficulty: easy or hard, in some games also extreme, memory or exploration."""
    num_levels: int = 0
    """Levels to play; 0 means all. Generalisation studies use 200 (easy) or 500 (hard)."""
    start_level: int = 0
    """Seed of the first level."""
    num_envs: int = 64
    """Environments of each worker."""
    env_groups: int = 0
    """Groups of environments: while one steps, the network acts for the next; 0 takes two on a GPU, one on a CPU."""

    def __post_init__(self) -> None:
        find_game(self.env)
        check_mode(self.env, self.distribution_mode)
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


@dataclass(frozen=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al., 2017) as train-procgen has it."""

    num_steps: int = 256
    """Steps of each environment in one rollout."""
    num_minibatches: int = 8
    """Minibatches an epoch."""
    num_epochs: int = 3
    """Passes over each rollout."""
    gamma: float = 0.999
    """Discount factor."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    clip_range: float = 0.2
    """Clipping of the probability ratio and of the value."""
    learning_rate: float = 5e-4
    """Adam's step size, constant."""
    adam_epsilon: float = 1e-5
    """Adam's ε, outside the bias correction as TensorFlow has it."""
    max_grad_norm: float = 0.5
    """Global norm to which the gradient is clipped."""
    entropy_coef: float = 0.01
    """Weight of the entropy bonus."""
    value_coef: float = 0.5
    """Weight of the value loss."""
    reward_discount: float = 0.99
    """Discount of the running return by whose deviation rewards are divided."""
    reward_clip: float = 10.0
    """Normalised rewards are clipped to plus and minus this."""

    def __post_init__(self) -> None:
        at_least(self, 1, "num_steps", "num_minibatches", "num_epochs")
        within(self, 0.0, 1.0, "gamma", "gae_lambda", "reward_discount")
        above_zero(self, "clip_range", "learning_rate", "adam_epsilon", "max_grad_norm", "reward_clip")
        at_least(self, 0.0, "entropy_coef", "value_coef")


@dataclass(frozen=True)
class SemanticConfig:
    """The semantic clustering module: feature dimensionality reduction (FDR) and vector quantisation (VQ)."""

    num_codes: int = 8
    """Codes of the codebook: the number of clusters."""
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
    """Updates between two settings of the control factor λ."""
    semantic_return_fraction: float = 0.8
    """Fraction of the game's maximum return at which λ reaches 1."""

    def __post_init__(self) -> None:
        within(self, 1, 256, "num_codes")
        above_zero(self, "feature_dof", "embedding_dof", "semantic_return_fraction")
        at_least(self, 0.0, "commitment_coef", "fdr_coef", "vq_coef")
        at_least(self, 1, "semantic_interval")


@dataclass(frozen=True)
class TrainConfig:
    """Train an agent, with the semantic clustering module (sppo) or without it (ppo)."""

    algorithm: Algorithm = "sppo"
    """sppo: PPO with the semantic clustering module; ppo: PPO alone."""
    environment: EnvConfig = field(default_factory=EnvConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    semantic: SemanticConfig = field(default_factory=SemanticConfig)
    timesteps: int = 25_000_000
    """Environment steps of the run, over all workers; rounded down to whole updates."""
    seed: int = 2021
    """Seed of the weights, the environments, the actions and the shuffling."""
    run_root: Path = Path("runs")
    """Folder in which the run folder is made."""
    resume: bool = False
    """Go on from the run folder's last checkpoint, exactly where it stopped."""
    auto_resume: bool = False
    """Go on if the run folder is there, begin if not: for commands that are started anew by themselves."""
    device: Device = "auto"
    """Where the network runs; auto takes CUDA where there is a device."""
    precision: Precision = "auto"
    """Arithmetic of the convolutions; auto takes bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """CPU threads of the network; 0 leaves PyTorch's choice."""
    cuda_graphs: bool = True
    """By default steps are replayed as CUDA graphs on a GPU; --no-cuda-graphs launches their kernels one by one."""
    checkpoint_interval: int = 10
    """Updates between two checkpoints; the last update always writes one."""
    keep_checkpoints: int = 3
    """Checkpoints kept; older ones are deleted."""
    held_out_interval: int = 1
    """Updates between two rollouts on held-out levels (all levels), where num_levels is not 0; 0 means never."""

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
            f"so few that a minibatch has at least 2 of the {batch} steps, since the FDR loss compares states",
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
        """Raise UserError for settings that would do nothing beside the others.

        Command lines are checked so; a config may also describe a run that was trained otherwise.
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
            without_effect(self, "--resume goes on already", "auto_resume")

    @property
    def batch_size(self) -> int:
        """Steps that one worker collects and learns from in an update."""
        return self.environment.num_envs * self.ppo.num_steps

    @property
    def minibatch_size(self) -> int:
        """Steps in one minibatch of one worker."""
        return self.batch_size // self.ppo.num_minibatches

    @property
    def num_codes(self) -> int:
        """Codes of the network; 0 without the semantic clustering module."""
        return self.semantic.num_codes if self.algorithm == "sppo" else 0

    def num_updates(self, num_workers: int = 1) -> int:
        """Updates of the whole run, all workers' steps counted."""
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
"""Settings that do not change what is learned, or only when it ends."""


@dataclass(frozen=True, kw_only=True)
class ImportOriginalConfig:
    """Make a run folder of a checkpoint written by the paper's code, to evaluate, record and draw its agent.

    Nothing that the file asks for is executed.
    """

    file: Positional[Path]
    """File of the original: joblib, variable name to array."""
    out: Path
    """Run folder to make; it must not exist yet."""
    env: str
    """Procgen game that the agent was trained on; the file does not say."""
    distribution_mode: str = EnvConfig.distribution_mode
    """Difficulty that the agent was trained on."""
    num_levels: int = EnvConfig.num_levels
    """Levels that the agent was trained on; 0 means all."""
    start_level: int = EnvConfig.start_level
    """Seed of the first of these levels."""
    seed: int = TrainConfig.seed
    """Seed of the original run, noted only."""

    def __post_init__(self) -> None:
        EnvConfig(self.env, self.distribution_mode, self.num_levels, self.start_level)
        within(self, 0, 2**31 - 1, "seed")
