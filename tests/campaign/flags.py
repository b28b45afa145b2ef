"""Attack: every flag of every command with values that are wrong, strange, or right in the wrong place.

The flags are those of the dataclasses in `config`. Where a command reads or writes there is nothing and no place, so
that one whose flags are all accepted ends in a refusal too, and none begins its work.
"""

import dataclasses
import os
import random
import shutil
import types
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Any

from semantic_rl import config
from semantic_rl.cli import COMMANDS, FIGURES

from .children import Verdict, try_all
from .examples import STRANGE_NUMBERS, STRANGE_TEXTS
from .said import run_here, wrong_with

SECONDS = 10
CONFIGS: dict[str, type] = {
    "train": config.TrainConfig,
    "reproduce": config.ReproduceConfig,
    "evaluate": config.EvaluateConfig,
    "record": config.RecordConfig,
    "agents": config.AgentsConfig,
    "layers": config.LayersConfig,
    "check": config.CheckConfig,
    "pack": config.PackConfig,
    "clips": config.ClipsConfig,
    "metrics": config.MetricsConfig,
    "explore": config.ExploreConfig,
    "report": config.ReportConfig,
    "fit": config.FitConfig,
    "import-states": config.ImportStatesConfig,
    "import-original": config.ImportOriginalConfig,
    "demo": config.DemoConfig,
    "figures embeddings": config.EmbeddingsFigureConfig,
    "figures clusters": config.ClustersFigureConfig,
    "figures transitions": config.TransitionsFigureConfig,
    "figures curves": config.CurvesFigureConfig,
}
BASES: dict[str, tuple[str, ...]] = {
    "train": ("--run-root", "file/runs"),
    "reproduce": ("--out", "file/runs"),
    "evaluate": ("nothing",),
    "record": ("nothing", "--out", "file/out"),
    "agents": ("nothing",),
    "layers": ("nothing",),
    "check": ("nothing",),
    "pack": ("nothing", "--out", "file/out"),
    "clips": ("nothing", "--out", "file/out"),
    "metrics": ("nothing",),
    "explore": ("nothing",),
    "report": ("nothing", "--out", "file/out.html"),
    "fit": ("nothing",),
    "import-states": ("nothing", "--out", "file/out"),
    "import-original": ("nothing", "--env", "coinrun", "--out", "file/out"),
    "demo": ("--agent", "nothing", "--out", "file/out"),
    "figures embeddings": ("nothing", "--out", "file/out"),
    "figures clusters": ("nothing", "--out", "file/out"),
    "figures transitions": ("nothing", "--out", "file/out"),
    "figures curves": ("--run-root", "nothing", "--out", "file/out"),
}
"""What each command line has besides: `file` is a regular file, and `nothing` is not there."""


def flags_of(settings: Any) -> list[tuple[str, Any]]:
    """Return the flags that a dataclass makes and the types of their values, those of the dataclasses in it too."""
    found: list[tuple[str, Any]] = []
    hints = typing.get_type_hints(settings, include_extras=True)
    for field in dataclasses.fields(settings):
        kind = hints[field.name]
        marks = repr(getattr(kind, "__metadata__", ())).lower()
        if "suppress" in marks or "positional" in marks:
            continue
        if dataclasses.is_dataclass(kind):
            found += flags_of(kind)
        else:
            found.append(("--" + field.name.replace("_", "-"), kind))
    return found


def commands_without_attack() -> set[str]:
    """Return the commands whose flags nobody has told this module of."""
    names = {name for name in COMMANDS if name != "figures"} | {f"figures {name}" for name in FIGURES}
    return names - set(CONFIGS)


def command_lines(seed: int, count: int) -> list[list[str]]:
    """Return so many command lines, spread over all commands and flags."""
    values = [
        *STRANGE_TEXTS,
        *map(str, STRANGE_NUMBERS),
        "--",
        "-",
        "--seed",
        "1e6",
        "0x10",
        "\u0661",
        "1_000",
        "~",
        "a b",
    ]
    values = [value for value in values if "\0" not in value]  # the system hands no program such an argument
    lines: list[list[str]] = []
    for command, settings in CONFIGS.items():
        for flag, kind in flags_of(settings):
            no = flag.replace("--", "--no-", 1)
            base = [*command.split(), *BASES[command]]
            lines += [[*base, flag, value] for value in values]
            lines += [[*base, flag], [*base, flag, "1", flag, "2"], [*base, f"{flag}="], [*base, flag + "x", "1"]]
            lines += [[*base, flag, "1", "2", "3"], [*base, no], [*base, no, "true"]]
            lines += [[*base, flag, value] for value in _others(kind)]
        words = [["--nothing"], ["a", "b", "c"], ["\udcff"], ["--help", "x"]]
        if _needs_words(settings):  # the others are right as they stand and would train for hours
            words.append([])
        lines += [[*command.split(), *more] for more in words]
    random.Random(seed).shuffle(lines)
    return lines[:count]


def _needs_words(settings: Any) -> bool:
    """Return whether a command is wrong without any words."""
    missing = dataclasses.MISSING
    return any(field.default is missing and field.default_factory is missing for field in dataclasses.fields(settings))


def _others(kind: Any) -> list[str]:
    """Return values near those that a type allows."""
    arguments = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    choices = [value for one in arguments if typing.get_origin(one) is typing.Literal for value in typing.get_args(one)]
    return [f"{value}{end}" for value in choices for end in ("", "x", " ")] + [
        str(choice).upper() for choice in choices[:1]
    ]


def attack(
    name: str, seed: int, count: int, materials: Path, folder: Path, only: Collection[int] | None = None
) -> list[Verdict]:
    """Run so many command lines, or only some of them, each in a folder of its own; return what was wrong with each."""
    lines = command_lines(seed, count)

    def prepare() -> None:
        os.environ["COLUMNS"] = "100"

    def try_one(index: int) -> str | None:
        here = folder / str(index)
        here.mkdir()
        (here / "file").touch()
        os.chdir(here)
        said = run_here(lines[index])
        wrong = wrong_with(said, SECONDS)
        if wrong is None and (left := [path for path in here.iterdir() if path.name != "file"]):
            wrong = f"left {left[0].name!r} behind"
            os.rename(left[0], folder.parent / f"left-{os.getpid()}-{index}")
        os.chdir(folder)
        shutil.rmtree(here)
        return None if wrong is None else f"{wrong} ← {' '.join(lines[index])[:200]}"

    def with_its_line(verdict: Verdict) -> Verdict:
        line = f" ← {' '.join(lines[verdict.index])[:200]}"
        return verdict._replace(wrong=verdict.wrong + line) if verdict.wrong and "←" not in verdict.wrong else verdict

    return [
        with_its_line(found)
        for found in try_all(range(len(lines)) if only is None else only, try_one, prepare, SECONDS)
    ]
