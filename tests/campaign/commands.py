"""Every command that writes, on the materials: what it is called with, where it writes, what it must come to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .materials import CLIPS, GAME, PPO, STEPS_OF_UPDATE, TRAIN, copy_of

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
    can_resume: bool = False
    """Whether it goes on with --resume where something is there already."""


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


def _weights(run: Path) -> dict[str, bytes]:
    from semantic_rl.training.checkpoint import load_checkpoint

    return {name: value.numpy().tobytes() for name, value in load_checkpoint(run).policy.items()}


def _trained(out: Path) -> Any:
    from semantic_rl.analysis.progress import read_progress

    (run,) = [path for path in out.iterdir() if (path / "config.json").exists()]
    return read_progress(run / "progress.csv", lambda warning: None).steps.tolist(), _weights(run)


def _tables(recording: Path) -> Any:
    from semantic_rl.recording.store import open_recording

    opened = open_recording(recording)
    frames = [opened.observation(row).tobytes() for row in range(0, opened.num_states, 5)]
    return opened.states.drop("features").rows(), opened.episodes.rows(), frames


def _pictures(out: Path) -> Any:
    from PIL import Image

    names = sorted(path.name for path in out.iterdir() if not path.name.startswith(".semantic-rl-"))
    for path in out.iterdir():
        if path.suffix in (".png", ".webp", ".gif"):
            with Image.open(path) as image:
                image.load()
        elif path.suffix == ".svg":
            assert path.read_text().rstrip().endswith("</svg>"), f"{path.name} is cut off"
        elif path.suffix == ".json":
            json.loads(path.read_text())
    return names


def _metrics(path: Path) -> Any:
    content = json.loads(path.read_text())
    return [metric["values"] for metric in content["metrics"]]


def _page(path: Path) -> Any:
    text = path.read_text()
    assert text.rstrip().endswith("</html>"), f"{path.name} is cut off"
    return len(text) > 10_000


def _agent(out: Path) -> Any:
    from semantic_rl.agents import read_card
    from semantic_rl.training.checkpoint import load_policy

    load_policy(out)
    return sorted(read_card(out))


def _imported(out: Path) -> Any:
    from semantic_rl.training.checkpoint import load_policy

    return {name: value.numpy().tobytes() for name, value in load_policy(out).state_dict().items()}


def _demo(out: Path) -> Any:
    return _tables(out / "recording")[1], _page(out / "report.html"), _pictures(out / "figures")


def _of_recording(*words: str) -> Arguments:
    """A command that reads `recording`, which stands for itself among its words."""
    return lambda folder, out: [{"OUT": str(out), "REC": f"{folder}/recording"}.get(word, word) for word in words]


WRITING: dict[str, Writing] = {
    "train": Writing(train, (), "", _trained, can_resume=True),
    "record": Writing(record, (), "", _tables, can_resume=True),
    "clips": Writing(_of_recording("clips", "REC", *CLIPS, "--out", "OUT"), ("recording",), "", _pictures),
    "figures embeddings": Writing(
        _of_recording("figures", "embeddings", "REC", *THREADS, "--out", "OUT"), ("recording",), "", _pictures
    ),
    "figures clusters": Writing(
        _of_recording("figures", "clusters", "REC", "--out", "OUT"), ("recording",), "", _pictures
    ),
    "figures transitions": Writing(
        _of_recording("figures", "transitions", "REC", "--out", "OUT"), ("recording",), "", _pictures
    ),
    "figures curves": Writing(curves, ("runs",), "", _pictures),
    "metrics": Writing(
        _of_recording("metrics", "REC", "--resamples", "100", "--out", "OUT"), ("recording",), ".json", _metrics
    ),
    "report": Writing(
        _of_recording("report", "REC", "--no-baselines", *THREADS, "--out", "OUT"), ("recording",), ".html", _page
    ),
    "explore --export": Writing(
        _of_recording("explore", "REC", "--frames", "50", "--export", "OUT"), ("recording",), ".html", _page
    ),
    "pack": Writing(pack, ("run",), "", _agent),
    "reproduce": Writing(reproduce, (), "", _trained),
    "import-original": Writing(import_original, ("original",), "", _imported),
    "demo": Writing(demo, (), "", _demo),
}
"""All of them but the notes that the explorer's server writes."""


def out_of(name: str, folder: Path) -> Path:
    """Return what a command writes in a folder."""
    return folder / f"out{WRITING[name].suffix}"


def set_table(folder: Path, name: str, materials: Path) -> None:
    """Put what a command needs into an empty folder, with files of the user's where it will write."""
    for material in WRITING[name].needs:
        copy_of(materials / material, folder)
    for canary in canaries(folder, name):
        canary.write_text("the user's")


def canaries(folder: Path, name: str) -> list[Path]:
    """Return files of the user's beside what a command writes, with names that it might take for its own."""
    out = out_of(name, folder).name
    return [folder / f"{out}.tmp", folder / f".{out}.tmp", folder / "notes.txt", folder / f"{out}~"]


def lost(folder: Path, name: str) -> str | None:
    """Say which of the user's files is no longer what it was."""
    for canary in canaries(folder, name):
        if not canary.is_file() or canary.read_text() != "the user's":
            return f"{canary.name}, a file of the user's, was lost"
    return None


def begin(name: str, folder: Path) -> list[str]:
    """Return the arguments with which a command is begun."""
    return WRITING[name].arguments(folder, out_of(name, folder))


def go_on(name: str, folder: Path) -> list[str]:
    """Return the arguments with which it goes on after an interruption."""
    out = out_of(name, folder)
    run = next(iter(out.glob("*-*_*_*_*_*")), None) if name == "train" else out
    resume = WRITING[name].can_resume and run is not None and run.exists()
    return [*begin(name, folder), *(["--resume"] if resume else [])]
