"""One worker's policy, learner, environments and counters, with snapshot and restore between updates."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig, TrainConfig
from semantic_rl.envs.base import VectorEnv
from semantic_rl.envs.factory import make_env_groups, num_groups_on_gpu
from semantic_rl.envs.normalize import RewardNormalizer
from semantic_rl.envs.procgen.games import find_game
from semantic_rl.errors import TrainingDiverged
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.progress_bar import OnProgress
from semantic_rl.training.actors import RolloutBuffer
from semantic_rl.training.batch import Batch
from semantic_rl.training.checkpoint import Checkpoint, WorkerState, pack_bytes, unpack_bytes
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution
from semantic_rl.training.learner import Learner
from semantic_rl.training.resume_checks import settings_of
from semantic_rl.training.rollout import Player, Rollout
from semantic_rl.training.schedule import semantic_weight
from semantic_rl.training.statistics import UpdateStatistics
from semantic_rl.training.versions import versions

_ENVIRONMENTS, _HELD_OUT, _ACTIONS, _HELD_OUT_ACTIONS = range(4)
"""Numbers of the random streams that are derived from a seed."""


def _generator(*entropy: int) -> torch.Generator:
    """Return a CPU generator, so that random numbers do not depend on the device."""
    seed = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator().manual_seed(seed)


def _pinned(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an array that a GPU copies from directly."""
    array: NDArray[np.uint8] = torch.zeros(shape, dtype=torch.uint8, pin_memory=True).numpy()
    return array


