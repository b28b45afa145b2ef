"""Tries many inputs in forked children: one that crashes, hangs or takes memory is found out, and the others go on.

The parent must have imported what the children need, and must not have used it: threads do not survive a fork.
"""

import contextlib
import json
import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

SPARE_MEMORY = 2**30
"""Bytes above what the child took before an input."""
MOST_ADDRESSES = 8 * 2**30
"""Bytes of addresses that a child may take beyond its parent's, so that a claim of 60 GB fails at once."""


class Verdict(NamedTuple):
    """What was found of one input."""

    index: int
    wrong: str | None


def try_all(
    count: int, try_one: Callable[[int], str | None], prepare: Callable[[], None], seconds: float = 10
) -> Iterator[Verdict]:
    """Call `try_one` with 0 … count - 1 in children; it says what was wrong, or None.

    `prepare` is called first in each child; its time and memory do not count.
    """
    start = 0
    while start < count:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _be_the_child(writing, start, count, try_one, prepare)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as results:
            for verdict in _listen(results.fileno(), child, start, seconds):
                start = verdict.index + 1
                yield verdict
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _be_the_child(
    writing: int, start: int, count: int, try_one: Callable[[int], str | None], prepare: Callable[[], None]
) -> None:
    try:
        prepare()
        most = _memory("VmSize") + MOST_ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        os.write(writing, b"\n")
        for index in range(start, count):
            Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is counted anew
            before = _memory("VmRSS")
            try:
                wrong = try_one(index)
            except BaseException as error:
                wrong = f"the harness: {type(error).__name__}: {error}"
            taken = _memory("VmHWM") - before
            if wrong is None and taken > SPARE_MEMORY:
                wrong = f"took {taken / 2**30:.1f} GB"
            os.write(writing, json.dumps([index, wrong]).encode() + b"\n")
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _memory(name: str) -> int:
    """Return what /proc says of this process's memory, in bytes."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) * 1024


def _listen(results: int, child: int, start: int, seconds: float) -> Iterator[Verdict]:
    """Yield what a child finds, until it ends or must be ended; the input that it was at is wrong then."""
    at, rest, is_ready = start, b"", False
    while True:
        if not select.select([results], [], [], seconds if is_ready else 300)[0]:
            yield Verdict(at, f"took more than {seconds:.0f} s")
            return
        got = os.read(results, 65536)
        if not got:
            break
        *lines, rest = (rest + got).split(b"\n")
        for line in lines:
            if line:
                at = json.loads(line)[0] + 1
                yield Verdict(*json.loads(line))
            is_ready = True
    deadline = time.monotonic() + 5
    while not (found := os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG)):
        if time.monotonic() > deadline:
            return
        time.sleep(0.005)
    if not is_ready:
        raise RuntimeError("the harness: the child could not prepare itself")
    if found.si_code != os.CLD_EXITED:
        yield Verdict(at, f"died of {signal.Signals(found.si_status).name}")
    elif found.si_status:
        yield Verdict(at, f"ended with exit code {found.si_status}")
