"""Trains one run in its own process, on this machine or on a node of a Ray cluster."""

import os
import socket
import stat
import sys
import traceback
from pathlib import Path
from typing import Literal, NamedTuple

from semantic_rl.errors import UserError
from semantic_rl.reproduce.job import Job
from semantic_rl.training.shared_storage import comes_to_be_seen


class Ending(NamedTuple):
    """How a process that trained a run ended."""

    kind: Literal["finished", "stopped", "failed", "died"]
    """died: without a result, as after SIGKILL or a failure of the machine; only then is it worth another try."""
    reason: str = ""


def train_job(job: Job, attempt: int, witness: Path, version: str) -> Ending:
    """Train or resume a run until it is finished; its output goes to its log.

    `witness` is a file that the supervisor has written: if it is not visible here, the storage is not shared and the
    run would be lost.
    """
    from semantic_rl import __version__

    host = socket.gethostname()
    if __version__ != version:
        return Ending("failed", f"{host} has semantic-rl {__version__}, this machine {version}: install the same")
    if not comes_to_be_seen(witness, witness.parent.parent):
        return Ending(
            "failed",
            f"{host} does not see {job.config.run_root.resolve()}: --out must be on storage that all nodes of the "
            "cluster see under the same path",
        )
    try:
        _write_to(job.log, f"\n== attempt {attempt} on {host}, process {os.getpid()}\n")
    except OSError as error:
        return Ending("failed", f"{host} cannot write {job.log}: {error.strerror or error}")
    try:
        from semantic_rl.training.train import train

        train(job.config, {"attempt": attempt, "asked": witness.name})
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return Ending("failed", str(error))
    except KeyboardInterrupt:
        return Ending("stopped")
    except SystemExit as leaving:
        stopped = leaving.code in (130, 143)
        return Ending("stopped" if stopped else "failed", "" if stopped else f"exit code {leaving.code}")
    except Exception as error:  # any error goes to the log, and the other runs continue
        traceback.print_exc()
        return Ending("failed", f"{type(error).__name__}: {error}".splitlines()[0])
    return Ending("finished")


def _write_to(log: Path, first_line: str) -> None:
    """Append all output of this process and its libraries to a file that is not a symbolic link; raises OSError."""
    sys.stdout.flush()
    sys.stderr.flush()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(log, flags, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(None, "it is no regular file")
    os.write(descriptor, first_line.encode())
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    sys.stdout = open(1, "w", closefd=False, buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
