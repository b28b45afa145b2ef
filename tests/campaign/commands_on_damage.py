"""Attack: whole commands on folders of which one file is damaged: they do what can be done, or end in one sentence."""

import random
from pathlib import Path

from .children import Verdict
from .files import TARGETS, damage
from .said import run_forked, wrong_with
from .stage import COMMANDS, begin, lost, set_table

SECONDS = 120
FILES = {
    "recording": ("recording.json", "states.parquet", "episodes.parquet", "observations", "pictures", "annotations",
                  "t-SNE cache", "metrics.json"),
    "run": ("config.json", "state.json", "weights", "progress.csv"),
    "original": ("original",),
    "agents": ("zip of Stable-Baselines3", "data in a zip", "weights in a zip", "VecNormalize"),
    "unfitted": ("recording.json of others", "states of others", "observations of others"),
    "fitted": ("clustering.json", "head", "clustering's states", "default.json", "clustering's names",
               "recording.json of others", "states of others"),
    "states.parquet": ("Parquet to import",),
    "labels.npz": ("labels", "labels in an npz"),
}  # fmt: skip
"""The targets of `files` that are in a material."""
READING = [name for name, command in COMMANDS.items() if command.needs and command.needs[0] in FILES]


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Run a command on so many damaged folders; return what was wrong with its end."""
    chance = random.Random(seed)
    material = COMMANDS[name].needs[0]
    names = [chance.choice(FILES[material]) for _ in range(count)]
    inputs = {target: damage(target, seed, names.count(target)) for target in set(names)}
    verdicts: list[Verdict] = []
    for index, target in enumerate(names):
        here = folder / str(index)
        here.mkdir()
        set_table(here, name, materials)
        inside = TARGETS[target].file
        file = sorted((here / material).glob(inside))[0] if inside else here / material
        edits = inputs[target].pop() if inputs[target] else []
        file.write_bytes(TARGETS[target].damaged(file.read_bytes(), edits))
        said = run_forked(begin(name, here), here, SECONDS)
        wrong = wrong_with(said, SECONDS) or lost(here, name)
        verdicts.append(Verdict(index, wrong and f"{target}: {wrong}"))
    return verdicts
