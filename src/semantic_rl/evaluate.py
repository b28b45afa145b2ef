"""Evaluates a trained agent: plays whole episodes and reports scores with confidence intervals.

Actions are sampled, as in training, unless the most likely ones are asked for. Each environment plays a fixed number of
episodes. Taking the first episodes that end in any environment would favour short ones: while one environment plays a
long episode, others finish several short ones. Since an episode's length is related to its success, that would bias the
mean.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.analysis.return_ranges import normalize
from semantic_rl.config import EvaluateConfig, to_dict
from semantic_rl.config.game_to_play import game_to_play
from semantic_rl.config.intervals import QUANTILES
from semantic_rl.envs.base import VectorEnv
from semantic_rl.envs.procgen.games import DO_NOTHING
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.models.policy import SemanticPolicy, sample_actions
from semantic_rl.progress_bar import OnProgress
from semantic_rl.training.checkpoint import find_checkpoint, load_policy, read_state
from semantic_rl.training.device import autocast, choose_device, choose_precision

MAX_ENVS = 64
ONE_EPISODE = "one episode says nothing of how others differ"
NUM_RESAMPLES = 2000
"""Number of bootstrap samples for the interval."""


class Episodes(NamedTuple):
    """Finished episodes [E], grouped by environment and in time order."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.bool_]


@dataclass(frozen=True)
class EvaluationResult:
    """The scores of an agent; returns are raw."""

    agent: str
    """The checkpoint's path."""
    algorithm: str
    env: str
    distribution_mode: str | None
    """Difficulty of a Procgen game; it and the levels are None for other environments."""
    num_levels: int | None
    start_level: int | None
    seed: int
    episodes: int
    mean_return: float
    std_return: float | None
    """Sample standard deviation over episodes; None for a single one."""
    standard_error: float | None
    """Standard error of the mean."""
    confidence_interval: tuple[float, float]
    """95% interval of the mean, by bootstrap over episodes."""
    normalized_mean: float | None
    """Normalised mean: 0 for a trivial and 1 for a perfect policy; None in modes without a published return range."""
    mean_length: float
    """Mean number of steps of an episode."""
    success_rate: float | None
    """Share of episodes that reached the level's goal; None where nothing counts as success."""
    steps: int
    """Total number of steps of all episodes."""
    seconds: float

    def table(self) -> str:
        """Return the result as readable text."""
        low, high = self.confidence_interval
        levels = f"{self.num_levels} levels from {self.start_level}" if self.num_levels else "all levels"
        interval = f"95% interval {low:.3f} to {high:.3f} (bootstrap over episodes)"
        is_game = self.distribution_mode is not None
        mode = f"{self.env} in the mode {self.distribution_mode}" if is_game else self.env
        no_range = f"no least and greatest return of {mode} is known"
        no_success = f"{self.env} does not say what success is"
        rows = [
            ("agent", f"{self.agent} ({self.algorithm})"),
            ("game", f"{self.env}, {self.distribution_mode}, {levels}") if is_game else ("environment", self.env),
            ("episodes", f"{self.episodes} ({self.steps:,} steps, {self.seconds:.1f} s)"),
            ("mean return", f"{self.mean_return:.3f}   {interval if self.std_return is not None else ONE_EPISODE}"),
            ("deviation", f"–   {ONE_EPISODE}" if self.std_return is None else f"{self.std_return:.3f}"),
            ("standard error", f"–   {ONE_EPISODE}" if self.standard_error is None else f"{self.standard_error:.3f}"),
            ("normalised mean", f"–   {no_range}" if self.normalized_mean is None else f"{self.normalized_mean:.3f}"),
            ("success rate", f"–   {no_success}" if self.success_rate is None else f"{self.success_rate:.1%}"),
            ("mean length", f"{self.mean_length:.1f} steps"),
        ]
        return "\n".join(f"{name:<16} {value}" for name, value in rows)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)


def evaluate(config: EvaluateConfig, on_progress: OnProgress | None = None) -> EvaluationResult:
    """Play the agent as `config` says; `on_progress` is called with (finished, all) episodes.

    Raises UserError if there is no agent, or if its game cannot be played with these settings.
    """
    began = time.perf_counter()
    folder = find_checkpoint(config.agent)
    settings = read_state(folder)["config"]
    num_envs = min(MAX_ENVS, config.episodes)
    environment = game_to_play(settings, config, num_envs)
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    policy = load_policy(folder).place(device)
    quotas = quotas_of(config.episodes, num_envs)
    env_seed, action_seed = (int(seed) for seed in np.random.SeedSequence(config.seed).generate_state(2) % 2**31)
    generator = torch.Generator(device).manual_seed(action_seed)
    games = ProcgenVectorEnv(environment, num_envs, env_seed)
    try:
        with autocast(device, precision):
            choose = chosen_by(policy, generator, config.deterministic)
            episodes = play_quotas(choose, games, quotas, on_progress)
    finally:
        games.close()
    spec = procgen_spec(to_dict(environment))
    return summarize(episodes, config.seed, str(folder), settings["algorithm"], spec, began)


