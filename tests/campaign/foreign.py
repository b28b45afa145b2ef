"""Agents that others trained, their recordings with clusterings, and states to import: materials and damaged files."""

from pathlib import Path

from .target import Target

ENV = "CartPole-v1"
CLUSTERING = "mlp-3"
FIT = ("--no-baselines", "--num-threads", "1")
FEW_STATES = ("--states", "150", "--num-envs", "4", "--frame-size", "64", "--num-threads", "1")
PLAYED = ("--env", ENV, "--vec-normalize")


def fill(folder: Path) -> None:
    """Write `agents` (a zip and statistics of Stable-Baselines3), `fitted`, `unfitted`, `states.parquet`, `.npz`."""
    from semantic_rl.cli import main

    (folder / "agents").mkdir()
    _write_agent(folder / "agents")
    out = folder / "unfitted"
    main(
        [
            "record",
            *agent(folder / "agents"),
            "--states",
            "150",
            "--num-envs",
            "4",
            "--frame-size",
            "64",
            "--out",
            str(out),
        ]
    )
    _copy(out, folder / "fitted")
    main(["fit", str(folder / "fitted"), *FIT, "--codes", "3", "--steps", "40"])
    from semantic_rl.recording.store.annotations import Annotations

    Annotations(folder / "fitted" / "clusterings" / CLUSTERING).put_cluster(1, "a name", "a note", "Ada", seen=0)
    _write_states(folder)


def agent(folder: Path) -> list[str]:
    """Return the words that name the agent in a folder and its environment."""
    return [f"{folder}/ppo.zip", *PLAYED, f"{folder}/statistics.pkl"]


def _copy(recording: Path, to: Path) -> None:
    import shutil

    shutil.copytree(recording, to)


