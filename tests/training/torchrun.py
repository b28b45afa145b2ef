"""Workers under torchrun, on one machine or on "hosts" that are network namespaces of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_runs import environment_variables, small_arguments

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
ONE_MACHINE = ["--standalone", "--nproc-per-node", "2"]
ELASTIC = ["--max-restarts", "2", "--monitor-interval", "0.2"]


def training(run_root: Path, num_updates: int, *more: str) -> list[str]:
    """The arguments behind torchrun's own: train so many updates of two workers."""
    return ["-m", "semantic_rl.cli", "train", *small_arguments(run_root, 2 * num_updates, *more)]


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start torchrun."""
    return subprocess.Popen(
        command,
        env=environment_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(*commands: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Run commands at the same time; what is left of them at the end is killed."""
    processes = [start(command) for command in commands]
    try:
        yield processes
    finally:
        for process in processes:
            for child in workers_of(process.pid) if process.poll() is None else []:
                os.kill(child, signal.SIGKILL)
            process.kill()
            process.communicate()


def workers_of(agent: int) -> list[int]:
    """Process ids of the workers that a torchrun agent, or the `ip netns exec` around it, has started."""
    children = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
    return [int(child) for child in children if b"semantic_rl.cli" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_for_rows(progress: Path, count: int, processes: list[subprocess.Popen[str]]) -> None:
    """Wait until so many updates are logged."""
    deadline = time.monotonic() + 120
    while not progress.exists() or len(progress.read_text().splitlines()) <= count:
        for process in processes:
            assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"no {count} updates within two minutes"
        time.sleep(0.01)


def finish(processes: list[subprocess.Popen[str]]) -> str:
    """Wait until all have ended well; return what they wrote on stderr."""
    said = [process.communicate(timeout=240)[1] for process in processes]
    for process, errors in zip(processes, said, strict=True):
        assert process.returncode == 0, errors
    return "\n".join(said)
