"""Tries many inputs in forked children: one that crashes, hangs or takes memory is found out, and the others go on.

The parent must have imported what the children need, and must not have used it: threads do not survive a fork.

An input that takes longer than it may is *late*: on a machine that others load, this says nothing about the input. It
is tried once more when nothing else of the campaign runs, and is wrong if it takes too long again. If it did not
compute although it could have, it hangs, and is wrong at once.
"""

import json
import os
import resource
import select
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from signal import Signals
from typing import NamedTuple

from .process_tree import kill_tree, tree_of

SPARE_MEMORY = 2**30
"""Bytes above what the child took before an input."""
MOST_ADDRESSES = 8 * 2**30
"""Bytes of addresses that a child may take beyond its parent's, so that a claim of 60 GB fails at once."""
COMPUTING = 0.25
"""What computes takes at least this share of a processor's time, unless others have all processors."""


class Verdict(NamedTuple):
    """What was found of one input."""

    index: int
    wrong: str | None
    late: str | None = None
    """That it was ended because it took too long while it computed, or while others did."""
    seconds: float = 0.0


def try_all(
    indices: Collection[int], try_one: Callable[[int], str | None], prepare: Callable[[], None], seconds: float = 10
) -> Iterator[Verdict]:
    """Call `try_one` with each index in children; it says what was wrong, or None.

    `prepare` is called first in each child; its time and memory do not count. It makes anew whatever an input may have
    left half-done.
    """
    left = list(indices)
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _be_the_child(writing, left, try_one, prepare)
        os.close(writing)
        try:
            with os.fdopen(reading, "rb", buffering=0) as results:
                for verdict in _listen(results.fileno(), child, left, seconds):
                    left = left[1:]
                    yield verdict
        finally:
            kill_tree(child)
            os.waitpid(child, 0)


def _be_the_child(
    writing: int, indices: Collection[int], try_one: Callable[[int], str | None], prepare: Callable[[], None]
) -> None:
    try:
        prepare()
        most = _memory("VmSize") + MOST_ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        os.write(writing, b"\n")
        for index in indices:
            Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is counted anew
            before, begun = _memory("VmRSS"), time.monotonic()
            try:
                wrong = try_one(index)
            except BaseException as error:
                wrong = f"the harness: {type(error).__name__}: {error}"
            taken = _memory("VmHWM") - before
            if wrong is None and taken > SPARE_MEMORY:
                wrong = f"took {taken / 2**30:.1f} GB"
            found = [index, wrong, None, time.monotonic() - begun, sum(os.times()[:4])]
            os.write(writing, json.dumps(found).encode() + b"\n")
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _memory(name: str) -> int:
    """Return what /proc says of this process's memory, in bytes."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) * 1024


def _listen(results: int, child: int, indices: list[int], seconds: float) -> Iterator[Verdict]:
    """Yield what a child finds, until it ends or must be ended; the input that it was at is wrong or late then."""
    done, rest, is_ready, computed = 0, b"", False, None
    while True:
        if not select.select([results], [], [], seconds if is_ready else 300)[0]:
            if not is_ready:
                raise RuntimeError("the harness: the child did not prepare itself in time")
            yield _too_long(indices[done], sum(tree_of(child).values()) - (computed or 0.0), seconds)
            return
        got = os.read(results, 65536)
        if not got:
            break
        *lines, rest = (rest + got).split(b"\n")
        for line in lines:
            if line:
                done += 1
                *found, computed = json.loads(line)
                yield Verdict(*found)
            is_ready = True
        if computed is None:
            computed = sum(tree_of(child).values())
    deadline = time.monotonic() + 5
    while not (found := os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG)):
        if time.monotonic() > deadline:
            return
        time.sleep(0.005)
    if not is_ready:
        raise RuntimeError("the harness: the child could not prepare itself")
    if found.si_code != os.CLD_EXITED:
        yield Verdict(indices[done], f"died of {Signals(found.si_status).name}")
    elif found.si_status:
        yield Verdict(indices[done], f"ended with exit code {found.si_status}")


def _too_long(index: int, computed: float, seconds: float) -> Verdict:
    load = os.getloadavg()[0]
    said = f"more than {seconds:.0f} s, of which it computed for {computed:.1f} s, at a load of {load:.1f}"
    if hangs(computed, seconds, load, os.cpu_count() or 1):
        return Verdict(index, f"took {said}: it hangs", None, seconds)
    return Verdict(index, None, said, seconds)


def hangs(computed: float, seconds: float, load: float, cores: int) -> bool:
    """Say whether something that takes too long neither computes nor waits for others that do."""
    return computed < COMPUTING * seconds and load < cores
