"""What a user types becomes an agent; our own acts as ever, and a user's function may return any kind."""

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import semantic_rl
from semantic_rl.agents.policy import open_policy
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.models.policy import sample_actions
from semantic_rl.training.checkpoint import load_policy, read_state
from semantic_rl.training.device import autocast, choose_precision

from .foreign_models import generator

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
FIRST = np.ones(5, np.bool_)


def test_our_own_agent_computes_what_its_policy_does_and_draws_in_the_same_way() -> None:
    agent: Any = semantic_rl.open_agent("sppo-coinrun")
    policy = load_policy("sppo-coinrun").place(torch.device("cpu"))
    with torch.no_grad(), autocast(torch.device("cpu"), choose_precision("auto", torch.device("cpu"))):
        output = policy(torch.from_numpy(FRAMES))
    actions, _ = sample_actions(output.logits, generator(7))
    step = agent.act(FRAMES, None, FIRST, generator(7), False)
    np.testing.assert_array_equal(step.action, actions.numpy())
    np.testing.assert_array_equal(step.features, output.features.numpy())
    np.testing.assert_array_equal(step.policy, output.logits.numpy())
    np.testing.assert_array_equal(step.value, output.value.numpy())
    placement = agent.placement()
    np.testing.assert_array_equal(placement.embedding, output.embedding.numpy())
    np.testing.assert_array_equal(placement.code_index, output.code_index.numpy())
    assert placement.code_distance.shape == (5, 8)
    np.testing.assert_array_equal(placement.code_distance.argmin(1), placement.code_index)
    greedy = agent.act(FRAMES, None, FIRST, generator(), True)
    np.testing.assert_array_equal(greedy.action, step.policy.argmax(1))


def test_our_own_agent_says_what_it_is() -> None:
    agent = open_policy("sppo-coinrun", device="cpu", precision="fp32")
    state = read_state("sppo-coinrun")
    assert agent.sha256 == state["files"]["policy.safetensors"]
    assert (agent.algorithm, agent.policy_kind, agent.num_features) == ("SPPO", "categorical", 256)
    assert agent.observation_space.shape == (64, 64, 3)
    assert agent.initial_state(3) is None
    with pytest.raises(UserError, match="layer: got 'trunk', expected 'features'"):
        open_policy("sppo-coinrun", layer="trunk")


def test_what_is_nothing_is_named() -> None:
    with pytest.raises(UserError, match=r"sppo-coinrum: no such file or folder.*Did you mean 'sppo-coinrun'\?"):
        semantic_rl.open_agent("sppo-coinrum")


AGENT_FILE = """
import torch
from neighbour import SIZE

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(4, SIZE)
        self.head = torch.nn.Linear(SIZE, 2)

    def forward(self, observation):
        return self.head(self.body(observation).tanh())

def make_net():
    torch.manual_seed(0)
    return Net()

def make_agent():
    import semantic_rl
    return semantic_rl.module_agent(make_net(), "body", "CartPole-v1")

def make_nothing():
    return 3

def make_trouble():
    raise KeyError("weights\\nare gone")

def make_model():
    from stable_baselines3 import PPO
    return PPO("MlpPolicy", "CartPole-v1", n_steps=4, batch_size=4, device="cpu")
"""


@pytest.fixture(scope="module")
def agent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python file with functions that make agents, beside a module that it imports."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "neighbour.py").write_text("SIZE = 6\n", encoding="utf-8")
    path = folder / "my_agent.py"
    path.write_text(textwrap.dedent(AGENT_FILE), encoding="utf-8")
    return path


def test_a_function_in_a_file_makes_an_agent_of_any_kind(agent_file: Path) -> None:
    by_function: Any = semantic_rl.open_agent(f"{agent_file}:make_agent")
    by_layer: Any = semantic_rl.open_agent(f"{agent_file}:make_net", "CartPole-v1", "body")
    observation = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    steps = [agent.act(observation, None, FIRST, generator(), True) for agent in (by_function, by_layer)]
    np.testing.assert_array_equal(steps[0].features, steps[1].features)
    assert by_function.sha256 == by_layer.sha256
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    assert semantic_rl.open_agent(f"{agent_file}:make_model").algorithm == "PPO"


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        (
            "make_net",
            {"env": "CartPole-v1"},
            r"returns a Net without the name of a layer; name one with --layer \(body, head\), or return",
        ),
        ("make_net", {"layer": "body"}, "a Net does not say what it plays; name the environment with --env"),
        ("make_nothing", {}, "returns a int without 'observation_space'; expected an Agent"),
        ("make_trouble", {}, r"line 26 raised KeyError: 'weights\\nare gone'"),
        ("make_agnet", {}, r"has no function 'make_agnet'. Did you mean 'make_agent'\?"),
        ("make_agent", {"layer": "head"}, "records 'body'; choose another layer in the file"),
    ],
)
def test_what_a_function_does_wrong_is_said(agent_file: Path, name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        semantic_rl.open_agent(f"{agent_file}:{name}", **settings)


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone.py: no such file; expected a Python file and a function in it"):
        semantic_rl.open_agent(f"{tmp_path}/gone.py:make_agent")
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\nimport no_such_module\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"line 2 raised ModuleNotFoundError: No module named 'no_such_module'"):
        semantic_rl.open_agent(f"{broken}:make_agent")
    broken.write_text("def (:\n", encoding="utf-8")
    with pytest.raises(UserError, match="SyntaxError"):
        semantic_rl.open_agent(f"{broken}:make_agent")


def test_the_command_lists_layers_with_their_sizes(agent_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["layers", f"{agent_file}:make_net", "--env", "CartPole-v1"])
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said[1:3]] == [["body", "6"], ["head", "2"]]
    main(["layers", f"{agent_file}:make_agent"])
    assert capsys.readouterr().out.splitlines()[1].endswith("Linear   recorded by default")
    main(["layers", "sppo-coinrun", "--json"])
    (layer,) = json.loads(capsys.readouterr().out)
    assert (layer["name"], layer["num_features"], layer["default"]) == ("features", 256, True)
