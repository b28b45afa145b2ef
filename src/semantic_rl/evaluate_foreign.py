"""Evaluates an agent that others trained, in any Gymnasium environment.

As in `evaluate`, each of several environments plays a fixed number of episodes. The seed of an episode depends only on
the seed of the evaluation and on the episode's number. A recording with the same seed begins its episodes alike.
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.config import EvaluateConfig, to_dict
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.envs.procgen.games import GAMES
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
from semantic_rl.evaluate import MAX_ENVS, EvaluationResult, as_episodes, play_quotas, quotas_of, summarize
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.record.actor import Actor
from semantic_rl.recording.record.in_game import open_in_game
from semantic_rl.recording.record.open_subject import open_foreign
from semantic_rl.recording.record.play import check_length, joined
from semantic_rl.recording.record.probe import probe_in
from semantic_rl.recording.record.seeds import seed_of_episode


def evaluate_foreign(config: EvaluateConfig, on_progress: OnProgress) -> EvaluationResult:
    """Play the agent as `config` says; `on_progress` is called with (finished, all) episodes.

    Raises UserError if there is no such agent or environment, or if they do not fit each other.
    """
    began = time.perf_counter()
    torch.set_num_threads(config.num_threads or 1)
    if config.env in GAMES:
        return _in_game(config, on_progress, began)
    agent, recipe = open_foreign(config)
    num_envs = min(MAX_ENVS, config.episodes)
    first = GymnasiumEnv(recipe)
    spec = first.spec
    envs = [first, *(GymnasiumEnv(recipe, False, spec) for _ in range(num_envs - 1))]
    try:
        probe_in(first, agent, spec, config.seed, num_envs)
        actor = Actor(agent, num_envs, config.seed, config.deterministic)
        finished = _play(actor, envs, config, on_progress)
    finally:
        for env in envs:
            env.close()
    algorithm = getattr(agent, "algorithm", "") or type(agent).__name__
    return summarize(as_episodes(finished), config.seed, str(config.agent), algorithm, spec, began)


def _in_game(config: EvaluateConfig, on_progress: OnProgress, began: float) -> EvaluationResult:
    """Play a Procgen game, whose levels follow from the seed of all environments together."""
    num_envs = min(MAX_ENVS, config.episodes)
    agent, environment, _ = open_in_game(config, num_envs)
    actor = Actor(agent, num_envs, config.seed, config.deterministic)
    games = ProcgenVectorEnv(environment, num_envs, config.seed)
    try:

        def choose(seen: Any, playing: NDArray[np.int64], starts: NDArray[np.bool_]) -> NDArray[Any]:
            return actor(seen, playing, starts)["action"]

        episodes = play_quotas(choose, games, quotas_of(config.episodes, num_envs), on_progress)
    finally:
        games.close()
    algorithm = getattr(agent, "algorithm", "") or type(agent).__name__
    spec = procgen_spec(to_dict(environment))
    return summarize(episodes, config.seed, str(config.agent), algorithm, spec, began)


def _play(
    actor: Actor, envs: list[GymnasiumEnv], config: EvaluateConfig, on_progress: OnProgress
) -> list[tuple[float, int, bool]]:
    """Play the episodes; those with the numbers i, i + N, i + 2 N, … in environment i of N."""
    count = len(envs)
    number, starts = np.arange(count), np.ones(count, np.bool_)
    returns, lengths = np.zeros(count), np.zeros(count, np.int64)
    finished: list[tuple[float, int, bool]] = []
    for slot, env in enumerate(envs):
        env.begin(seed_of_episode(config.seed, slot))
    while len(playing := np.flatnonzero(number < config.episodes)):
        seen: Any = joined([envs[slot].agent_observation() for slot in playing])
        masks = joined([envs[slot].action_masks() for slot in playing]) if envs[0].has_action_masks else None
        action = actor(seen, playing, starts[playing], masks)["action"]
        starts[playing] = False
        for slot, one in zip(playing.tolist(), action, strict=True):
            envs[slot].act(one[None])
            step = envs[slot].observe()
            returns[slot] += float(step.reward[0])
            lengths[slot] += 1
            check_length(int(lengths[slot]), envs[slot].spec)
            if not step.done[0]:
                continue
            finished.append((float(returns[slot]), int(lengths[slot]), bool(step.success[0])))
            on_progress(len(finished), config.episodes)
            number[slot] += count
            returns[slot], lengths[slot], starts[slot] = 0.0, 0, True
            if number[slot] < config.episodes:
                envs[slot].begin(seed_of_episode(config.seed, int(number[slot])))
    return finished
