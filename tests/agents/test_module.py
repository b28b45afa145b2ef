"""Any PyTorch module is an agent: in the style of CleanRL, recurrent, continuous; what does not fit is said."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import semantic_rl
from semantic_rl.agents.layers import list_layers
from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import UserError

from .foreign_models import generator

pytestmark = pytest.mark.usefixtures("one_thread")
PICTURES = Spaces(gym.spaces.Box(0, 255, (4, 36, 36), np.uint8), gym.spaces.Discrete(5))
NUMBERS = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
TORQUES = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
SWITCHES = gym.spaces.MultiDiscrete([3, 2])
FIRST = np.ones(6, np.bool_)


class AtariStyle(nn.Module):
    """A network as CleanRL's ppo_atari.py has it, smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(4, 8, 8, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(512, 16), nn.ReLU()
        )
        self.actor = nn.Linear(16, 5)
        self.critic = nn.Linear(16, 1)

    def get_action_and_value(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.network(x / 255.0)
        return torch.distributions.Categorical(logits=self.actor(hidden)).sample(), self.critic(hidden)


def pictures(count: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 36, 36), np.uint8)


def numbers(count: int) -> Any:
    return np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)


def atari_style(layer: str = "network.3") -> tuple[Any, AtariStyle]:
    torch.manual_seed(0)
    network = AtariStyle()

    def act(observation: Tensor) -> tuple[Tensor, Tensor]:
        hidden = network.network(observation / 255.0)
        return network.actor(hidden), network.critic(hidden)

    return semantic_rl.module_agent(network, layer, PICTURES, act=act), network


def test_features_logits_and_value_are_the_networks() -> None:
    agent, network = atari_style()
    observation = pictures(6)
    step = agent.act(observation, None, FIRST, generator(), True)
    with torch.no_grad():
        given = torch.from_numpy(observation).float() / 255.0
        features, hidden = network.network[:4](given), network.network(given)
        np.testing.assert_array_equal(step.features, features.numpy())
        np.testing.assert_array_equal(step.policy, network.actor(hidden).numpy())
        np.testing.assert_array_equal(step.value, network.critic(hidden)[:, 0].numpy())
    np.testing.assert_array_equal(step.action, step.policy.argmax(1))
    assert (agent.policy_kind, agent.layer, agent.num_features) == ("categorical", "network.3", 16)
    listed = [(layer.name, layer.num_features) for layer in list_layers(agent)]
    assert listed[0] == ("network.0", 512)
    assert ("network", 16) in listed


def test_a_layer_of_pictures_is_flattened() -> None:
    agent, _ = atari_style("network.1")
    step = agent.act(pictures(6), None, FIRST, generator(), True)
    assert agent.num_features == 512
    assert step.features.shape == (6, 512)


def test_what_draws_its_own_actions_does_so_by_the_generator_that_is_handed_in() -> None:
    network = AtariStyle()
    agent = semantic_rl.module_agent(
        network, "network", PICTURES, "unknown", act=lambda observation: network.get_action_and_value(observation)
    )
    before = torch.random.get_rng_state()
    steps = [agent.act(pictures(40), None, np.ones(40, np.bool_), generator(seed), False) for seed in (1, 1, 2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert steps[0].policy is None
    assert (steps[0].action == steps[1].action).all()
    assert (steps[0].action != steps[2].action).any()
    assert all(agent.action_space.contains(action) for action in steps[0].action)


class Recurrent(nn.Module):
    """A recurrent network that counts: its state grows by one at each step of an episode."""

    def __init__(self) -> None:
        super().__init__()
        self.count = nn.Identity()
        self.actor = nn.Linear(1, 5)

    def forward(self, observation: Tensor, state: Tensor, starts: Tensor) -> tuple[Tensor, None, Tensor]:
        after = self.count(state * (1.0 - starts.float())[:, None] + 1.0)
        return self.actor(after), None, after


def test_the_state_of_a_recurrent_module_is_carried() -> None:
    agent = semantic_rl.module_agent(
        Recurrent(), "count", Spaces(NUMBERS, gym.spaces.Discrete(5)), initial_state=lambda count: torch.zeros(count, 1)
    )
    state = agent.initial_state(3)
    for starts, wanted in (([1, 1, 1], [1, 1, 1]), ([0, 0, 0], [2, 2, 2]), ([0, 1, 0], [3, 1, 3])):
        step = agent.act(numbers(3), state, np.array(starts, np.bool_), generator(), False)
        state = step.state
        assert step.features[:, 0].tolist() == wanted
    rows = agent.act(numbers(1), (state[0][[2]],), np.zeros(1, np.bool_), generator(), False)
    assert rows.features.tolist() == [[4.0]]


@pytest.mark.parametrize(
    ("kind", "space", "num_columns"),
    [
        ("gaussian", TORQUES, 4), ("squashed_gaussian", TORQUES, 4), ("beta", TORQUES, 4),
        ("deterministic", TORQUES, 2),
        (None, SWITCHES, 5), (None, gym.spaces.MultiBinary(3), 6), ("q_values", gym.spaces.Discrete(4, start=2), 4),
        ("deterministic", gym.spaces.Discrete(4), 4),
    ],
)  # fmt: skip
def test_actions_of_every_kind_lie_in_their_space(kind: Any, space: gym.Space[Any], num_columns: int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, num_columns), nn.Softplus())
    agent = semantic_rl.module_agent(network, "0", Spaces(NUMBERS, space), kind)
    for deterministic in (True, False):
        step = agent.act(numbers(50), None, np.ones(50, np.bool_), generator(), deterministic)
        assert step.action.shape == (50, *(space.shape or ()))
        start = getattr(space, "start", 0)  # from which environments count, and recordings do not
        assert all(space.contains((action + start).astype(space.dtype)) for action in step.action)
        assert step.policy.shape == (50, num_columns)


def test_drawn_actions_follow_their_distribution() -> None:
    """Means and deviations of 20,000 draws of each kind, against those that the columns say."""
    count, many = 20_000, np.ones(20_000, np.bool_)
    wide = gym.spaces.Box(-100.0, 100.0, (1,), np.float32)
    unit = gym.spaces.Box(0.0, 1.0, (1,), np.float32)
    for kind, space, columns, mean, deviation in (
        ("gaussian", wide, [0.5, 0.0], 0.5, 1.0),
        ("beta", unit, [2.0, 3.0], 0.4, 0.2),
        ("categorical", gym.spaces.Discrete(3), [0.0, 0.0, np.log(2.0)], 1.25, np.sqrt(11 / 16)),
    ):
        network = nn.Linear(3, len(columns))
        with torch.no_grad():
            network.weight.zero_()
            network.bias.copy_(torch.tensor(columns))
        agent = semantic_rl.module_agent(nn.Sequential(network), "0", Spaces(NUMBERS, space), kind)
        drawn = agent.act(numbers(count), None, many, generator(), False).action
        assert abs(drawn.mean() - mean) < 0.03
        assert abs(drawn.std() - deviation) < 0.03


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"layer": "network.9"}, r"there is no 'network.9'. Did you mean 'network.\d'\?"),
        ({"layer": ""}, "layer: there is no ''"),
        ({"policy_kind": "gaussian"}, "'gaussian' is for continuous actions"),
        ({"act": lambda observation: observation.flatten(1)}, "is not used to choose actions"),
        ({"env": Spaces(PICTURES.observation, gym.spaces.Discrete(4))}, "returned 5 columns, expected 4"),
        ({"env": Spaces(PICTURES.observation, TORQUES)}, "policy_kind: actions Box.* need one"),
        ({"env": "NoSuch-v1"}, "NoSuch-v1"),
        ({"env": 3}, "env: got int, expected the id of a Gymnasium environment"),
        ({"network": 3}, "network: got int, expected a torch.nn.Module"),
    ],
)
def test_what_does_not_fit_is_named(settings: dict[str, Any], said: str) -> None:
    network = AtariStyle()
    chosen = {
        "network": network, "layer": "network", "env": PICTURES,
        "act": lambda observation: network.actor(network.network(observation / 255.0)), **settings,
    }  # fmt: skip
    with pytest.raises(UserError, match=said):
        semantic_rl.module_agent(**chosen)


