"""What an agent returns is checked before a recording begins: one sentence says what was expected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import semantic_rl
from semantic_rl.agents.protocol import FORBIDDEN_LOGIT, AgentStep
from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import UserError
from semantic_rl.recording.record.actor import Actor

FEW: dict[str, Any] = {"num_envs": 3, "frame_size": 0}


class Simple:
    """An agent that keeps a state and always pushes left, of which a test changes what it returns."""

    layer, num_features, sha256, algorithm = "x", 3, "0" * 64, "simple"
    observation_space: Any = gym.spaces.Box(-1.0, 1.0, (4,))
    action_space: Any = gym.spaces.Discrete(2)

    def __init__(self, kind: Any = "categorical", first: Any = None, **changes: Callable[[int], Any]) -> None:
        self.policy_kind = kind
        self._first = first or (lambda count: (np.zeros((count, 2), np.float32),))
        self._changes = changes

    def initial_state(self, num_envs: int) -> Any:
        return self._first(num_envs)

    def act(self, observation: Any, state: Any, starts: Any, generator: Any, deterministic: bool) -> Any:
        count = len(observation)
        step = AgentStep(
            np.zeros(count, np.int64),
            np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32),
            np.zeros((count, 2), np.float32),
            np.zeros(count, np.float32),
            state,
        )
        changed = {name: change(count) for name, change in self._changes.items()}
        return changed["step"] if "step" in changed else step._replace(**changed)


def zeros(*shape: int) -> Any:
    return lambda count: np.zeros((count, *shape), np.float32)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"action": zeros(1)}, r"actions of the shape \(2, 1\) for 2 states, expected \(2,\): the actions of CartPole-v1"),
    ({"action": zeros(3)}, r"actions of the shape \(2, 3\) .* give the environment that it was trained on"),
    ({"action": lambda count: np.zeros(1)}, r"actions of the shape \(1,\) for 2 states, expected \(2,\)"),
    ({"action": lambda count: np.full(count, np.nan)}, "the action nan in the first state, expected whole numbers"),
    ({"action": lambda count: np.full(count, 0.5)}, r"the action 0\.5 in the first state, expected whole numbers"),
    ({"action": lambda count: ["left"] * count}, "its action is a list of 2 parts, expected an array of NumPy"),
    ({"features": zeros()}, r"layer: 'x' gives the shape \(2,\) for 2 states, expected \(2, numbers of a state\)"),
    ({"features": lambda count: np.full((count, 3), np.inf)}, "layer: the output of 'x' is not finite"),
    ({"features": lambda count: np.zeros((1, 3))}, r"layer: 'x' gives the shape \(1, 3\) for 2 states"),
    ({"value": zeros(1)}, r"a value of the shape \(2, 1\) for 2 states, expected \(2,\)"),
    ({"value": lambda count: np.float32(0)}, r"a value of the shape \(\) for 2 states, expected \(2,\)"),
    ({"value": lambda count: np.full(count, np.nan)}, "a value that is not finite in the first state"),
    ({"policy": zeros(3)}, r"'categorical' of the shape \(2, 3\) for 2 states, expected \(2, 2\)"),
    ({"policy": zeros()}, r"'categorical' of the shape \(2,\) for 2 states, expected \(2, 2\)"),
    ({"policy": lambda count: np.full((count, 2), np.nan)}, "'categorical' that is not finite in the first state"),
    ({"policy": zeros(3), "kind": "q_values"}, r"'q_values' of the shape \(2, 3\) for 2 states, expected \(2, 2\)"),
    ({"policy": zeros(), "kind": "deterministic"}, r"expected \(2, numbers of a state\)"),
    (
        {"policy": lambda count: torch.zeros(count, 2, requires_grad=True)},
        r"its policy is a Tensor, expected an array of NumPy .* \.detach\(\)",
    ),
    ({"state": lambda count: None}, "the state after its act is a NoneType, and its initial_state was a tuple of 1 p"),
    ({"state": zeros(2)}, "the state after its act is a ndarray, and its initial_state was a tuple of 1 parts"),
    ({"state": lambda count: (np.zeros(2),)}, r"a part of float64 of the shape \(2,\) for 2 states, and its initial_s"),
    ({"state": lambda count: (np.zeros((1, 2)),)}, r"a part of float64 of the shape \(1, 2\) for 2 states"),
    ({"first": lambda count: (np.zeros((count, 2), np.int64),), "state": lambda count: (np.zeros((count, 2)),)},
     "has a part of float64 .* and its initial_state has int64"),
    ({"first": zeros(2)}, r"its initial_state returns a ndarray, expected a tuple of arrays \[2, …\], or None"),
    ({"first": lambda count: (np.zeros((1, 2)),)}, r"initial_state returns a part of the shape \(1, 2\) for 2 env"),
    ({"first": lambda count: (torch.zeros(count, 2, requires_grad=True),)}, "its initial_state is a Tensor, expected"),
    ({"first": lambda count: 1 / 0}, r"its initial_state\(2\) fails: division by zero"),
    ({"step": lambda count: None}, "its act returns a NoneType, expected an AgentStep with action, features, policy"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_an_agent_returns_in_another_shape_is_refused(changes: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said) as refusal:
        semantic_rl.record(Simple(**changes), "CartPole-v1", tmp_path / "r", 20, **FEW)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "r").exists()


def test_continuous_actions_and_their_policy_have_as_many_numbers_as_the_space(tmp_path: Path) -> None:
    continuous: dict[str, Any] = {"kind": "gaussian", "action": zeros(1), "policy": zeros(2)}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"policy": zeros(1)}, r"'gaussian' of the shape \(2, 1\) for 2 states, expected \(2, 2\)"),
        ({"kind": "categorical"}, "'categorical', which is for discrete actions, and those of Pendulum-v1 are contin"),
        ({"action": lambda count: np.full((count, 1), np.inf)}, r"the action \[inf\] in the first state, expected fin"),
    ]
    for changes, said in wrong:
        with pytest.raises(UserError, match=said):
            semantic_rl.record(Simple(**continuous | changes), "Pendulum-v1", tmp_path / "r", 20, **FEW)
    found = semantic_rl.record(Simple(**continuous), "Pendulum-v1", tmp_path / "r", 20, **FEW)
    assert found.policy_kind == "gaussian"


def test_lists_and_tensors_are_arrays_too(tmp_path: Path) -> None:
    agent = Simple(
        action=lambda count: [1] * count,
        features=lambda count: torch.ones(count, 3),
        policy=lambda count: torch.tensor([[0.0, 1.0]] * count),
        value=lambda count: [2.0] * count,
        first=lambda count: [torch.zeros(count, 2)],
        state=lambda count: [torch.ones(count, 2)],
    )
    found = semantic_rl.record(agent, "CartPole-v1", tmp_path / "r", 20, **FEW)
    assert (found.states["action"] == 1).all()
    assert (found.table("value")["value"] == 2).all()
    np.testing.assert_array_equal(found.features(), np.ones((found.num_states, 3)))


def test_an_agent_for_one_environment_alone_is_tried_in_one(tmp_path: Path) -> None:
    class One(Simple):
        def act(self, observation: Any, *others: Any) -> Any:
            assert len(observation) == 1
            return super().act(observation, *others)

    found = semantic_rl.record(One(), "CartPole-v1", tmp_path / "r", 20, num_envs=1, frame_size=0)  # type: ignore[arg-type]
    assert found.num_states >= 20


@pytest.mark.parametrize("kind", ["categorical", "multi_categorical"])
def test_logits_of_minus_infinity_forbid_an_action_and_are_recorded_as_finite_ones(kind: str) -> None:
    space = gym.spaces.Discrete(4) if kind == "categorical" else gym.spaces.MultiDiscrete([2, 2])
    logits = torch.tensor([0.0, -torch.inf, 0.0, -torch.inf])
    network = torch.nn.Sequential(torch.nn.Linear(4, 4))

    def act(observation: torch.Tensor) -> torch.Tensor:
        return network(observation) * 0 + logits

    spaces = Spaces(gym.spaces.Box(-1.0, 1.0, (4,)), space)
    actor = Actor(semantic_rl.module_agent(network, "0", spaces, act=act), 6, 0, False)
    columns = actor(np.zeros((6, 4), np.float32), np.arange(6), np.ones(6, np.bool_))
    name = "log_prob" if kind == "categorical" else "policy"
    assert np.isfinite(columns[name]).all()
    np.testing.assert_array_equal(columns[name][:, 1], np.full(6, FORBIDDEN_LOGIT, np.float32))
    assert set(columns["action"].ravel().tolist()) <= ({0, 2} if kind == "categorical" else {0})
