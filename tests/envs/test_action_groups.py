"""Actions that are said to do the same do: the next pictures and rewards are equal, whatever the state is."""

import numpy as np
import pytest

from semantic_rl.config import EnvConfig
from semantic_rl.envs.procgen.games import ACTION_NAMES, DO_NOTHING, GAMES, NUM_ACTIONS, action_groups
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv

pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")

STATES, STEPS_AFTER = 25, 4


@pytest.mark.parametrize("game", ["coinrun", "fruitbot", "jumper", "maze", "ninja", "starpilot"])
def test_actions_of_a_group_do_the_same(game: str) -> None:
    env = ProcgenVectorEnv(EnvConfig(env=game, distribution_mode="easy"), NUM_ACTIONS, seed=2)
    rng = np.random.default_rng(0)
    env.observe()
    groups = np.array(action_groups(game))
    told_apart = 0
    for index in range(STATES):
        for _ in range(rng.integers(3, 12)):
            env.act(rng.integers(0, NUM_ACTIONS, NUM_ACTIONS))
            env.observe()
        env.restore([env.state()[index % NUM_ACTIONS]] * NUM_ACTIONS)
        env.act(np.arange(NUM_ACTIONS))
        for _ in range(STEPS_AFTER):
            step = env.observe()
            seen = np.array([hash((step.observation[n].tobytes(), float(step.reward[n]))) for n in range(NUM_ACTIONS)])
            for group in np.unique(groups):
                assert len(np.unique(seen[groups == group])) == 1
            told_apart = max(told_apart, len(np.unique(seen)))
            env.act(np.full(NUM_ACTIONS, DO_NOTHING))
        env.observe()
    env.close()
    assert told_apart >= 3, "other actions do something else"


def test_every_game_says_which_actions_do_the_same() -> None:
    for game in GAMES:
        groups = action_groups(game)
        assert len(groups) == NUM_ACTIONS
        assert set(groups) <= set(ACTION_NAMES)
        assert groups[DO_NOTHING] == "none"
        assert procgen_spec({"env": game, "distribution_mode": "easy"}).action.groups == groups
    assert action_groups("pong") == ()
