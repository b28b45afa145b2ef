"""What a command said and how it ended, and whether that is right."""

import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import NamedTuple

RIGHT_CODES = (0, 1, 2, 130)
"""Done, failed, a mistake of the user, interrupted."""


class Said(NamedTuple):
    """How a command ended."""

    code: int
    """Exit code; negative: the signal that killed it."""
    err: str
    """What it wrote on stderr."""
    seconds: float


def wrong_with(said: Said, seconds: float) -> str | None:
    """Say what is wrong with the end of a command that may take so many seconds; None if it ended as it should."""
    lines = [line for line in said.err.strip().splitlines() if not line.startswith("note: ")]
    if said.code < 0:
        name = signal.Signals(-said.code).name
        return f"took more than {seconds:.0f} s" if name == "SIGKILL" else f"died of {name}: {_last(lines)}"
    if "Traceback" in said.err or "panicked" in said.err:
        return f"a traceback: {_last(lines)}"
    if said.code not in RIGHT_CODES:
        return f"exit code {said.code}: {_last(lines)}"
    if said.code == 2 and len(lines) != 1:
        return f"{len(lines)} lines on stderr, expected one: {_last(lines)}"
    return None


def _last(lines: Sequence[str]) -> str:
    return lines[-1][:300] if lines else "nothing on stderr"


@contextlib.contextmanager
def captured() -> Generator[Callable[[], str]]:
    """Send what this process and its libraries write on stdout nowhere; gives a function that returns what it wrote
    on stderr."""
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(1), os.dup(2)]
        sys.stdout.flush(), sys.stderr.flush()
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        os.dup2(file.fileno(), 2)

        def read() -> str:
            sys.stderr.flush()
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield read
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


def run_here(arguments: Sequence[str]) -> Said:
    """Run a command line in this process, as `semantic-rl` would."""
    from semantic_rl.cli import main

    begun = time.monotonic()
    code = 0
    with captured() as err:
        try:
            main(arguments)
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 1
        return Said(code, err(), time.monotonic() - begun)


class Process:
    """A command that runs in a forked child, in a process group of its own."""

    def __init__(self, arguments: Sequence[str], folder: Path, before: Callable[[], None] = lambda: None) -> None:
        """Run it in `folder`; `before` is called in the child first, for instance to become another user."""
        sys.stdout.flush(), sys.stderr.flush()
        self._begun = time.monotonic()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 — read when the child has ended
        self.pid = os.fork()
        if self.pid == 0:
            self._be_the_child(arguments, folder, before)

    def _be_the_child(self, arguments: Sequence[str], folder: Path, before: Callable[[], None]) -> None:
        code = 1
        try:
            os.setsid()
            os.chdir(folder)
            with open(os.devnull, "r+b") as nowhere:
                os.dup2(nowhere.fileno(), 0)
                os.dup2(nowhere.fileno(), 1)
            os.dup2(self._err.fileno(), 2)
            before()
            from semantic_rl.cli import main

            main(arguments)
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)

    def kill(self, with_all_it_started: bool = True) -> None:
        """Kill it, and all that it has started unless that is to go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if with_all_it_started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> Said:
        """Return how it ended; it is killed after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(0.01)
        self._err.seek(0)
        err = self._err.read().decode(errors="replace")
        self._err.close()
        return Said(os.waitstatus_to_exitcode(status), err, time.monotonic() - self._begun)


def run_forked(
    arguments: Sequence[str], folder: Path, seconds: float, before: Callable[[], None] = lambda: None
) -> Said:
    """Run a command line in a forked child to its end."""
    return Process(arguments, folder, before).wait(seconds)
