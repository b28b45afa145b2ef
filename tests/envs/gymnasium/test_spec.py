"""The spec of real environments says what they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
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