Choose = Callable[[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]], NDArray[Any]]
"""Maps observations [B, 64, 64, 3] of the environments [B] that still play, and whether an episode begins there [B], to
actions [B]."""


def quotas_of(num_episodes: int, num_envs: int) -> list[int]:
    """Return how many episodes each environment plays."""
    return [num_episodes // num_envs + (index < num_episodes % num_envs) for index in range(num_envs)]


def chosen_by(policy: SemanticPolicy, generator: torch.Generator, deterministic: bool) -> Choose:
    """Return a function that samples actions of a policy, or with `deterministic` takes the most likely ones."""

    @torch.no_grad()
    def choose(observation: NDArray[np.uint8], playing: NDArray[np.int64], starts: NDArray[np.bool_]) -> NDArray[Any]:
        logits = policy(torch.from_numpy(observation).to(generator.device)).logits
        return (logits.argmax(1) if deterministic else sample_actions(logits, generator)[0]).cpu().numpy()

    return choose


def play_quotas(choose: Choose, games: VectorEnv, quotas: list[int], on_progress: OnProgress | None = None) -> Episodes:
    """Play `quotas[i]` episodes in environment i; environments that have finished wait."""
    finished: list[list[tuple[float, int, bool]]] = [[] for _ in quotas]
    returns, lengths = np.zeros(len(quotas)), np.zeros(len(quotas), np.int64)
    playing, starts = np.arange(len(quotas)), np.ones(len(quotas), np.bool_)
    actions = np.full(len(quotas), DO_NOTHING, np.int32)
    observation = games.observe().observation
    while len(playing):
        actions[:] = DO_NOTHING
        actions[playing] = choose(observation[playing], playing, starts[playing])
        games.act(actions)
        step = games.observe()
        observation, starts = step.observation, step.done
        returns += step.reward
        lengths += 1
        ended = playing[step.done[playing]]
        for index in ended:
            finished[index].append((float(returns[index]), int(lengths[index]), bool(step.success[index])))
        if len(ended):
            returns[ended], lengths[ended] = 0.0, 0
            playing = np.array([index for index in playing if len(finished[index]) < quotas[index]], np.int64)
            if on_progress is not None:
                on_progress(sum(map(len, finished)), sum(quotas))
    return as_episodes([episode for episodes in finished for episode in episodes])


def as_episodes(finished: list[tuple[float, int, bool]]) -> Episodes:
    """Return finished episodes, each (return, length, success)."""
    columns = zip(*finished, strict=True)
    return Episodes(*(np.array(column, kind) for column, kind in zip(columns, ("f8", "i8", "?"), strict=True)))


def summarize(
    episodes: Episodes, seed: int, agent: str, algorithm: str, spec: EnvSpec, began: float
) -> EvaluationResult:
    """Compute the result from the episodes played since `began`, a time of `time.perf_counter`."""
    returns = episodes.returns
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else None
    scale, arguments = spec.return_range, spec.arguments
    mode, levels, start = (arguments.get(name) for name in ("distribution_mode", "num_levels", "start_level"))
    mean = float(returns.mean())
    return EvaluationResult(
        agent=agent,
        algorithm=algorithm,
        env=spec.id,
        distribution_mode=mode if isinstance(mode, str) else None,
        num_levels=levels if isinstance(levels, int) else None,
        start_level=start if isinstance(start, int) else None,
        seed=seed,
        episodes=len(returns),
        mean_return=mean,
        std_return=deviation,
        standard_error=None if deviation is None else deviation / math.sqrt(len(returns)),
        confidence_interval=bootstrap_interval(returns, seed),
        normalized_mean=None if scale is None else normalize(mean, scale),
        mean_length=float(episodes.lengths.mean()),
        success_rate=None if spec.success is None else float(episodes.successes.mean()),
        steps=int(episodes.lengths.sum()),
        seconds=time.perf_counter() - began,
    )


def bootstrap_interval(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the 95% percentile interval of the mean of values [E], by resampling with replacement."""
    generator = np.random.default_rng(seed)
    means = [generator.choice(values, len(values)).mean() for _ in range(NUM_RESAMPLES)]
    low, high = np.quantile(means, QUANTILES)
    return float(low), float(high)
