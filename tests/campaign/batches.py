"""What the whole campaign tries, cut into batches that are each run in a process of its own and remembered."""

import json
import os
import shutil
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple, Protocol

from .children import Verdict
from .commands import WRITING
from .commands_on_damage import READING
from .files import TARGETS


class Attack(Protocol):
    """Called with what is attacked, a seed, how often, the materials, an empty folder."""

    def __call__(self, name: str, seed: int, count: int, materials: Path, folder: Path, /) -> list[Verdict]: ...


class AttackOfSome(Protocol):
    """The same for some of the inputs alone, in an attack whose inputs can be late."""

    def __call__(
        self, name: str, seed: int, count: int, materials: Path, folder: Path, only: Collection[int], /
    ) -> list[Verdict]: ...


class Batch(NamedTuple):
    """A number of inputs of one kind."""

    attack: str
    """Module that has the function `attack`."""
    name: str
    """What is attacked."""
    seed: int
    count: int

    @property
    def file_name(self) -> str:
        """Where its results are kept."""
        return f"{self.attack}-{self.name}-{self.seed}-{self.count}".replace(" ", "_").replace("/", "_")


FILES = 4_200
"""Inputs of each kind of file."""
BATCH = 2_000


def all_batches(share: float = 1.0) -> list[Batch]:
    """Return the batches of the whole, or of a share of it; the long ones first."""
    return [
        *_cut("files", {name: target.share * FILES * share for name, target in TARGETS.items()}),
        *_cut("flags", {"command lines": 12_000 * share}),
        *_cut("requests", {"HTTP": 40_000 * share}),
        *_cut("commands_on_damage", dict.fromkeys(READING, 50 * share), 25),
        *_cut("kills", dict.fromkeys(WRITING, 15 * share), 5),
        *_cut("notes", {"notes": 30 * share}, 10),
        *_cut("pairs", dict.fromkeys(WRITING, 5 * share)),
        *_cut("places", dict.fromkeys(WRITING, 44 * share), 22),
    ]  # fmt: skip


def small_batches() -> list[Batch]:
    """Return what every test run tries: some of each kind, in about two minutes."""
    writing = ("train", "record", "record of others", "import-states", "fit", "clips", "figures transitions", "metrics")
    on_damage = ("figures clusters", "clips", "explore --export", "fit", "record of others", "evaluate of others",
                 "fit --labels", "report of others")  # fmt: skip
    places = [name for name in WRITING if name not in ("demo", "reproduce", "report")]
    return [
        *_cut("files", {name: 40 if target.share == 1 else 10 * target.share for name, target in TARGETS.items()}),
        *_cut("flags", {"command lines": 200}),
        *_cut("requests", {"HTTP": 600}),
        *_cut("commands_on_damage", dict.fromkeys(on_damage, 2)),
        *_cut("kills", dict.fromkeys(writing, 1)),
        *_cut("notes", {"notes": 2}),
        *_cut("pairs", dict.fromkeys(writing, 1)),
        *_cut("places", dict.fromkeys(places, 4)),
    ]


def _cut(attack: str, counts: dict[str, float], size: int = BATCH) -> list[Batch]:
    batches: list[Batch] = []
    for name, count in counts.items():
        left = max(1, round(count))
        while left > 0:
            batches.append(Batch(attack, name, len(batches), min(size, left)))
            left -= size
    return batches


def run_batch(batch: Batch, folder: Path) -> list[Verdict]:
    """Run a batch, in a process that has used nothing of the package yet, and keep what was found."""
    begun = time.monotonic()
    attack: Attack = import_module(f"tests.campaign.{batch.attack}").attack
    with _empty_folder(folder) as here:
        verdicts = attack(batch.name, batch.seed, batch.count, folder / "materials", here)
    wrong = [[verdict.index, verdict.wrong] for verdict in verdicts if verdict.wrong is not None]
    late = [[verdict.index, verdict.late, None] for verdict in verdicts if verdict.late is not None]
    seconds = round(time.monotonic() - begun, 1)
    _write(batch, folder, {"tried": len(verdicts), "wrong": wrong, "late": late, "seconds": seconds})
    return verdicts


