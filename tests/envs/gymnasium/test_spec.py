"""The spec of real environments says what they are."""

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.envs.gymnasium.spec import spec_of_made
from semantic_rl.envs.spec import EnvSpec, Scalar, read_env_spec
from semantic_rl.json_files import JsonObject

Case = tuple[str, dict[str, Scalar], tuple[str, ...]]
CASES: list[Case] = [
    ("CartPole-v1", {}, ()),
    ("LunarLander-v3", {}, ()),
    ("LunarLander-v3", {"continuous": True}, ()),
    ("BipedalWalker-v3", {}, ()),
    ("Pendulum-v1", {}, ()),
    ("FrozenLake-v1", {}, ()),
    ("Blackjack-v1", {}, ()),
    ("MiniGrid-DoorKey-5x5-v0", {}, ()),
    ("MiniGrid-DoorKey-5x5-v0", {}, ("image",)),
    ("ALE/Breakout-v5", {"frameskip": 1}, ("atari", "frame-stack=4")),
    ("Hopper-v5", {}, ()),
    ("ALE/Breakout-v5", {}, ()),
    ("LunarLander-v3", {}, ("frame-skip=2",)),
]


@pytest.fixture(scope="module")
def specs() -> dict[str, EnvSpec]:
    """Return the specs of all cases, each of which has played a step that fits its spec."""
    found: dict[str, EnvSpec] = {}
    for case in CASES:
        env, arguments, wrap = case
        made = GymnasiumEnv(open_recipe(env, arguments, wrap, None, None))
        made.begin(0)
        made.action_space.seed(0)
        made.act(np.array([made.action_space.sample()]))
        check_fits(made.spec, made.observe().observation)
        made.close()
        found[f"{env} {arguments} {wrap}"] = made.spec
    return found


def check_fits(spec: EnvSpec, observation: Any) -> None:
    arrays = observation if isinstance(observation, dict) else {"": observation}
    assert {part.name: (1, *part.shape) for part in spec.observation} == {
        key: array.shape for key, array in arrays.items()
    }
    assert all(arrays[part.name].dtype == part.dtype for part in spec.observation)


def find(specs: dict[str, EnvSpec], case: int) -> EnvSpec:
    env, arguments, wrap = CASES[case]
    return specs[f"{env} {arguments} {wrap}"]


def test_a_spec_describes_what_the_environment_returns_and_survives_json(specs: dict[str, EnvSpec]) -> None:
    for spec in specs.values():
        assert all(len(part.labels) in (0, *part.shape) for part in spec.observation)
        assert len(spec.action.names) == (spec.action.num_actions or spec.action.width)
        assert (
            read_env_spec(JsonObject(json.loads(json.dumps(spec.to_json())), Path("recording.json"), "record again."))
            == spec
        )


def test_well_known_environments_have_names_for_actions_and_numbers(specs: dict[str, EnvSpec]) -> None:
    lander = find(specs, 1)
    assert lander.action.names == ("no engine", "left engine", "main engine", "right engine")
    assert lander.action.signs == ("·", "←", "↑", "→")
    assert lander.observation[0].labels[0] == "x"
    assert find(specs, 2).action.names == ("main engine", "side engines")
    assert find(specs, 4).action.low == (-2.0,)
    assert find(specs, 9).action.names == ("nothing", "fire", "right", "left")
    hopper = find(specs, 10)
    assert hopper.action.names == ("thigh_joint", "leg_joint", "foot_joint")
    assert hopper.observation[0].labels[-1] == "foot_joint velocity"


def test_a_lander_of_the_documentation_uses_the_engines_as_named() -> None:
    import gymnasium

    text = gymnasium.make("LunarLander-v3").unwrapped.__doc__ or ""
    for number, says in enumerate(("do nothing", "fire left", "fire main", "fire right")):
        assert f"{number}: {says}" in text


def test_steps_a_second_count_the_frames_that_a_step_skips(specs: dict[str, EnvSpec]) -> None:
    assert find(specs, 1).steps_per_second == 50.0
    assert find(specs, 9).steps_per_second == 15.0
    assert find(specs, 11).steps_per_second == 15.0
    assert find(specs, 12).steps_per_second == 25.0


def test_texts_are_left_out_and_success_is_only_what_the_environment_says(specs: dict[str, EnvSpec]) -> None:
    grid = find(specs, 7)
    assert [part.name for part in grid.observation] == ["direction", "image"]
    assert grid.success is not None
    assert "reward" in grid.success
    assert find(specs, 0).success is None


class Named(gym.Env[Any, Any]):
    """Says of its actions, and of itself, whatever it is given."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Discrete(3)

    def __init__(self, meanings: Any, metadata: Any = None) -> None:
        self.meanings = meanings
        self.metadata = metadata

    def get_action_meanings(self) -> Any:
        if self.meanings is None:
            raise NotImplementedError
        return self.meanings


NUMBERED = ("action 0", "action 1", "action 2")


@pytest.mark.parametrize(
    ("meanings", "names"),
    [
        (["NOOP", "UP", "UPFIRE"], ("nothing", "up", "up fire")),
        ({0: "wait", 1: "go", 2: "stop"}, ("wait", "go", "stop")),
        ({"wait": 0, "go": 1, "stop": 2}, NUMBERED),
        ([0, 1, 2], NUMBERED),
        (3, NUMBERED),
        (None, NUMBERED),
    ],
)
def test_actions_are_named_as_the_environment_says_if_it_says_it_in_words(meanings: Any, names: Any) -> None:
    assert spec_of_made(Named(meanings)).action.names == names


@pytest.mark.parametrize("metadata", [None, {}, {"render_fps": float("nan")}, {"render_fps": 0}, {"render_fps": "x"}])
def test_an_environment_without_a_speed_is_shown_at_the_usual_one(metadata: Any) -> None:
    assert spec_of_made(Named(None, metadata)).steps_per_second == 15
