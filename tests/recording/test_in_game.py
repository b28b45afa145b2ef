"""Agents that are in memory, in Procgen's games."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.recording.store import open_recording

pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")

FEW: dict[str, Any] = {"num_envs": 2, "protocol": "explore", "explore_steps": 8, "frame_size": 64, "num_levels": 3}
NETWORK = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 3, 5))
        self.head = nn.Linear(5, 15)

    def forward(self, pictures):
        return self.head(self.body(pictures / 255))

def make_agent():
    return Network()
"""


def network_file(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NETWORK, encoding="utf-8")
    return path


def test_a_network_plays_a_game_in_python_as_on_the_command_line(tmp_path: Path) -> None:
    file = network_file(tmp_path)
    agent = semantic_rl.open_agent(f"{file}:make_agent", env="coinrun", layer="body")
    made = semantic_rl.record(agent, "coinrun", tmp_path / "python", **FEW)
    assert (made.spec.id, made.features().shape[1]) == ("coinrun", 5)
    assert set(made.table("level_seed")["level_seed"]) <= {0, 1, 2}
    few = "--num-envs 2 --protocol explore --explore-steps 8 --frame-size 64 --num-levels 3 --layer body"
    main(["record", f"{file}:make_agent", "--env", "coinrun", *few.split(), "--out", str(tmp_path / "command")])
    typed = open_recording(tmp_path / "command")
    assert made.states.equals(typed.states)
    np.testing.assert_array_equal(made.features(), typed.features())


def test_its_layers_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["layers", f"{network_file(tmp_path)}:make_agent", "--env", "ninja"])
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert names == ["body.0", "body.1", "body", "head"]


def test_a_module_is_wrapped_for_a_game_by_its_name() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 3, 15))
    agent = semantic_rl.module_agent(network, "0", "fruitbot", "categorical")
    assert agent.num_features == 64 * 64 * 3
    step = agent.act(np.zeros((2, 64, 64, 3), np.uint8), None, np.ones(2, bool), torch.Generator(), False)
    assert step.policy.shape == (2, 15)


def test_an_agent_of_this_package_keeps_its_clusters_and_plays_no_other_game(tmp_path: Path) -> None:
    agent = semantic_rl.open_agent("sppo-coinrun", device="cpu", precision="fp32")
    made = semantic_rl.record(agent, "coinrun", tmp_path / "python", **FEW)
    few = "--num-envs 2 --protocol explore --explore-steps 8 --frame-size 64 --num-levels 3 --device cpu"
    main(["record", "sppo-coinrun", *few.split(), "--precision", "fp32", "--out", str(tmp_path / "command")])
    typed = open_recording(tmp_path / "command")
    assert made.num_codes == typed.num_codes == 8
    assert made.states.equals(typed.states)
    assert made.description["agent"] == typed.description["agent"]
    with pytest.raises(UserError, match="got 'ninja', but sppo-coinrun plays 'coinrun'"):
        semantic_rl.record(agent, "ninja", tmp_path / "other", **FEW)
    with pytest.raises(UserError, match="wrap: got"):
        semantic_rl.record(agent, "coinrun", tmp_path / "other", wrap=("frame-stack=4",), **FEW)
    assert not (tmp_path / "other").exists()


def test_what_no_game_has_is_refused_in_python_too(tmp_path: Path) -> None:
    agent = semantic_rl.open_agent(f"{network_file(tmp_path)}:make_agent", env="coinrun", layer="body")
    with pytest.raises(UserError, match="which Procgen's games do not have"):
        semantic_rl.record(agent, "coinrun", tmp_path / "r", info=("level_complete",), **FEW)
    assert not (tmp_path / "r").exists()
