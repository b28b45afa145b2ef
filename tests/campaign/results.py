"""Reads what a command wrote: fails where that is damaged, and is the same after every run."""

import json
from pathlib import Path
from typing import Any


def weights_of(run: Path) -> dict[str, bytes]:
    from semantic_rl.training.checkpoint import load_checkpoint

    return {name: value.numpy().tobytes() for name, value in load_checkpoint(run).policy.items()}


def trained_of(out: Path) -> Any:
    from semantic_rl.analysis.progress import read_progress

    (run,) = [path for path in out.iterdir() if (path / "config.json").exists()]
    return read_progress(run / "progress.csv", lambda warning: None).steps.tolist(), weights_of(run)


def tables_of(recording: Path) -> Any:
    from semantic_rl.recording.store import open_recording

    opened = open_recording(recording)
    frames = [opened.observation(row).tobytes() for row in range(0, opened.num_states, 5)]
    return opened.states.drop("features").rows(), opened.episodes.rows(), frames


def pictures_of(out: Path) -> Any:
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


def metrics_of(path: Path) -> Any:
    content = json.loads(path.read_text())
    return [metric["values"] for metric in content["metrics"]]


def page_of(path: Path) -> Any:
    text = path.read_text()
    assert text.rstrip().endswith("</html>"), f"{path.name} is cut off"
    return len(text) > 10_000


def agent_of(out: Path) -> Any:
    from semantic_rl.agents import read_card
    from semantic_rl.training.checkpoint import load_policy

    load_policy(out)
    return sorted(read_card(out))


def imported_of(out: Path) -> Any:
    from semantic_rl.training.checkpoint import load_policy

    return {name: value.numpy().tobytes() for name, value in load_policy(out).state_dict().items()}


def demo_of(out: Path) -> Any:
    return tables_of(out / "recording")[1], page_of(out / "report.html"), pictures_of(out / "figures")


def clustering_of(out: Path) -> Any:
    from semantic_rl.recording.store import open_recording

    opened = open_recording(out.parent.parent, clustering=out.name)
    return opened.table("embedding_x", "embedding_y", "code_index").rows(), opened.fitted.scores  # type: ignore
