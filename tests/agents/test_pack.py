"""Packing an agent: what it computes stays the same, what belongs to the training machine is left out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_runs import STEPS_OF_UPDATE, small_config

from semantic_rl.agents import ShippedAgent, read_card
from semantic_rl.agents.pack import pack
from semantic_rl.cli import main
from semantic_rl.config import PackConfig, SemanticConfig
from semantic_rl.errors import UserError
from semantic_rl.training.checkpoint import load_policy, read_state
from semantic_rl.training.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(replace(small_config(tmp_path_factory.mktemp("run"), 1), semantic=SemanticConfig(num_codes=5)))


@pytest.fixture(scope="module")
def packed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "mine"
    return pack(PackConfig(agent=run, out=out, episodes=2, seed=3, note="A first try."))


def test_it_is_small_and_names_no_place_of_the_machine(run: Path, packed: Path) -> None:
    assert sum(file.stat().st_size for file in packed.iterdir()) < 1_600_000
    for file in packed.glob("*.json"):
        assert str(run.parent) not in file.read_text()
    assert (packed / "progress.csv").read_bytes() == (run / "progress.csv").read_bytes()
    assert {path.stat().st_mode & 0o777 for path in packed.iterdir()} == {packed.stat().st_mode & 0o666}


def test_what_it_computes_is_what_the_run_computes_but_for_rounding(run: Path, packed: Path) -> None:
    observation = torch.randint(0, 256, (64, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        before, after = load_policy(run)(observation), load_policy(packed)(observation)
    torch.testing.assert_close(after.logits, before.logits, rtol=0, atol=2e-3)
    torch.testing.assert_close(after.embedding, before.embedding, rtol=0, atol=2e-3)
    assert (after.code_index == before.code_index).float().mean() > 0.95
    weights, packed_weights = load_policy(run).state_dict(), load_policy(packed).state_dict()
    for name, value in weights.items():
        if not name.startswith("trunk."):
            torch.testing.assert_close(packed_weights[name], value, rtol=0, atol=0)


def test_the_card_says_what_it_is(run: Path, packed: Path) -> None:
    card = read_card(packed)
    config = read_state(run)["config"]
    assert card["name"] == "mine"
    assert card["note"] == "A first try."
    assert card["num_codes"] == 5
    assert card["scores"]["episodes"] == 2
    assert card["scores"]["seed"] == 3
    assert f"--num-envs {config['num_envs']}" in card["reproduce"]
    assert "--num-codes 5" in card["reproduce"]
    assert "--run-root" not in card["reproduce"]
    agent = ShippedAgent("mine", packed, card)
    assert "A first try." in agent.table()
    assert "2 episodes" in agent.line()


def test_a_checkpoint_in_mid_run_is_trained_again_to_its_own_step(tmp_path: Path) -> None:
    run = train(small_config(tmp_path, 2, checkpoint_interval=1))
    out = pack(PackConfig(agent=run / "checkpoints" / "update-000001", out=tmp_path / "early", episodes=1))
    card = read_card(out)
    assert card["timesteps"] == STEPS_OF_UPDATE
    assert f"--timesteps {STEPS_OF_UPDATE} " in card["reproduce"]
    assert (out / "progress.csv").read_text().splitlines() == (run / "progress.csv").read_text().splitlines()[:2]


def test_what_is_there_is_not_overwritten_and_nothing_half_made_stays(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "there"
    out.mkdir()
    with pytest.raises(UserError, match="exists already"):
        pack(PackConfig(agent=run, out=out))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(PackConfig(agent=run, out=tmp_path / "stopped", episodes=1), stop)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_command_prints_the_folder(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["pack", str(run), "--out", str(tmp_path / "a"), "--episodes", "1"])
    assert capsys.readouterr().out.strip() == str(tmp_path / "a")
    assert json.loads((tmp_path / "a" / "card.json").read_text())["scores"]["std_return"] is None
