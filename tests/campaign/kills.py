"""Attack: SIGKILL at a random moment of every command that writes.

Afterwards nothing of the user's is lost and nothing that is there is half-written, and the same command completes and
comes to what an undisturbed one does.
"""

import json
import random
import shutil
import time
from pathlib import Path

from PIL import Image

from .children import Verdict
from .outcome import Came, read_outcome
from .said import Process, run_forked, wrong_with
from .stage import begin, go_on, lost, set_table

SECONDS = 240
"""A command may take so long, on a machine that is busy."""
LEFTOVERS = (".semantic-rl-",)
"""How the temporary files begin that a killed writer leaves and the next one removes."""


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Kill a command so many times; return what was wrong after each."""
    chance = random.Random(seed)
    _keep_often()
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    set_table(undisturbed, name, materials)
    said = run_forked(begin(name, undisturbed), undisturbed, SECONDS)
    if said.code:
        return [Verdict(0, f"undisturbed: exit code {said.code}: {said.err[-300:]}")]
    expected = read_outcome(name, undisturbed)
    if expected.error:
        return [Verdict(0, f"undisturbed: {expected.error}")]
    verdicts: list[Verdict] = []
    for index in range(count):
        here = folder / str(index)
        here.mkdir()
        set_table(here, name, materials)
        seconds = chance.uniform(0.02, 1.0) * said.seconds
        wrong = _kill_and_go_on(name, here, seconds, chance.random() < 0.7, expected)
        verdicts.append(Verdict(index, wrong))
        shutil.rmtree(here)
    return verdicts


def _keep_often() -> None:
    """Make a fit keep what it has so often that a kill finds something: usually it does so every 30 s."""
    from semantic_rl.clustering import plane

    plane.SECONDS_BETWEEN_CHECKPOINTS = 0.1


def _kill_and_go_on(name: str, folder: Path, seconds: float, with_all_it_started: bool, expected: Came) -> str | None:
    process = Process(begin(name, folder), folder)
    time.sleep(seconds)
    process.kill(with_all_it_started)
    process.wait(10)
    if wrong := lost(folder, name) or half_written(folder):
        return f"after {seconds:.2f} s: {wrong}"
    said = run_forked(go_on(name, folder), folder, SECONDS)
    was_done = said.code == 2 and " already" in said.err and read_outcome(name, folder) == expected
    failed = said.code and not was_done
    wrong = wrong_with(said, SECONDS) or (f"exit code {said.code}: {said.err[-300:]}" if failed else None)
    if wrong is None:
        found = read_outcome(name, folder)
        differs = None if found == expected else found.error or "it comes to something else than undisturbed"
        wrong = lost(folder, name) or differs
    return wrong and f"killed after {seconds:.2f} s, then {wrong}"


def half_written(folder: Path) -> str | None:
    """Say what is there under its own name although it was not written to its end; of what is readable by itself."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(part.startswith(LEFTOVERS) for part in path.relative_to(folder).parts):
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix in (".png", ".webp", ".gif"):
                with Image.open(path) as image:
                    image.load()
            elif path.suffix in (".html", ".svg"):
                assert path.read_text().rstrip().endswith(f"</{path.suffix[1:]}>"), "it is cut off"
        except (OSError, ValueError, AssertionError) as error:
            return f"{path.relative_to(folder)} is half-written: {error}"
    return None
