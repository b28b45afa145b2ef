"""Settings of the reproduction of the paper's runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semantic_rl.config.checks import at_least, require, without_effect
from semantic_rl.config.markers import Suppress
from semantic_rl.config.training import Algorithm, EnvConfig, SemanticConfig, TrainConfig


@dataclass(frozen=True)
class EveryGameConfig(EnvConfig):
    """Which levels, how many environments: the same for every game."""

    env: Suppress[str] = EnvConfig.env

    def __post_init__(self) -> None:
        """Check nothing yet: what is right depends on the game."""


@dataclass(frozen=True)
class EveryRunConfig(TrainConfig):
    """What all runs have in common; `ReproduceConfig.runs` sets the rest."""

    algorithm: Suppress[Algorithm] = TrainConfig.algorithm
    environment: EveryGameConfig = field(default_factory=EveryGameConfig)
    """All games have these settings."""
    seed: Suppress[int] = TrainConfig.seed
    run_root: Suppress[Path] = TrainConfig.run_root
    resume: Suppress[bool] = TrainConfig.resume
    auto_resume: Suppress[bool] = TrainConfig.auto_resume


@dataclass(frozen=True)
class ReproduceConfig:
    """Train every game with every algorithm and seed, then set scores and curves beside the published ones.

    What is finished is skipped: after an interruption the same command goes on from the runs' last checkpoints.
    """

    games: tuple[str, ...] = ("coinrun", "fruitbot", "jumper", "ninja")
    """Procgen games."""
    algorithms: tuple[Algorithm, ...] = ("sppo", "ppo")
    """With the semantic clustering module (sppo), without it (ppo)."""
    seeds: tuple[int, ...] = (2020, 2021, 2022)
    """Seeds; all games are run with the first, then with the next."""
    out: Path = Path("runs/reproduction")
    """Folder for runs, logs and results. With --ray, on storage that all nodes see under this path."""
    jobs: int | None = None
    """Runs at once; without it one on this machine, and as many as there are slots with --ray."""
    cores_per_run: int | None = None
    """CPU cores of a run, and threads of its network. With --ray, without it: a node's cores, shared by its GPUs."""
    ray: str | None = None
    """Run over a Ray cluster: HOST:PORT of its head, auto for the one that this machine is part of, local for a new
    one on this machine. One run for each GPU or, without GPUs, for each slot of --cores-per-run."""
    training: EveryRunConfig = field(default_factory=EveryRunConfig)
    """Settings of every run, as semantic-rl train has them."""

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
        """Return the configuration of every run, in the order in which they are begun."""
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
