"""The agents that ship with the package: every command takes them by name, and they are what their cards say."""

import json
from pathlib import Path

import pytest
import torch

from semantic_rl.agents import find_agent, read_card, shipped_agents
from semantic_rl.artifacts import CARD_FILE
from semantic_rl.cli import main
from semantic_rl.config import EvaluateConfig
from semantic_rl.errors import UserError
from semantic_rl.training.checkpoint import find_checkpoint, load_checkpoint, load_policy, read_state

AGENTS = [agent.name for agent in shipped_agents()]


def test_there_is_an_agent_to_look_at() -> None:
    assert "sppo-coinrun" in AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_card_weights_and_curve_belong_together(name: str) -> None:
    agent = find_agent(name)
    state = read_state(agent.path)
    assert state["files"] == {"policy.safetensors": agent.card["policy_sha256"]}
    for setting in ("algorithm", "env", "distribution_mode", "num_levels", "start_level", "seed"):
        assert agent.card[setting] == state["config"][setting]
    assert agent.card["timesteps"] == state["timesteps"]
    assert load_policy(name).num_codes == agent.card["num_codes"]
    assert all(parameter.dtype == torch.float32 for parameter in load_policy(name).parameters())
    last_row = (agent.path / "progress.csv").read_text().splitlines()[-1]
    assert str(state["timesteps"]) in last_row.split(",")
    assert "run_root" not in state["config"]


@pytest.mark.parametrize("name", AGENTS)
def test_it_plays_as_its_card_says(name: str) -> None:
    pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")
    from semantic_rl.evaluate import evaluate

    scores = find_agent(name).card["scores"]
    result = evaluate(EvaluateConfig(Path(name), episodes=64, num_levels=0, seed=1, device="cpu", precision="fp32"))
    spread = (scores["std_return"] ** 2 * (1 / 64 + 1 / scores["episodes"])) ** 0.5
    assert abs(result.mean_return - scores["mean_return"]) < 4 * spread
    assert scores["episodes"] >= 500


def test_a_folder_of_the_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("sppo-coinrun") == find_agent("sppo-coinrun").path
    Path("sppo-coinrun").mkdir()
    with pytest.raises(UserError, match="holds no checkpoint"):
        find_checkpoint("sppo-coinrun")


def test_an_unknown_name_lists_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["evaluate", "sppo-coinrum"], ["agents", "sppo-coinrum"]):
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        assert leaving.value.code == 2
        said = capsys.readouterr().err
        assert "Did you mean 'sppo-coinrun'?" in said
        assert said.count("\n") == 1


def test_training_cannot_go_on_from_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="weights alone"):
        load_checkpoint("sppo-coinrun")


def test_the_command_lists_them_and_shows_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    main(["agents"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == AGENTS
    main(["agents", "sppo-coinrun"])
    shown = capsys.readouterr().out
    assert "semantic-rl train --algorithm sppo --env coinrun" in shown
    main(["agents", "sppo-coinrun", "--json"])
    assert json.loads(capsys.readouterr().out) == find_agent("sppo-coinrun").card
    main(["agents", "--json"])
    assert sorted(json.loads(capsys.readouterr().out)) == AGENTS


def test_foreign_and_newer_cards_are_refused(tmp_path: Path) -> None:
    for content, expected in (
        ("{", "cannot be read"),
        ('{"format": "something"}', "not an agent's card"),
        ('{"format": "semantic-rl agent", "version": 99}', "newer"),
    ):
        (tmp_path / CARD_FILE).write_text(content)
        with pytest.raises(UserError, match=expected):
            read_card(tmp_path)
