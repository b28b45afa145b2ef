"""Every command that writes, on the materials: what it is called with, where it writes, what it must come to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from . import foreign
from .materials import CLIPS, GAME, PPO, STEPS_OF_UPDATE, TRAIN
from .results import (
    agent_of,
    clustering_of,
    demo_of,
    imported_of,
    metrics_of,
    page_of,
    pictures_of,
    tables_of,
    trained_of,
)

THREADS = ("--num-threads", "1")
PLAY = ("--num-envs", "4", "--precision", "fp32", "--device", "cpu", *THREADS)


Arguments = Callable[[Path, Path], list[str]]
"""Called with the folder in which the materials are, and with what the command is to write."""


class Writing(NamedTuple):
    """A command that writes."""

    arguments: Arguments
    needs: tuple[str, ...]
    """Materials that are copied into the folder in which it is run."""
    suffix: str
    """How the name of what it writes ends; a folder, where there is none."""
    result: Callable[[Path], Any]
    """Reads what it wrote, given its path: fails where that is damaged, and is the same after every run."""
    unfinished: str | None = None
    """Pattern of what it leaves where it writes and goes on from with --resume; empty: whatever is there."""
    inside: str = ""
    """Where in the folder it writes, if nobody tells it."""


def train(folder: Path, out: Path) -> list[str]:
    return ["train", "--env", GAME, *TRAIN, "--timesteps", str(4 * STEPS_OF_UPDATE), "--run-root", str(out)]


def record(folder: Path, out: Path) -> list[str]:
    return ["record", "sppo-coinrun", "--states", "150", "--frame-size", "64", *PLAY, "--out", str(out)]


def curves(folder: Path, out: Path) -> list[str]:
    return ["figures", "curves", "--run-root", f"{folder}/runs", "--skip-updates", "0", "--out", str(out)]


def reproduce(folder: Path, out: Path) -> list[str]:
    one = ("--games", GAME, "--algorithms", "ppo", "--seeds", "7", "--timesteps", str(3 * STEPS_OF_UPDATE))
    return ["reproduce", *one, *PPO, "--out", str(out)]


def pack(folder: Path, out: Path) -> list[str]:
    return ["pack", f"{folder}/run", "--episodes", "1", "--out", str(out)]


def import_original(folder: Path, out: Path) -> list[str]:
    return ["import-original", f"{folder}/original", "--env", GAME, "--out", str(out)]


def demo(folder: Path, out: Path) -> list[str]:
    return ["demo", "--agent", "sppo-coinrun", "--states", "150", *THREADS, "--out", str(out)]


def record_others(folder: Path, out: Path) -> list[str]:
    return ["record", *foreign.agent(folder / "agents"), *foreign.FEW_STATES, "--out", str(out)]


def fit(folder: Path, out: Path) -> list[str]:
    return ["fit", f"{folder}/unfitted", *foreign.FIT, "--codes", "3", "--steps", "600"]


def of_recording(*words: str) -> Arguments:
    """A command whose words REC, FIT, LABELS and OUT stand for materials and for what it writes."""
    named = {"REC": "recording", "FIT": "fitted", "LABELS": "labels.npz"}
    return lambda folder, out: [
        str(out) if word == "OUT" else f"{folder}/{named[word]}" if word in named else word for word in words
    ]


WRITING: dict[str, Writing] = {
    "train": Writing(train, (), "", trained_of, "*-*_*_*_*_*"),
    "record": Writing(record, (), "", tables_of, ""),
    "record of others": Writing(record_others, ("agents",), "", tables_of, ""),
    "import-states": Writing(
        lambda folder, out: ["import-states", f"{folder}/states.parquet", "--out", str(out)],
        ("states.parquet",),
        "",
        tables_of,
    ),
    "fit": Writing(
        fit,
        ("unfitted",),
        "",
        clustering_of,
        "unfinished.safetensors",
        f"unfitted/clusterings/{foreign.CLUSTERING}",
    ),
    "clips": Writing(of_recording("clips", "REC", *CLIPS, "--out", "OUT"), ("recording",), "", pictures_of),
    "figures embeddings": Writing(
        of_recording("figures", "embeddings", "REC", *THREADS, "--out", "OUT"), ("recording",), "", pictures_of
    ),
    "figures clusters": Writing(
        of_recording("figures", "clusters", "REC", "--out", "OUT"), ("recording",), "", pictures_of
    ),
    "figures transitions": Writing(
        of_recording("figures", "transitions", "REC", "--out", "OUT"), ("recording",), "", pictures_of
    ),
    "figures curves": Writing(curves, ("runs",), "", pictures_of),
    "metrics": Writing(
        of_recording("metrics", "REC", "--resamples", "100", "--out", "OUT"),
        ("recording",),
        ".json",
        metrics_of,
    ),
    "report": Writing(
        of_recording("report", "REC", "--no-baselines", *THREADS, "--out", "OUT"),
        ("recording",),
        ".html",
        page_of,
    ),
    "explore --export": Writing(
        of_recording("explore", "REC", "--frames", "50", "--export", "OUT"), ("recording",), ".html", page_of
    ),
    "pack": Writing(pack, ("run",), "", agent_of),
    "reproduce": Writing(reproduce, (), "", trained_of),
    "import-original": Writing(import_original, ("original",), "", imported_of),
    "demo": Writing(demo, (), "", demo_of),
}
"""All of them but the notes that the explorer's server writes."""