class Session:
    """The policy, learner, environments and counters of one worker."""

    def __init__(self, config: TrainConfig, device: torch.device, precision: str, workers: Workers) -> None:
        self._config = config
        self._device = device
        self._precision = precision
        self._workers = workers
        self.num_updates = 0
        self.time_elapsed = 0.0
        self.semantic_weight = 0.0
        self.semantic_updates: int | None = 0
        """Number of updates with λ above 0; None if the run began with a version that did not count them."""
        self._mean_return = float("nan")
        self._began = time.perf_counter()
        self._packed: tuple[torch.Tensor, list[int]] | None = None
        self._versions = versions()  # milliseconds each time, and they cannot change

        seeds = (config.seed, workers.rank)
        torch.manual_seed(config.seed)  # for the weights: the same on every worker
        on_gpu = device.type == "cuda"
        self.execution = Execution.PLAIN
        if on_gpu:
            self.execution = Execution.GRAPHS if config.cuda_graphs else Execution.STATIC
        self.policy = SemanticPolicy(num_codes=config.num_codes, keep_activations=on_gpu).place(device)
        workers.share_weights(self.policy)
        generator = _generator(*seeds, _ACTIONS)
        self._learner = Learner(self.policy, config.ppo, config.semantic, precision, generator, workers, self.execution)
        groups = self._make_groups(config.environment, (*seeds, _ENVIRONMENTS))
        self._player = Player(groups, generator, device, self.execution)
        self._held_out = self._make_held_out(seeds) if workers.is_first else None
        shape = groups[0].observation_shape
        self._buffer = RolloutBuffer(config.ppo.num_steps, config.environment.num_envs, shape, device)
        self._normalize = RewardNormalizer(
            config.environment.num_envs, config.ppo.reward_discount, config.ppo.reward_clip
        )
        self._maximum_return = find_game(config.environment.env).easy.maximum

    def _make_groups(self, environment: EnvConfig, seeds: tuple[int, ...]) -> list[VectorEnv]:
        """Make the groups; on a CPU one group is best, since network and environments need the same cores."""
        default = 1 if self._device.type == "cpu" else num_groups_on_gpu(environment.num_envs)
        num_groups = environment.env_groups or default
        return make_env_groups(environment, seeds, num_groups, _pinned if self._device.type == "cuda" else None)

    def _make_held_out(self, seeds: tuple[int, int]) -> Player | None:
        """Make the player of held-out levels, with its own random streams; None if the agent trains on all levels."""
        own = self._config.environment
        if not own.num_levels or not self._config.held_out_interval:
            return None
        everything = replace(own, num_levels=0, start_level=0)
        groups = self._make_groups(everything, (*seeds, _HELD_OUT))
        return Player(groups, _generator(*seeds, _HELD_OUT_ACTIONS), self._device, self.execution)

    @property
    def num_timesteps(self) -> int:
        """Return the environment steps so far, over all workers."""
        return self.num_updates * self._config.batch_size * self._workers.size

    @property
    def num_envs_of_a_step(self) -> int:
        """Return how many environments the network acts for at once: those of one group."""
        return self._player.num_envs_of_a_group

    def collect(self, on_progress: OnProgress) -> Rollout:
        """Play one rollout; its rewards are normalised."""
        self._began = time.perf_counter()
        self._packed = None
        self.semantic_weight = semantic_weight(
            self.num_updates + 1, self.semantic_weight, self._mean_return, self._maximum_return, self._config.semantic
        )
        rollout = self._player.play(self._learner.network, self._config.ppo.num_steps, self._buffer, on_progress)
        return rollout._replace(reward=self._normalize(rollout.reward, rollout.done))

    def update(self, batch: Batch, on_progress: OnProgress) -> UpdateStatistics:
        """Learn from the batch; raises TrainingDiverged naming the term that is not finite."""
        statistics = self._learner.update(batch, self.semantic_weight, on_progress, self._pack_environments)
        term = statistics.first_not_finite()
        if self._workers.any(term is not None):
            what = f"{term} is {statistics.suspect[term]}" if term else "a loss of another worker is not finite"
            raise TrainingDiverged(f"update {self.num_updates + 1}: {what}; training stops.")
        return statistics

    def finish_update(self, statistics: UpdateStatistics, variance_explained: float) -> dict[str, Any]:
        """Count the update and return its row for the logs."""
        self.num_updates += 1
        if self.semantic_weight > 0:
            self.semantic_updates = (self.semantic_updates or 0) + 1
        seconds = time.perf_counter() - self._began
        self.time_elapsed += seconds
        episodes = self._player.monitor.statistics()
        losses = statistics.losses
        row = {
            **self._episode_columns(self._player, seconds),
            "loss/approxkl": losses["approx_kl"],
            "loss/clipfrac": losses["clip_fraction"],
            "loss/loss": losses["loss"],
            "loss/policy_entropy": losses["policy_entropy"],
            "loss/policy_loss": losses["policy_loss"],
            "loss/value_loss": losses["value_loss"],
            "loss/grad_norm": losses["grad_norm"],
            "misc/explained_variance": variance_explained,
            "episodes/finished": episodes.num_finished,
            "episodes/success_rate": episodes.success_rate,
        }
        if self.policy.semantic is not None:
            row |= {
                "loss/skill_loss": losses["fdr_loss"],
                "loss/vq_loss": losses["vq_loss"],
                "semantic/weight": self.semantic_weight,
                "semantic/codes_in_use": statistics.codes_in_use,
                "semantic/perplexity": statistics.perplexity,
            }
        self._mean_return = self._mean_over_workers(episodes.mean_return)
        return row

    def _mean_over_workers(self, value: float) -> float:
        """Return the mean over the workers whose value is not NaN (NaN: no episode has ended yet)."""
        known = 0.0 if np.isnan(value) else 1.0
        total, count = self._workers.sums(value if known else 0.0, known)
        return total / count if count else float("nan")

    def _episode_columns(self, player: Player, seconds: float) -> dict[str, Any]:
        episodes = player.monitor.statistics()
        per_worker = self._config.batch_size
        return {
            "eplenmean": episodes.mean_length,
            "eprewmean": episodes.mean_return,
            "fps": per_worker * self._workers.size / seconds,
            "misc/nupdates": self.num_updates,
            "misc/serial_timesteps": self.num_updates * self._config.ppo.num_steps,
            "misc/time_elapsed": self.time_elapsed,
            "misc/total_timesteps": self.num_timesteps,
        }

    def play_held_out(self, on_progress: OnProgress) -> dict[str, Any] | None:
        """Play held-out levels for the length of a rollout if they are due; return their row for the logs."""
        if self._held_out is None or self.num_updates % self._config.held_out_interval:
            return None
        began = time.perf_counter()
        self._held_out.play_for_statistics(self._learner.network, self._config.ppo.num_steps, on_progress)
        return self._episode_columns(self._held_out, time.perf_counter() - began)

    def _pack_environments(self) -> None:
        """Copy the environments' states while a GPU learns; they do not change until the next rollout."""
        self._packed = pack_bytes(self._player.state()[0])

    def snapshot(self) -> Checkpoint:
        """Return a copy of the complete training state."""
        if self._packed is None:
            self._pack_environments()
        assert self._packed is not None
        tensors: dict[str, torch.Tensor] = {}
        values: dict[str, Any] = {"normalizer": self._normalize.state()}
        tensors["environments"], lengths = self._packed
        tensors["environments_generator"] = self._player.generator.get_state()
        values["environments"] = {"lengths": lengths, "monitor": self._player.monitor.state()}
        if self._held_out is not None:
            environments, monitor = self._held_out.state()
            tensors["held_out"], lengths = pack_bytes(environments)
            tensors["held_out_generator"] = self._held_out.generator.get_state()
            values["held_out"] = {"lengths": lengths, "monitor": monitor}
        return Checkpoint(
            policy=self._learner.optimizer.weights_by_name(),
            optimizer=self._learner.optimizer.state(),
            worker=WorkerState(tensors, values),
            state={
                "update": self.num_updates,
                "timesteps": self.num_timesteps,
                "num_workers": self._workers.size,
                "semantic_weight": self.semantic_weight,
                "semantic_updates": self.semantic_updates,
                "mean_return": None if np.isnan(self._mean_return) else self._mean_return,
                "time_elapsed": self.time_elapsed,
                "num_threads": torch.get_num_threads(),
                "device": self._device.type,
                "precision": self._precision,
                "config": settings_of(self._config),
                "versions": dict(self._versions),
            },
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore what `snapshot` returned."""
        assert checkpoint.optimizer is not None
        assert checkpoint.worker is not None
        self.policy.load_state_dict(checkpoint.policy)
        self._learner.restore(checkpoint.optimizer)
        self._packed = None
        state, (tensors, values) = checkpoint.state, checkpoint.worker
        self.num_updates = state["update"]
        self.semantic_weight = state["semantic_weight"]
        self.semantic_updates = state.get("semantic_updates")
        self._mean_return = float("nan") if state["mean_return"] is None else state["mean_return"]
        self.time_elapsed = state["time_elapsed"]
        self._normalize.restore(values["normalizer"])
        for name, player in (("environments", self._player), ("held_out", self._held_out)):
            if player is not None and name in values:
                environments = unpack_bytes(tensors[name], values[name]["lengths"])
                player.restore(environments, values[name]["monitor"])
                player.generator.set_state(tensors[f"{name}_generator"])

    def close(self) -> None:
        """Free the environments."""
        self._player.close()
        if self._held_out is not None:
            self._held_out.close()
