"""Attack: the same command twice at the same time, on the same recording and into the same place.

Both end as they should, one of them at least with what was asked for, and what is there is what one alone would write.
"""

import random
import shutil
import time
from pathlib import Path

from .children import Verdict
from .outcome import Came, read_outcome
from .said import Process, run_forked, wrong_with
from .stage import begin, go_on, lost, set_table

SECONDS = 300


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Run a command so many times twice at once; return what was wrong."""
    chance = random.Random(seed)
    alone = folder / "alone"
    alone.mkdir()
    set_table(alone, name, materials)
    said = run_forked(begin(name, alone), alone, SECONDS)
    expected = read_outcome(name, alone)
    if said.code or expected.error:
        return [Verdict(0, f"alone: exit code {said.code}: {said.err[-300:]} {expected.error}")]
    verdicts: list[Verdict] = []
    for index in range(count):
        here = folder / str(index)
        here.mkdir()
        set_table(here, name, materials)
        verdicts.append(Verdict(index, _twice(name, here, chance.uniform(0, 0.5) * said.seconds, expected)))
        shutil.rmtree(here)
    return verdicts


def _twice(name: str, folder: Path, seconds: float, expected: Came) -> str | None:
    first = Process(begin(name, folder), folder)
    time.sleep(seconds)
    second = Process(go_on(name, folder), folder)
    ends = [process.wait(SECONDS) for process in (first, second)]
    about = f"{seconds:.2f} s apart"
    for said in ends:
        if wrong := wrong_with(said, SECONDS):
            return f"{about}: {wrong}"
    if all(said.code for said in ends):
        return f"{about}: neither came to an end: {ends[0].err[-200:]!r}, {ends[1].err[-200:]!r}"
    found = read_outcome(name, folder)
    if found != expected:
        return f"{about}: {found.error or 'it comes to something else than one alone'}"
    return lost(folder, name)