def late_of(batch: Batch, folder: Path) -> list[int]:
    """Return the inputs of a finished batch that took too long and were not tried again yet."""
    content = json.loads((folder / f"{batch.file_name}.json").read_text())
    return [index for index, _, again in content.get("late", []) if again is None]


def try_late_again(batch: Batch, folder: Path) -> None:
    """Try those once more, in a process like that of `run_batch`, while nothing else is tried; keep both times."""
    content = json.loads((folder / f"{batch.file_name}.json").read_text())
    indices = late_of(batch, folder)
    attack: AttackOfSome = import_module(f"tests.campaign.{batch.attack}").attack
    with _empty_folder(folder) as here:
        found = {
            verdict.index: verdict
            for verdict in attack(batch.name, batch.seed, batch.count, folder / "materials", here, indices)
        }
    for entry in content["late"]:
        index, first, again = entry
        if again is None:
            entry[2], wrong = said_of_both(first, found[index])
            content["wrong"] += [] if wrong is None else [[index, wrong]]
    _write(batch, folder, {name: content[name] for name in ("tried", "wrong", "late", "seconds")})


def said_of_both(first: str, second: Verdict) -> tuple[str, str | None]:
    """Return how the second try of a late input ended, and what is wrong with the input, None if nothing is."""
    if second.late is not None:
        return second.late, f"took {first}; once more by itself {second.late}"
    return f"{second.seconds:.1f} s", second.wrong and f"{second.wrong} (took {first}, and was tried again)"


def _write(batch: Batch, folder: Path, found: dict[str, object]) -> None:
    part = folder / f"{batch.file_name}.part"
    part.write_text(json.dumps({"batch": batch, **found}, indent=1))
    os.replace(part, folder / f"{batch.file_name}.json")


@contextmanager
def _empty_folder(folder: Path) -> Generator[Path]:
    here = Path(mkdtemp(prefix="work-", dir=folder))
    here.chmod(0o755)
    try:
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)


def import_everything() -> None:
    """Import what the children need, so that it is there at once in each; nothing of it may run a thread here."""
    for name in (
        "semantic_rl.cli", "semantic_rl.training.train", "semantic_rl.recording.record", "semantic_rl.report",
        "semantic_rl.explorer.server.routes", "semantic_rl.explorer.open_recordings", "semantic_rl.clips",
        "semantic_rl.agents.pack",
        "semantic_rl.evaluate", "semantic_rl.original.import_checkpoint", "semantic_rl.figures.embeddings",
        "semantic_rl.figures.clusters", "semantic_rl.figures.transitions", "semantic_rl.figures.curves",
        "semantic_rl.analysis.metrics", "semantic_rl.envs.procgen.vector_env", "uvicorn", "openTSNE", "sklearn.cluster",
        "sklearn.decomposition", "sklearn.neighbors", "rich.progress", "joblib", "matplotlib.pyplot", "tensorboard",
        *(f"semantic_rl.commands.{name}" for name in ("train", "record", "clips", "metrics", "report", "explore")),
        "semantic_rl.checking", "semantic_rl.clustering.fit", "semantic_rl.recording.own_data.import_states",
        "semantic_rl.evaluate_foreign", "semantic_rl.agents.open", "semantic_rl.agents.sb3",
        "semantic_rl.agents.layers", "semantic_rl.agents.sb3_networks", "gymnasium.envs.classic_control.cartpole",
        "pygame",
        # What a child may not be able to read any more once it has given up its rights.
        "cProfile", "pstats", "statistics", "torch._dynamo",
        "importlib.readers", "importlib.resources._adapters", "importlib.resources.readers",
        "multiprocessing.popen_spawn_posix",
    ):  # fmt: skip
        import_module(name)
