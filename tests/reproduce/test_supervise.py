"""What happens to runs whose processes end in all ways, on machines that a test can order about."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_runs import environment_variables, small_config

from semantic_rl.artifacts import checkpoint_name
from semantic_rl.config import EnvConfig, TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder
from semantic_rl.reproduce import worker
from semantic_rl.reproduce.display import summary
from semantic_rl.reproduce.job import Job, make_jobs
from semantic_rl.reproduce.supervise import DEATHS_WITHOUT_PROGRESS, Course, _look, make_courses, supervise
from semantic_rl.reproduce.worker import Ending
from semantic_rl.stop_signals import StopSignals


def jobs(root: Path, count: int) -> list[Job]:
    environment = EnvConfig(num_envs=64)
    configs = [
        TrainConfig(environment=environment, run_root=root, seed=seed, timesteps=163_840) for seed in range(count)
    ]
    return make_jobs(configs)


def write_checkpoint(job: Job, update: int) -> None:
    folder = job.folder / "checkpoints" / checkpoint_name(update)
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{}")


class Scripted:
    """Ends each run as its script says, one look after it was begun."""

    def __init__(self, slots: int, script: dict[str, list[Ending]]) -> None:
        self.slots = slots
        self.began: list[str] = []
        self.most = 0
        self._script = script
        self._running: list[Job] = []

    def start(self, job: Job, attempt: int, witness: Path, version: str) -> None:
        self.began.append(job.name)
        self._running.append(job)
        self.most = max(self.most, len(self._running))

    def ended(self) -> Sequence[tuple[str, Ending]]:
        done, self._running = self._running, []
        return [(job.name, self._script[job.name].pop(0)) for job in done]

    def stop(self) -> None: ...


def run(courses: list[Course], machines: Scripted) -> list[str]:
    said: list[str] = []
    supervise(courses, machines, Path("asked"), "1", said.append, StopSignals())  # type: ignore[arg-type]
    return [line for line in said if line]


def test_one_failure_does_not_stop_the_others_and_no_more_run_at_once_than_have_room(tmp_path: Path) -> None:
    first, second, third = made = jobs(tmp_path, 3)
    courses = make_courses(made)
    script = {
        first.name: [Ending("finished")],
        second.name: [Ending("failed", "why")],
        third.name: [Ending("finished")],
    }
    machines = Scripted(2, script)
    said = run(courses, machines)
    assert [course.state for course in courses] == ["finished", "failed", "finished"]
    assert machines.most == 2
    assert f"{second.name}: FAILED: why. See {second.log}" in said


def test_a_run_that_dies_again_and_again_without_a_new_checkpoint_has_failed(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    courses = make_courses([job])
    machines = Scripted(1, {job.name: [Ending("died", "killed")] * 9})
    run(courses, machines)
    assert len(machines.began) == DEATHS_WITHOUT_PROGRESS
    assert courses[0].state == "failed"
    assert courses[0].reason == f"killed, {DEATHS_WITHOUT_PROGRESS} times without a new checkpoint"


def test_what_has_a_checkpoint_of_its_last_update_is_not_begun(tmp_path: Path) -> None:
    first, second = made = jobs(tmp_path, 2)
    assert first.num_updates == 10
    for job, update in ((first, 10), (second, 9)):
        write_checkpoint(job, update)
    courses = make_courses(made)
    assert [course.state for course in courses] == ["finished", "waiting"]
    machines = Scripted(1, {second.name: [Ending("finished")]})
    assert f"{second.name}: begun from update 9" in run(courses, machines)
    assert machines.began == [second.name]


def test_time_left_is_of_all_runs_at_the_pace_of_those_that_were_begun(tmp_path: Path) -> None:
    made = jobs(tmp_path, 2)
    first = made[0]
    first.folder.mkdir()
    (first.folder / "progress.csv").write_text(
        "eprewmean,fps,misc/total_timesteps,misc/time_elapsed\n1.0,100,65536,655.36\n2.0,100,81920,819.2\n9.9,1"
    )
    at = first.standing()
    assert (at.steps, at.mean_return, at.seconds) == (81_920, 2.0, 819.2)
    courses = make_courses(made)
    courses[0].state = "training"
    left = (81_920 + 163_840) / 100
    assert f"{left // 60:.0f}:{left % 60:02.0f} left" in summary(courses, 1)
    assert "run 1 of 2: 1 waiting, 100 steps/s" in summary(courses, 1)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    job.folder.mkdir()
    (job.folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"out: .* is not a run folder: it has no config\.json; choose another --out\."):
        jobs(tmp_path, 1)


def test_a_folder_that_is_not_seen_is_no_run_lost(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    from semantic_rl import __version__

    ending = worker.train_job(job, 1, tmp_path / "elsewhere" / "logs" / "asked", __version__)
    assert ending.kind == "failed"
    assert f"does not see {tmp_path}: --out must be on storage that all nodes of the cluster see" in ending.reason
    assert "install the same" in worker.train_job(job, 1, tmp_path, "0.0.0").reason
    assert not any(tmp_path.iterdir())


IMPATIENT = """
import sys
from pathlib import Path
from small_runs import small_config
from semantic_rl import __version__
from semantic_rl.reproduce.job import make_jobs
from semantic_rl.reproduce.worker import train_job
from semantic_rl.training import run_folder
run_folder.SECONDS_FOR_A_PREDECESSOR = 0.5
out = Path(sys.argv[1])
(out / "logs").mkdir()
(out / "logs" / "asked").touch()
ending = train_job(make_jobs([small_config(out, auto_resume=True)])[0], 2, out / "logs" / "asked", __version__)
(out / "ending").write_text(f"{ending.kind}: {ending.reason}")
"""


def test_a_run_that_any_process_trains_is_not_trained_twice_and_the_log_says_by_whom(tmp_path: Path) -> None:
    import torch

    from semantic_rl.training.distributed import Workers
    from semantic_rl.training.run_folder import open_run_folder

    with open_run_folder(small_config(tmp_path), torch.device("cpu"), "fp32", Workers()) as (folder, _):
        subprocess.run([sys.executable, "-c", IMPATIENT, str(tmp_path)], env=environment_variables(), check=True)
    assert (
        (tmp_path / "ending").read_text().startswith(f"failed: {folder} is being written by process {os.getpid()} on ")
    )
    log = (tmp_path / "logs" / f"{folder.name}.log").read_text()
    assert "== attempt 2 on " in log
    assert f"waiting up to 0 s for process {os.getpid()} on " in log


def test_who_trains_a_run_can_be_read_while_it_is_trained(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    job.folder.mkdir()
    (course,) = make_courses([job])
    course.attempt, course.state = 2, "starting"
    with hold_folder(job.folder, {"attempt": 1, "asked": "asked"}):
        _look(course, Path("asked"))
        assert course.state == "starting"
    with hold_folder(job.folder, {"attempt": 2, "asked": "asked"}):
        _look(course, Path("asked"))
        assert (course.state, course.where) == ("training", socket.gethostname())


def test_a_log_is_not_written_where_a_link_leads(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.touch()
    (tmp_path / "link.log").symlink_to(mine)
    os.mkfifo(tmp_path / "pipe.log")
    for name in ("link.log", "pipe.log"):
        with pytest.raises(OSError, match=r"symbolic|no regular file|No such device"):
            worker._write_to(tmp_path / name, "== attempt 1")
    assert not mine.read_bytes()
