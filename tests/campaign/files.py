"""Attack: damaged and hostile files of every kind are read; each is read, or refused in one sentence."""

import os
import pickle
import random
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from . import foreign
from .children import Verdict, try_all
from .examples import Edit, draw, edits_of_bytes, edits_of_json
from .materials import copy_of
from .said import captured
from .tables import edits_of_table
from .target import Read, Target


def _recording(path: Path) -> None:
    """Read all of a recording, by every way that figures and explorer take."""
    import numpy as np

    from semantic_rl.explorer.dataset.dataset import Explored, Settings
    from semantic_rl.recording.store import open_recording

    recording = open_recording(path)
    explored = Explored(recording, Settings(10_000, 1_000, 30.0, 0))
    assert np.isfinite(explored.states.value).all(), "values that are not finite are believed"
    assert explored.states.action.max() < recording.num_actions, "actions that there are not are believed"
    if explored.states.code_index is not None:
        assert explored.states.code_index.max() < recording.num_codes, "codes that there are not are believed"
    for _, features in recording.feature_groups():
        assert np.isfinite(features).all(), "features that are not finite are believed"
    _ = recording.states, recording.episodes, recording.summary()
    for row in range(0, recording.num_states, 7):
        recording.observation(row)
        recording.frame(row)


def _annotations(path: Path) -> None:
    from semantic_rl.recording.store.annotations import Annotations
    from semantic_rl.recording.store.names import cluster_notes

    Annotations(path).read()
    cluster_notes(path)


def _tsne(path: Path) -> None:
    """A cache that is wrong is made anew, so this must succeed; the plane is finite."""
    import numpy as np

    from semantic_rl.analysis.embedding import sample_rows, tsne_of
    from semantic_rl.recording.store import open_recording

    recording = open_recording(path, with_frames=False)
    rows = sample_rows(recording.num_states, 30_000, 0)
    plane = tsne_of(recording, rows, 30.0, 0, 1)
    assert plane.shape == (len(rows), 2), "a plane of another shape is believed"
    assert np.isfinite(plane).all(), "a plane that is not finite is believed"


def _metrics(path: Path) -> None:
    from semantic_rl.recording.store import open_recording
    from semantic_rl.report.stored import read_metrics

    read_metrics(path / "derived" / "metrics.json", open_recording(path, with_frames=False))


def _clips(path: Path) -> None:
    from semantic_rl.recording.store import open_recording
    from semantic_rl.report.clips import read_clips

    read_clips(path, open_recording(path.parent / "recording", with_frames=False))


def _progress(path: Path) -> None:
    from semantic_rl.analysis.progress import read_progress

    read_progress(path / "progress.csv", lambda warning: None)


def _run(path: Path) -> None:
    from semantic_rl.training.checkpoint import load_checkpoint, load_policy

    load_policy(path)
    load_checkpoint(path)


def _agent(path: Path) -> None:
    from semantic_rl.agents import read_card
    from semantic_rl.training.checkpoint import load_policy

    read_card(path)
    load_policy(path)


def _original(path: Path) -> None:
    from semantic_rl.original.checkpoint_file import read_original_file

    read_original_file(path)


CHECKED = (_recording, _run, _agent)
"""What `semantic-rl check` can be asked about; it must find what these refuse."""

TARGETS: dict[str, Target] = {
    "recording.json": Target("recording", "recording.json", _recording, is_json=True),
    "states.parquet": Target("recording", "states.parquet", _recording, is_table=True),
    "episodes.parquet": Target("recording", "episodes.parquet", _recording, is_table=True),
    "observations": Target("recording", "frames/observations-*.arrow", _recording),
    "pictures": Target("recording", "frames/pictures-*.arrow", _recording),
    "annotations": Target("recording", "annotations.json", _annotations, is_json=True),
    "t-SNE cache": Target("recording", "derived/tsne-*.parquet", _tsne, is_table=True, share=0.02),
    "metrics.json": Target("recording", "derived/metrics.json", _metrics, is_json=True),
    "clips.json": Target("clips", "clips.json", _clips, is_json=True, beside=("recording",)),
    "progress.csv": Target("run", "progress.csv", _progress),
    "config.json": Target("run", "config.json", _run, is_json=True, share=0.3),
    "state.json": Target("run", "checkpoints/*3/state.json", _run, is_json=True, share=0.3),
    "weights": Target("run", "checkpoints/*3/policy.safetensors", _run, share=0.3),
    "trainer's state": Target("run", "checkpoints/*3/worker-000.safetensors", _run, share=0.3),
    "card.json": Target("agent", "card.json", _agent, is_json=True, share=0.3),
    "original": Target("original", "", _original, share=0.3),
    "arrays": Target("arrays", "", _original),
    **foreign.TARGETS,
}


class Canary:
    """What a pickle that is executed would leave behind."""

    path: Path

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.path}",))


def damage(name: str, seed: int, count: int) -> list[list[Edit]]:
    """Return so many ways to damage a kind of file, always the same for a seed."""
    target = TARGETS[name]
    kinds = [edits_of_bytes()]
    if target.is_json:
        kinds.append(edits_of_json())
    if target.is_table:
        kinds.append(edits_of_table())
    found: list[list[Edit]] = []
    for index, kind in enumerate(kinds):
        found += draw(kind, seed + index, -(-count // len(kinds)))
    random.Random(seed).shuffle(found)
    return found[:count]


def attack(
    name: str, seed: int, count: int, materials: Path, folder: Path, only: Collection[int] | None = None
) -> list[Verdict]:
    """Read so many damaged files of a kind, or only some of them; return what was wrong with each."""
    target = TARGETS[name]
    inputs = damage(name, seed, count)
    canary = folder / "executed"
    Canary.path = canary
    here = folder / "here"
    good = _file(materials / target.material, target).read_bytes()

    def prepare() -> None:
        """Copy the material, which the child before may have left damaged."""
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        for name in (target.material, *target.beside):
            copy_of(materials / name, here)
        target.read(here / target.material)

    def try_one(index: int) -> str | None:
        bad = target.damaged(good, inputs[index] if index % 25 else [lambda data: pickle.dumps(Canary())])
        file = _file(here / target.material, target)
        file.write_bytes(bad)
        try:
            wrong = _wrong(target.read, here / target.material)
        finally:
            file.write_bytes(good)
        return "something was executed" if canary.exists() else wrong

    return list(try_all(range(len(inputs)) if only is None else only, try_one, prepare))


def _file(material: Path, target: Target) -> Path:
    """Return the file of a material that is damaged."""
    return sorted(material.glob(target.file))[0] if target.file else material


def _wrong(read: Read, material: Path) -> str | None:
    from semantic_rl.checking import check
    from semantic_rl.errors import UserError

    wrong = None
    with captured() as err:
        try:
            read(material)
        except UserError as error:
            if "\n" in str(error).strip():
                wrong = f"a refusal of several lines: {str(error)[:200]!r}"
            elif read in CHECKED and check(material).is_right:
                wrong = f"'check' finds nothing wrong with what is refused: {str(error)[:300]}"
        except BaseException as error:
            wrong = f"{type(error).__name__}: {str(error)[:300]}"
        said = "\n".join(line for line in err().splitlines() if not line.startswith("note: "))
    if wrong is None and said:
        wrong = f"wrote on stderr: {said[:300]}"
    return wrong