def _write_agent(folder: Path) -> None:
    import warnings

    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    from tests.agents.foreign_models import MAKERS

    maker = MAKERS["ppo"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maker.train(maker.env()).save(folder / "ppo.zip")
        env = VecNormalize(DummyVecEnv([maker.env]))
        env.reset()
        env.save(str(folder / "statistics.pkl"))


def _write_states(folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(0)
    row = np.arange(120)
    columns = {
        "features": generator.normal(size=(120, 6)).astype(np.float32),
        "observation": generator.integers(0, 255, (120, 4)).astype(np.float32),
        "action": row % 3,
        "reward": generator.normal(size=120),
        "value": generator.normal(size=120).astype(np.float32),
        "terminated": row % 20 == 19,
        "room": np.array(["hall", "kitchen"])[row % 2],
    }
    pictures = generator.integers(0, 255, (120, 8, 12, 3), np.uint8)
    np.savez(folder / "states.npz", **columns, pictures=pictures)  # type: ignore[arg-type]
    lists = {name: list(values) if values.ndim > 1 else values for name, values in columns.items()}
    pq.write_table(pa.table({**lists, "pictures": [_jpeg(picture) for picture in pictures]}), folder / "states.parquet")
    np.savez(folder / "labels.npz", label=np.arange(_num_states(folder / "fitted")) % 3)


def _num_states(recording: Path) -> int:
    from semantic_rl.recording.store import open_recording

    return open_recording(recording, with_frames=False).num_states


def _jpeg(picture: object) -> bytes:
    import io

    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG")  # type: ignore[arg-type]
    return written.getvalue()


def _fitted(path: Path) -> None:
    """Read a recording by its clustering, and place its states again."""
    import numpy as np

    from semantic_rl.explorer.dataset.dataset import Explored, Settings
    from semantic_rl.recording.store import open_recording
    from semantic_rl.recording.store.annotations import Annotations

    recording = open_recording(path)
    explored = Explored(recording, Settings(10_000, 1_000, 30.0, 0))
    code_index = explored.states.code_index
    assert code_index is not None, "a clustering disappears without a word"
    assert code_index.max() < recording.num_codes, "codes that there are not are believed"
    table = recording.table("embedding_x", "embedding_y").to_numpy()
    assert np.isfinite(table).all(), "places that are not finite are believed"
    embedding, _ = recording.clustering(CLUSTERING).place(recording.features())
    assert np.isfinite(embedding).all(), "a head that gives places that are not finite is believed"
    for _, columns in recording.groups(["code_distance"]):
        assert np.isfinite(columns["code_distance"]).all(), "distances that are not finite are believed"
    Annotations(path / "clusterings" / CLUSTERING).read()


def _import(path: Path) -> None:
    """Make a recording of the file and read it."""
    import shutil

    import numpy as np

    from semantic_rl.config import ImportStatesConfig
    from semantic_rl.recording.own_data.import_states import import_states
    from semantic_rl.recording.store import open_recording

    out = path.parent / "imported"
    try:
        recording = open_recording(import_states(ImportStatesConfig(path, out)))
        assert np.isfinite(recording.features()).all(), "features that are not finite are believed"
        for row in range(0, recording.num_states, 7):
            recording.observation(row)
    finally:
        assert not [one.name for one in path.parent.iterdir() if one.name.startswith(".")], "something is left behind"
        shutil.rmtree(out, ignore_errors=True)


_num_labels: list[int] = []
"""How many labels the intact file has, which is what a process reads first."""


def _labels(path: Path) -> None:
    import numpy as np

    from semantic_rl.clustering.labels import read_labels

    if not _num_labels:
        with np.load(path) as content:
            _num_labels.append(len(content["label"]))
    read_labels(path, _num_labels[0])


def _zip(path: Path) -> None:
    """Open the agent, list its layers, and let it act."""
    import numpy as np
    import torch

    from semantic_rl.agents.layers import list_layers
    from semantic_rl.agents.open import open_agent

    opened = open_agent(path / "ppo.zip", env=ENV)
    list_layers(opened)
    step = opened.act(np.zeros((2, 4), np.float32), None, np.ones(2, bool), torch.Generator(), deterministic=False)
    assert np.isfinite(step.features).all(), "features that are not finite are believed"


def _statistics(path: Path) -> None:
    import numpy as np

    from semantic_rl.envs.gymnasium.vec_normalize import read_vec_normalize

    statistics = read_vec_normalize(path / "statistics.pkl")
    statistics.check_fits({"": (4,)}, "statistics.pkl")
    seen = statistics.normalize_observation(np.ones((2, 4), np.float32))
    assert np.isfinite(np.asarray(seen)).all(), "numbers that are not finite are believed"


_INSIDE = f"clusterings/{CLUSTERING}"
TARGETS: dict[str, Target] = {
    "clustering.json": Target("fitted", f"{_INSIDE}/clustering.json", _fitted, is_json=True, share=0.5),
    "head": Target("fitted", f"{_INSIDE}/head.safetensors", _fitted, share=0.5),
    "clustering's states": Target("fitted", f"{_INSIDE}/states.parquet", _fitted, is_table=True, share=0.5),
    "default.json": Target("fitted", "clusterings/default.json", _fitted, is_json=True, share=0.1),
    "clustering's names": Target("fitted", f"{_INSIDE}/annotations.json", _fitted, is_json=True, share=0.3),
    "recording.json of others": Target("fitted", "recording.json", _fitted, is_json=True, share=0.5),
    "states of others": Target("fitted", "states.parquet", _fitted, is_table=True, share=0.5),
    "observations of others": Target("fitted", "frames/observations-*.arrow", _fitted, share=0.3),
    "Parquet to import": Target("states.parquet", "", _import, is_table=True, share=0.5),
    "npz to import": Target("states.npz", "", _import, share=0.3),
    "features in an npz": Target("states.npz", "", _import, member="features.npy", share=0.2),
    "pictures in an npz": Target("states.npz", "", _import, member="pictures.npy", share=0.2),
    "labels": Target("labels.npz", "", _labels, share=0.3),
    "labels in an npz": Target("labels.npz", "", _labels, member="label.npy", share=0.2),
    "zip of Stable-Baselines3": Target("agents", "ppo.zip", _zip, share=0.3),
    "data in a zip": Target("agents", "ppo.zip", _zip, is_json=True, member="data", share=0.5),
    "weights in a zip": Target("agents", "ppo.zip", _zip, member="policy.pth", share=0.3),
    "VecNormalize": Target("agents", "statistics.pkl", _statistics),
}
