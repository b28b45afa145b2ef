"""Trains runs on this machine, each in its own process."""

import contextlib
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

from semantic_rl.reproduce.job import Job
from semantic_rl.reproduce.worker import Ending, train_job


class _Running(NamedTuple):
    process: SpawnProcess
    answer: Connection
    slot: int


class LocalMachine:
    """Trains up to `slots` runs at once; the GPUs in `devices`, if any, are assigned by slot."""

    where = "on this machine"

    def __init__(self, slots: int, devices: list[str]) -> None:
        self.slots = slots
        self._devices = devices
        self._running: dict[str, _Running] = {}

    def start(self, job: Job, attempt: int, witness: Path, version: str) -> None:
        """Start or resume the training of a run."""
        taken = {running.slot for running in self._running.values()}
        slot = next(index for index in range(self.slots) if index not in taken)
        device = self._devices[slot % len(self._devices)] if self._devices else None
        context = multiprocessing.get_context("spawn")
        answer, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_train, args=(theirs, device, job, attempt, witness, version))
        process.start()
        theirs.close()
        self._running[job.name] = _Running(process, answer, slot)

    def ended(self) -> list[tuple[str, Ending]]:
        """Return the runs that have ended since the last call."""
        endings: list[tuple[str, Ending]] = []
        for name, (process, answer, _) in list(self._running.items()):
            if process.is_alive():
                continue
            process.join()
            try:
                ending = answer.recv() if answer.poll() else _died(process.exitcode)
            except EOFError:
                ending = _died(process.exitcode)
            answer.close()
            del self._running[name]
            endings.append((name, ending))
        return endings

    def stop(self) -> None:
        """Make all runs save and exit."""
        for process, _, _ in self._running.values():
            process.terminate()

    def close(self) -> None:
        """Kill the remaining processes."""
        for process, _, _ in self._running.values():
            process.kill()
            process.join()


def find_gpus(device: str, slots: int) -> list[str]:
    """Return the GPUs to assign to concurrent runs; raises UserError if a GPU is requested but not available."""
    if device == "cpu" or (device == "auto" and slots == 1):
        return []
    import torch

    from semantic_rl.training.device import choose_device

    if choose_device(device).type == "cpu":
        return []
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return visible or [str(index) for index in range(torch.cuda.device_count())]


def _died(code: int | None) -> Ending:
    if code == -signal.SIGTERM:
        return Ending("stopped")
    reason = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return Ending("died", f"its process ended by {reason}" + (" (out of memory?)" if reason == "SIGKILL" else ""))


def _train(answer: Connection, device: str | None, job: Job, attempt: int, witness: Path, version: str) -> None:
    """Train a run; this is the entry point of the new process."""
    with contextlib.suppress(OSError):
        os.setsid()  # only the parent gets Ctrl-C; it then signals this process once, which saves
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)  # saves and exits

    threading.Thread(target=follow, daemon=True).start()
    ending = train_job(job, attempt, witness, version)
    with contextlib.suppress(OSError):  # the parent may be gone
        answer.send(ending)
    answer.close()
