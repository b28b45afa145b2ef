"""Training end to end on real games: what it writes, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest
import torch
from small_runs import RUN_NAME, STEPS_OF_UPDATE, small_arguments, small_config

from semantic_rl.artifacts import OWN_RUN_COLUMNS, RUN_COLUMNS, SEMANTIC_COLUMNS, checkpoint_folders
from semantic_rl.cli import main
from semantic_rl.config import to_dict
from semantic_rl.errors import TrainingDiverged, UserError
from semantic_rl.training.checkpoint import load_checkpoint, load_policy
from semantic_rl.training.learner import Learner
from semantic_rl.training.train import train


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_folder_holds_the_originals_columns_config_checkpoints_and_events(tmp_path: Path):
    config = small_config(tmp_path, checkpoint_interval=1, keep_checkpoints=2)
    run = train(config)

    assert run == tmp_path / RUN_NAME
    rows = read_rows(run / "progress.csv")
    assert tuple(rows[0]) == RUN_COLUMNS + OWN_RUN_COLUMNS
    assert [int(row["misc/total_timesteps"]) for row in rows] == [STEPS_OF_UPDATE * n for n in (1, 2, 3)]
    assert [int(row["misc/serial_timesteps"]) for row in rows] == [16, 32, 48]
    written = json.loads((run / "config.json").read_text())
    assert written["config"] == {name: value for name, value in to_dict(config).items() if name != "run_root"}
    assert {"torch", "procgen_gym", "semantic_rl", "python"} <= set(written["versions"])
    assert [path.name for path in checkpoint_folders(run)] == ["update-000002", "update-000003"]
    assert list((run / "tensorboard" / "train").iterdir())


def test_plain_ppo_has_neither_module_nor_its_columns(tmp_path: Path):
    run = train(small_config(tmp_path, 1, algorithm="ppo"))

    assert run.name.startswith("ppo-coinrun")
    assert not set(read_rows(run / "progress.csv")[0]) & set(SEMANTIC_COLUMNS)
    assert load_policy(run).semantic is None


def test_the_loaded_policy_has_the_weights_of_the_last_update_and_the_configs_number_of_codes(tmp_path: Path):
    assert main(["train", *small_arguments(tmp_path, 1, "--num-codes", "5")]) is None

    policy = load_policy(tmp_path / RUN_NAME)
    assert policy.num_codes == 5
    assert not policy.training
    output = policy(torch.zeros(3, 64, 64, 3, dtype=torch.uint8))
    assert output.logits.shape == (3, 15)
    assert output.embedding is not None
    assert output.embedding.shape == (3, 2)


def test_held_out_levels_are_logged_and_do_not_change_what_is_learned(tmp_path: Path):
    levels = {"num_levels": 3, "start_level": 7}
    with_held_out = train(small_config(tmp_path / "a", environment=levels))
    without = train(small_config(tmp_path / "b", environment=levels, held_out_interval=0))

    rows = read_rows(with_held_out / "progress-rank001.csv")
    assert [row["misc/nupdates"] for row in rows] == ["1", "2", "3"]
    assert {"eprewmean", "eplenmean", "misc/total_timesteps"} <= set(rows[0])
    assert not (without / "progress-rank001.csv").exists()
    for name, value in load_policy(with_held_out).state_dict().items():
        assert torch.equal(value, load_policy(without).state_dict()[name]), name


def test_the_semantic_weight_reaches_the_loss_after_the_interval(tmp_path: Path):
    config = small_config(tmp_path, 4, environment={"env": "fruitbot"})
    rows = read_rows(train(config) / "progress.csv")

    assert [float(row["semantic/weight"]) for row in rows[:1]] == [0]
    assert all(0 <= float(row["semantic/weight"]) <= 1 for row in rows)


def test_an_existing_run_is_never_overwritten(tmp_path: Path):
    run = train(small_config(tmp_path, 1))
    before = (run / "progress.csv").read_bytes()

    with pytest.raises(UserError, match="exists already; add --resume"):
        train(small_config(tmp_path, 1))
    assert (run / "progress.csv").read_bytes() == before


def test_resuming_with_another_configuration_names_what_differs(tmp_path: Path):
    train(small_config(tmp_path, 1))
    arguments = small_arguments(tmp_path, 2, "--resume")
    arguments[arguments.index("--num-epochs") + 1] = "3"

    with pytest.raises(UserError, match=r"num_epochs was 2, is 3.*former"):
        main_or_raise(arguments)


def main_or_raise(arguments: list[str]) -> None:
    from semantic_rl.commands.parse import parse
    from semantic_rl.config import TrainConfig

    train(parse(TrainConfig, arguments, "train"))


def test_resuming_where_there_is_no_run_says_so(tmp_path: Path):
    with pytest.raises(UserError, match="there is no run at"):
        train(small_config(tmp_path, 1, resume=True))


def test_a_finished_run_can_be_made_longer(tmp_path: Path):
    longer = train(small_config(tmp_path / "long", 3))
    train(small_config(tmp_path / "short", 2))
    resumed = train(small_config(tmp_path / "short", 3, resume=True))

    assert load_checkpoint(resumed).state["update"] == 3
    for name, value in load_policy(longer).state_dict().items():
        assert torch.equal(value, load_policy(resumed).state_dict()[name]), name


def test_a_loss_that_is_not_finite_stops_the_run_names_the_term_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = train(small_config(tmp_path, 2))
    good = load_policy(run).state_dict()
    step = Learner.step

    def poisoned(self: Learner, minibatch, semantic_weight):  # type: ignore[no-untyped-def]
        return step(self, minibatch._replace(returns=minibatch.returns / 0), semantic_weight)

    monkeypatch.setattr(Learner, "step", poisoned)
    with pytest.raises(TrainingDiverged, match=r"update 3: value_loss is (nan|inf)"):
        train(small_config(tmp_path, 4, resume=True))

    assert [path.name for path in checkpoint_folders(run)][-1] == "update-000002"
    for name, value in good.items():
        assert torch.equal(value, load_policy(run).state_dict()[name])


def test_cuda_where_there_is_none_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(UserError, match="finds no CUDA device here; use --device cpu or auto"):
        train(small_config(tmp_path, 1, device="cuda"))
    assert not (tmp_path / RUN_NAME).exists()


def test_a_run_root_that_cannot_be_written_is_one_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match=r"cannot write to .*choose another --run-root"):
        train(small_config(tmp_path / "file", 1))


@pytest.mark.slow
def test_ppo_learns_a_game_of_telling_colours_apart():
    from colour_game import mean_return_after_training

    assert mean_return_after_training() > 0.9
