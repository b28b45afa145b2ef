"""Two gloo workers under torchrun on one machine."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_runs import RUN_NAME, environment_variables, small_arguments

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.training.checkpoint import load_checkpoint

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


def run_workers(arguments: list[str], check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*TORCHRUN, "semantic_rl.cli", "train", *arguments],
        env=environment_variables(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_two_workers_train_one_policy_on_their_own_environments_and_resume_exactly(tmp_path: Path):
    every = ("--checkpoint-interval", "1")
    run_workers(small_arguments(tmp_path / "whole", 4, *every))
    run = tmp_path / "whole" / RUN_NAME
    shutil.copytree(run, tmp_path / "parts" / RUN_NAME)
    before_the_end, at_the_end = checkpoint_folders(tmp_path / "parts" / RUN_NAME)
    shutil.rmtree(at_the_end)  # as if the run had been killed in its second update
    assert before_the_end.name == "update-000001"
    run_workers(small_arguments(tmp_path / "parts", 4, *every, "--resume"))

    first, second = load_checkpoint(run, 0), load_checkpoint(run, 1)
    assert first.state["update"] == 2  # 4 · 128 steps are two updates of two workers
    assert first.state["num_workers"] == 2
    assert first.worker is not None
    assert second.worker is not None
    assert not torch.equal(
        first.worker.tensors["environments_generator"], second.worker.tensors["environments_generator"]
    )
    with (run / "progress.csv").open(newline="") as file:
        assert [int(row["misc/total_timesteps"]) for row in csv.DictReader(file)] == [256, 512]
    resumed = load_checkpoint(tmp_path / "parts" / RUN_NAME)
    assert resumed.state["update"] == 2
    for name, value in first.policy.items():
        assert torch.equal(value, resumed.policy[name]), name


@pytest.mark.slow
def test_gradients_of_workers_are_averaged_before_they_are_clipped(tmp_path: Path):
    script = tmp_path / "average.py"
    script.write_text(
        "import torch\n"
        "from semantic_rl.training.distributed import Workers\n"
        "w = Workers.join(torch.device('cpu'))\n"
        "x = torch.tensor([1.0, 2.0]) * (w.rank + 1)\n"
        "w.average(x)\n"
        "assert x.tolist() == [1.5, 3.0], x\n"
        "assert w.sums(float(w.rank), 1.0) == [1.0, 2.0]\n"
        "assert w.any(w.rank == 1) and not w.any(False)\n"
        "assert w.share_text(f'é{w.rank}') == 'é0' and w.share_text('') == ''\n"
        "w.leave()\n"
    )
    subprocess.run([*TORCHRUN[:-1], str(script)], env=environment_variables(), check=True, timeout=120)


@pytest.mark.slow
def test_a_users_mistake_ends_all_workers(tmp_path: Path):
    process = run_workers(small_arguments(tmp_path, 1), check=False)

    assert process.returncode != 0
    assert "timesteps: got 128, expected at least one update of 2 workers" in process.stderr
    assert not checkpoint_folders(tmp_path / RUN_NAME)


@pytest.mark.slow
def test_hosts_that_do_not_share_the_run_folder_are_told_so_at_the_start(tmp_path: Path):
    script = tmp_path / "apart.py"
    script.write_text(
        "import os, sys\n"
        "from semantic_rl.cli import main\n"
        "from semantic_rl.training import shared_storage\n"
        "shared_storage.SECONDS_UNTIL_SHARED = 0.5\n"
        "words = sys.argv[1:]\n"
        "words[words.index('--run-root') + 1] = os.path.join(sys.argv[0] + '-root', os.environ['RANK'])\n"
        "main(['train', *words])\n"
    )
    command = [*TORCHRUN[:-1], str(script), *small_arguments(tmp_path, 2)]
    done = subprocess.run(command, env=environment_variables(), capture_output=True, text=True, timeout=120)

    assert done.returncode != 0
    assert "worker 1 on " in done.stderr
    assert "--run-root must be on storage that all of them share" in done.stderr


@pytest.mark.slow
def test_the_first_worker_plays_held_out_levels_while_the_others_wait(tmp_path: Path):
    run_workers(small_arguments(tmp_path, 4, "--num-levels", "5"))

    run = tmp_path / RUN_NAME.replace("_0_0_", "_5_0_")
    for name in ("progress.csv", "progress-rank001.csv"):
        assert len((run / name).read_text().splitlines()) == 3
    assert load_checkpoint(run).state["update"] == 2
