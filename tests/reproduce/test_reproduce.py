"""`semantic-rl reproduce` on this machine: real runs that are interrupted, killed and finished."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from reproduce.asking import NAME, ONE_RUN, assert_same_weights, num_rows, reproduce, start, wait_until
from small_runs import environment_variables, train_command

from semantic_rl.cli import main
from semantic_rl.commands.parse import parse
from semantic_rl.config import ReproduceConfig, TrainConfig, to_dict
from semantic_rl.folder_lock import read_holder

NUM_UPDATES = 10
SECOND = "ppo-fruitbot_easy_0_0_7"
TWO_RUNS = ("--games", "coinrun", "fruitbot", "--algorithms", "ppo", "--seeds", "7")


def holder(out: Path) -> dict[str, Any]:
    return read_holder(out / NAME)


def test_the_papers_table_is_asked_for_by_default() -> None:
    runs = ReproduceConfig().runs()
    names = {(run.environment.env, run.algorithm, run.seed) for run in runs}
    assert len(runs) == len(names) == 24
    assert {game for game, _, _ in names} == {"coinrun", "fruitbot", "jumper", "ninja"}
    for run in runs:
        own = {"algorithm", "env", "seed", "run_root", "auto_resume"}
        assert {k: v for k, v in to_dict(run).items() if k not in own} == {
            k: v for k, v in to_dict(TrainConfig()).items() if k not in own
        }
        assert run.auto_resume
        assert run.run_root == ReproduceConfig().out
    assert {run.seed for run in runs[:8]} == {2020}


@pytest.mark.parametrize(
    ("flag", "value", "name"),
    [
        ("--timesteps", "1000000", "timesteps"),
        ("--env-groups", "4", "env_groups"),
        ("--num-threads", "3", "num_threads"),
        ("--device", "cpu", "device"),
        ("--learning-rate", "0.001", "learning_rate"),
        ("--num-codes", "5", "num_codes"),
        ("--num-levels", "200", "num_levels"),
        ("--out", "elsewhere", "run_root"),
    ],
)
def test_what_train_takes_reaches_every_run(flag: str, value: str, name: str) -> None:
    runs = parse(ReproduceConfig, [flag, value], "reproduce").runs()
    have_it = [run for run in runs if run.algorithm == "sppo" or name != "num_codes"]  # PPO has no codes
    assert {str(to_dict(run)[name]) for run in have_it} == {value}


def test_all_settings_of_training_but_a_runs_own_are_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(ReproduceConfig, ["--help"], "reproduce")
    said = capsys.readouterr().out
    own = {"algorithm", "env", "seed", "run_root", "resume", "auto_resume"}
    for name, value in to_dict(TrainConfig()).items():
        flag = ("--no-" if value is True else "--") + name.replace("_", "-")
        assert (f"{flag} " in said or f"{flag}\n" in said) == (name not in own), name


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--games", "coinrum"], "env: unknown game 'coinrum'. Did you mean 'coinrun'?"),
        (["--games", "coinrun", "coinrun"], "games: got 'coinrun', expected it once; it is given twice."),
        (["--seeds", "1", "2", "1"], "seeds: got 1, expected it once; it is given twice."),
        (["--seeds", "-1"], "seed: got -1"),
        (["--seeds"], "--seeds lacks its value"),
        (["--games", "bigfish", "--distribution-mode", "memory"], "bigfish has no mode 'memory'"),
        (["--jobs", "0"], "jobs: got 0, expected a number of at least 1"),
        (["--cores-per-run", "0"], "cores_per_run: got 0, expected a number of at least 1"),
        (["--cores-per-run", "5000"], "cores_per_run: got 5000, expected at most the"),
        (["--timesteps", "10"], "timesteps: got 10"),
        (["--ray", ""], "ray: got '', expected HOST:PORT, auto or local."),
    ],
)
def test_what_cannot_be_is_one_clear_line_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["reproduce", "--out", str(tmp_path / "out"), *arguments])
    assert leaving.value.code == 2
    said = capsys.readouterr().err
    assert expected in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_cuda_where_there_is_none_is_refused_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(SystemExit):
        main(["reproduce", "--out", str(tmp_path / "out"), "--device", "cuda"])
    assert "device: 'cuda' was asked for, but PyTorch finds no CUDA device here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_it_is_interrupted_goes_on_survives_a_kill_and_skips_what_is_finished(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    process = start(out, NUM_UPDATES, *TWO_RUNS)
    wait_until(process, lambda: num_rows(out) >= 3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, output + errors
    assert "the same command continues from here" in errors
    assert f"{NAME}   stopped" in output
    assert f"{SECOND}  waiting" in output
    assert not (out / SECOND).exists()

    process = start(out, NUM_UPDATES, *TWO_RUNS)
    wait_until(process, lambda: holder(out).get("attempt") == 1 and num_rows(out) >= 6)
    os.kill(int(holder(out)["pid"]), signal.SIGKILL)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    assert "its process ended by SIGKILL (out of memory?); it continues from update" in errors
    assert output.count("  finished  ") == 2
    assert [num_rows(out, name) for name in (NAME, SECOND)] == [NUM_UPDATES] * 2

    undisturbed = tmp_path / "undisturbed"
    subprocess.run(
        train_command(undisturbed, NUM_UPDATES, "--algorithm", "ppo", "--seed", "7"),
        env=environment_variables(),
        check=True,
        capture_output=True,
    )
    assert_same_weights(out / NAME, undisturbed / NAME)

    other = reproduce(out, NUM_UPDATES, *ONE_RUN, "--gamma", "0.9")
    assert other.returncode == 2
    assert f"{out / NAME} was made with another configuration: gamma was 0.999, is 0.9" in other.stderr
    assert "choose another --out" in other.stderr or "in another --out" in other.stderr


@pytest.mark.slow
def test_a_run_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    first = reproduce(out, 1, *TWO_RUNS)
    assert first.returncode == 0, first.stderr
    for path in (out / NAME / "checkpoints").rglob("policy.safetensors"):
        path.write_bytes(b"damaged")

    second = reproduce(out, 2, *TWO_RUNS, "--jobs", "2")

    assert second.returncode == 1
    assert f"FAILED {NAME}: " in second.stderr
    assert "policy.safetensors is not the file that was written" in second.stderr
    assert num_rows(out, SECOND) == 2
    assert "1 of 2 runs failed" in second.stderr
