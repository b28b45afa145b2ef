"""The good things that are attacked: a recording, a run, an agent, a checkpoint of the original, made once."""

import os
import shutil
from pathlib import Path

GAME = "coinrun"
PPO = (
    "--num-envs", "4", "--num-steps", "8", "--num-minibatches", "2", "--num-epochs", "1",
    "--checkpoint-interval", "1", "--precision", "fp32", "--device", "cpu", "--num-threads", "1",
)  # fmt: skip
TRAIN = (*PPO, "--semantic-interval", "2", "--seed", "7")
"""Updates of 32 steps."""
STEPS_OF_UPDATE = 32
RUN_NAME = "sppo-coinrun_easy_0_0_7"


def make_materials(folder: Path) -> None:
    """Fill a folder, in a forked child; does nothing where it is filled already."""
    if (folder / "ready").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    child = os.fork()
    if child == 0:
        try:
            _fill(folder)
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the harness: the materials could not be made")
    (folder / "ready").touch()


def _fill(folder: Path) -> None:
    """Write `run`, `agent`, `recording` (synthetic), `clips`, `original`, `runs`, and what `foreign` names."""
    from semantic_rl.cli import main
    from tests.progress_files import write_run

    from . import foreign
    from .said import captured

    with captured():
        timesteps = str(3 * STEPS_OF_UPDATE)
        main(["train", "--env", GAME, *TRAIN, "--timesteps", timesteps, "--run-root", str(folder / "trained")])
        (folder / "trained" / RUN_NAME).rename(folder / "run")
        write_run(folder / "runs", "sppo-coinrun_easy_0_0_1", range(20))
        main(["pack", str(folder / "run"), "--episodes", "1", "--out", str(folder / "agent")])
        _make_synthetic(folder / "recording")
        main(["clips", str(folder / "recording"), "--out", str(folder / "clips"), *CLIPS])
        main(["metrics", str(folder / "recording"), "--resamples", "100"])
        main(["figures", "embeddings", str(folder / "recording"), "--out", str(folder / "figures")])
        foreign.fill(folder)
    _name_clusters(folder / "recording")
    _write_originals(folder)


CLIPS = ("--video-size", "0", "--animation-size", "64", "--frames", "12", "--min-shot", "1", "--all-episodes")


def _make_synthetic(path: Path) -> None:
    from tests.recording.synthetic import make_recording

    make_recording(path, num_episodes=4, picture_size=64)


def _name_clusters(recording: Path) -> None:
    from semantic_rl.recording.store.annotations import Annotations

    notes = Annotations(recording)
    notes.put_cluster(1, "a name", "a note", "Ada", seen=0)
    notes.add_selection({"plane": "fdr", "polygon": [[0, 0], [1, 0], [1, 1]], "count": 3}, "kept", "", "Ada")


def _write_originals(folder: Path) -> None:
    """Write what the original's joblib does: a whole checkpoint, and a small file with arrays of several kinds."""
    import joblib
    import numpy as np

    from tests.original.test_import_checkpoint import original_variables

    joblib.dump(
        {name: value for name, value in original_variables(8).items() if "Adam" not in name}, folder / "original"
    )
    generator = np.random.default_rng(0)
    arrays = {f"sppo2_model/pi/w{index}:0": generator.normal(size=(3, 2)).astype(np.float32) for index in range(8)}
    joblib.dump({**arrays, "fortran": np.asfortranarray(generator.normal(size=(4, 3)))}, folder / "arrays")


def copy_of(material: Path, folder: Path) -> Path:
    """Copy a material into a folder of its own, where it may be spoiled."""
    copy = folder / material.name
    shutil.copytree(material, copy) if material.is_dir() else shutil.copyfile(material, copy)
    return copy