def test_a_wrong_result_of_act_is_named() -> None:
    network = AtariStyle()
    for result, said in (("text", r"returned \(str\)"), ((1, 2, 3), r"returned \(int, int, int\)")):
        with pytest.raises(UserError, match=said):
            semantic_rl.module_agent(network, "network", PICTURES, act=lambda observation, result=result: result)


def test_a_layer_whose_output_is_a_tuple_is_refused_and_an_lstms_is_its_output() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    class WithBoth(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair, self.lstm, self.actor = Pair(), nn.LSTM(3, 7, batch_first=True), nn.Linear(7, 5)

        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(self.pair(x)[0][:, None])
            return self.actor(output[:, -1])

    network, spaces = WithBoth(), Spaces(NUMBERS, gym.spaces.Discrete(5))
    with pytest.raises(UserError, match="'pair' returns a tuple, expected a tensor"):
        semantic_rl.module_agent(network, "pair", spaces)
    agent = semantic_rl.module_agent(network, "lstm", spaces)
    assert agent.num_features == 7
    assert [layer.name for layer in list_layers(agent)] == ["lstm", "actor"]


@pytest.mark.parametrize("layer", ["0", "lstm"])
def test_a_layer_is_recorded_as_it_was_before_a_later_one_worked_in_place(layer: str) -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.relu, self.head = nn.LSTM(3, 8, batch_first=True), nn.ReLU(inplace=True), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.relu(self.lstm(x[:, None])[0])[:, 0])

    torch.manual_seed(0)
    network: Any = InPlace() if layer == "lstm" else nn.Sequential(nn.Linear(3, 8), nn.ReLU(inplace=True))
    act = network if layer == "lstm" else lambda x: network(x)[:, :2]
    agent = semantic_rl.module_agent(network, layer, Spaces(NUMBERS, gym.spaces.Discrete(2)), act=act)
    features = agent.act(numbers(6), None, FIRST, generator(), True).features
    with torch.no_grad():
        given = torch.from_numpy(numbers(6))
        expected = network.lstm(given[:, None])[0][:, 0] if layer == "lstm" else network[0](given)
    np.testing.assert_allclose(features, expected.numpy(), atol=1e-6)
    assert features.min() < 0


def test_an_initial_state_can_be_learned() -> None:
    class Learned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.cell, self.head = nn.Parameter(torch.ones(1, 8)), nn.GRUCell(3, 8), nn.Linear(8, 2)

    network = Learned()

    def act(observation: Tensor, state: Tensor, starts: Tensor) -> tuple[Tensor, None, Tensor]:
        state = network.cell(observation, torch.where(starts[:, None], network.first, state))
        return network.head(state), None, state

    spaces = Spaces(NUMBERS, gym.spaces.Discrete(2))
    agent = semantic_rl.module_agent(
        network, "cell", spaces, act=act, initial_state=lambda count: network.first.expand(count, -1)
    )
    (state,) = agent.initial_state(6)
    np.testing.assert_array_equal(state, np.ones((6, 8)))
    after = agent.act(numbers(6), (state,), FIRST, generator(), True)
    np.testing.assert_array_equal(after.state[0], after.features)
