"""Settings of the command that reproduces the paper's runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semantic_rl.config.checks import at_least, require, without_effect
from semantic_rl.config.markers import Suppress
from semantic_rl.config.training import Algorithm, EnvConfig, SemanticConfig, TrainConfig


@dataclass(frozen=True)
class EveryGameConfig(EnvConfig):
    """Levels and number of environments, the same for every game."""

    env: Suppress[str] = EnvConfig.env

    def __post_init__(self) -> None:
        """Check nothing yet, because the valid values depend on the game."""


@dataclass(frozen=True)
class EveryRunConfig(TrainConfig):
    """Settings that all runs share; `ReproduceConfig.runs` sets the others."""

    algorithm: Suppress[Algorithm] = TrainConfig.algorithm
    environment: EveryGameConfig = field(default_factory=EveryGameConfig)
    """Settings of the environments, the same for every game."""
    seed: Suppress[int] = TrainConfig.seed
    run_root: Suppress[Path] = TrainConfig.run_root
    resume: Suppress[bool] = TrainConfig.resume
    auto_resume: Suppress[bool] = TrainConfig.auto_resume


@dataclass(frozen=True)
class ReproduceConfig:
    """Train every game with every algorithm and seed, then compare scores and curves with the published ones.

    Finished runs are skipped: after an interruption, the same command continues from the last checkpoints.
    """

    games: tuple[str, ...] = ("coinrun", "fruitbot", "jumper", "ninja")
    """Procgen games to train on."""
    algorithms: tuple[Algorithm, ...] = ("sppo", "ppo")
    """sppo: PPO with the semantic clustering module; ppo: PPO without it."""
    seeds: tuple[int, ...] = (2020, 2021, 2022)
    """Seeds. Every game is trained with the first seed, then every game with the second, and so on."""
    out: Path = Path("runs/reproduction")
    """Folder for runs, logs and results. With --ray it must be on storage that all nodes see under this path."""
    jobs: int | None = None
    """Number of runs at the same time; by default one on this machine, and one for each slot with --ray."""
    cores_per_run: int | None = None
    """Number of CPU cores, and of network threads, of each run. By default, with --ray, the cores of a node are divided
    among its GPUs."""
    ray: str | None = None
    """Run on a Ray cluster: HOST:PORT of its head, 'auto' for the cluster that this machine belongs to, 'local' for a
    new one on this machine. Each GPU takes one run; without GPUs, each slot of --cores-per-run takes one."""
    training: EveryRunConfig = field(default_factory=EveryRunConfig)
    """Settings of every run, as for 'semantic-rl train'."""

    def __post_init__(self) -> None:
        for name in ("games", "algorithms", "seeds"):
            values = getattr(self, name)
            require(len(values) > 0, name, values, "at least one")
            twice = [value for value in values if values.count(value) > 1]
            require(not twice, name, twice[0] if twice else None, "it once; it is given twice")
        for name in ("jobs", "cores_per_run"):
            if getattr(self, name) is not None:
                at_least(self, 1, name)
        require(self.ray != "", "ray", self.ray, "HOST:PORT, auto or local")
        if "sppo" not in self.algorithms:
            reason = "--algorithms ppo has no semantic clustering module"
            without_effect(self.training.semantic, reason, *vars(self.training.semantic))
        for run in self.runs():
            run.check_effects()

    def runs(self) -> list[TrainConfig]:
        """Return the configuration of every run, in the order in which the runs start."""
        common: dict[str, Any] = vars(self.training)
        levels: dict[str, Any] = vars(self.training.environment)

        def config(game: str, algorithm: Algorithm, seed: int) -> TrainConfig:
            of_game: dict[str, Any] = {"env": game}
            environment = EnvConfig(**{**levels, **of_game})
            semantic = self.training.semantic if algorithm == "sppo" else SemanticConfig()
            own: dict[str, Any] = {
                "semantic": semantic,
                "algorithm": algorithm,
                "environment": environment,
                "seed": seed,
            }
            own |= {"run_root": self.out, "auto_resume": True}
            return TrainConfig(**{**common, **own})

        return [
            config(game, algorithm, seed) for seed in self.seeds for game in self.games for algorithm in self.algorithms
        ]
