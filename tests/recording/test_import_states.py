"""`import-states`: tables and arrays that exist already become recordings; untrusted files are refused in one line."""

import io
import os
import pickle
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from semantic_rl.cli import main
from semantic_rl.recording.store import Recording, open_recording

COUNT = 1300
ENDS = (5, 700, COUNT)


def png(row: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (24, 16), (row % 256, 90, 60)).save(content, "PNG")
    return content.getvalue()


def columns() -> dict[str, Any]:
    """Return columns of three episodes, the first terminated, the second truncated, the last unfinished."""
    rng = np.random.default_rng(0)
    row = np.arange(COUNT)
    return {
        "features": rng.normal(size=(COUNT, 6)),
        "observation": rng.normal(size=(COUNT, 3)).astype(np.float32),
        "action": rng.integers(0, 4, COUNT),
        "reward": rng.integers(0, 3, COUNT).astype(np.float64),
        "value": rng.normal(size=COUNT),
        "terminated": row == ENDS[0] - 1,
        "truncated": row == ENDS[1] - 1,
        "level": np.searchsorted(ENDS, row, side="right") + 10,
        "success": row == ENDS[0] - 1,
        "speed": np.where(row % 5, row / 7, np.nan),
        "room": np.array(["hall", "kitchen", "attic"])[row % 3],
        "step": row,
    }


def parquet(path: Path, given: dict[str, Any]) -> Path:
    def column(values: Any) -> Any:
        if isinstance(values, np.ndarray) and values.ndim > 1:
            return pa.array(values.reshape(len(values), -1).tolist())
        return pa.array(values)

    pq.write_table(pa.table({name: column(values) for name, values in given.items()}), path, row_group_size=500)
    return path


def npz(path: Path, given: dict[str, Any]) -> Path:
    np.savez_compressed(path, **given)
    return path


def imported(file: Path, *flags: str) -> Recording:
    out = file.parent / "recording"
    main(["import-states", str(file), "--out", str(out), *flags])
    return open_recording(out)


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_every_column_finds_its_place(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = columns()
    if kind == "npz":
        given["features"] = np.asfortranarray(given["features"])
        pictures = np.stack([np.full((16, 24, 3), row % 256, np.uint8) for row in range(COUNT)])
        found = imported(npz(tmp_path / "my states.npz", given | {"pictures": pictures}))
        np.testing.assert_allclose(found.frame(600), pictures[600], atol=2)
    else:
        found = imported(parquet(tmp_path / "my states.parquet", given | {"pictures": list(map(png, range(COUNT)))}))
        np.testing.assert_allclose(found.frame(600)[0, 0], [600 % 256, 90, 60], atol=4)
    said = capsys.readouterr()
    assert "1,300 states of 3 episodes (2 of them ended" in said.out
    assert said.err == "'step' is left out: a recording has a column of that name itself.\n"
    assert (found.spec.id, found.spec.family, found.picture_shape) == ("my states", "data", (16, 24))
    np.testing.assert_array_equal(found.features(), given["features"].astype(np.float32))
    np.testing.assert_array_equal(found.observation(1234), given["observation"][1234])
    table = found.table("action", "reward", "value", "level_seed", "terminated", "truncated", "speed", "room", "step")
    for name, source in (("action", "action"), ("reward", "reward"), ("level_seed", "level"), ("room", "room")):
        np.testing.assert_array_equal(table[name].to_numpy(), given[source])
    np.testing.assert_array_equal(table["speed"].to_numpy(), given["speed"].astype(np.float32))
    np.testing.assert_array_equal(table["truncated"].to_numpy(), given["truncated"])
    np.testing.assert_array_equal(table["step"].to_numpy()[4:7], [4, 0, 1])
    episodes = found.episodes
    assert episodes["num_rows"].to_list() == [5, 695, 600]
    assert episodes["success"].to_list() == [True, False, False]
    assert episodes["terminated"].to_list() == [True, False, False]
    assert episodes["return"][0] == given["reward"][:5].sum()
    to_go = found.table("return_to_go")["return_to_go"].to_numpy()
    assert to_go[5] == given["reward"][5:700].sum()
    assert np.isnan(to_go[700:]).all()


def test_features_alone_are_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = imported(npz(tmp_path / "f.npz", {"features": np.eye(8)}), "--env", "Mine")
    assert (found.spec.title, found.num_episodes, found.num_states) == ("Mine", 1, 8)
    unknown = ("observation", "action", "reward", "value", "success", "level_seed", "log_prob")
    assert not any(map(found.has, unknown))
    assert not found.has_frames
    assert "8 states of 1 episode (none of them ended)," in capsys.readouterr().out


def test_episodes_by_name_and_actions_by_name(tmp_path: Path) -> None:
    given = {
        "features": np.eye(4),
        "episode": list("aabb"),
        "action": ["left", "jump", "left", "left"],
        "done": [0, 1, 0, 1],
    }
    found = imported(parquet(tmp_path / "f.parquet", given))
    assert found.spec.action.names == ("left", "jump")
    assert found.table("action")["action"].to_list() == [0, 1, 0, 0]
    assert found.episodes["terminated"].to_list() == [True, True]


@pytest.mark.parametrize(
    ("action", "kind", "width"),
    [(np.eye(4)[:, :3] / 2, "continuous", 3), (np.eye(4, dtype=int) * 2, "multi_discrete", 4)],
)
def test_actions_of_several_numbers(tmp_path: Path, action: np.ndarray, kind: str, width: int) -> None:
    found = imported(npz(tmp_path / "f.npz", {"features": np.eye(4), "action": action, "done": np.arange(4) == 3}))
    assert (found.spec.action.kind, found.spec.action.width) == (kind, width)
    np.testing.assert_array_equal(next(found.groups(["action_vector"]))[1]["action_vector"], action)


def test_pictures_can_be_left_out(tmp_path: Path) -> None:
    given = {"features": np.eye(2), "pictures": np.zeros((2, 20, 20, 3), np.uint8)}
    assert not imported(npz(tmp_path / "f.npz", given), "--frame-size", "0").has_pictures


class Harmful:
    """What an unpickling would run."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("harmed",)


def harmful(path: Path) -> None:
    np.savez(path, features=np.array([Harmful()], object))


def cut(path: Path) -> None:
    content = npz(path, columns()).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def claims_more(path: Path) -> None:
    """Write an array whose header speaks of far more numbers than follow."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**6)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", header.getvalue() + bytes(80))


def odd_type(path: Path) -> None:
    """Write an array whose header has a type that NumPy parses as Python, and that is none."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "(,)f4", "fortran_order": False, "shape": (3, 2)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", header.getvalue() + bytes(24))


def flip(path: Path) -> None:
    content = bytearray(npz(path, {"features": columns()["features"]}).read_bytes())
    content[2000] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("f.npz", harmful, "holds Python objects, which are never unpickled"),
        ("f.npz", lambda path: path.write_bytes(pickle.dumps(Harmful())), "cannot be read"),
        ("f.npz", cut, "cannot be read"),
        ("f.npz", flip, "cannot be read"),
        ("f.npz", claims_more, "which is not what its shape"),
        ("f.npz", odd_type, "cannot be read"),
        ("f.npz", lambda path: npz(path, {"latents": np.eye(3)}), "has no 'features'"),
        ("f.npz", lambda path: npz(path, {"feature": np.eye(3)}), "Did you mean 'feature'?"),
        ("f.npz", lambda path: npz(path, {"features": np.zeros((0, 3))}), "has no rows"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "seed": 3}), "'seed' holds a single value"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "speed": np.eye(2)}), "'speed' holds 2 rows"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3) / 0}), "from row 0 on: features: the number"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "extra": np.eye(3)}), "extra['extra']: got an array"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "action": [0, 1, -1]}), "'action' holds -1"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "reward": [0, 1, np.nan]}), "reward: the number nan"),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "done": [0, 2, 1]}), "'done' holds other values"),
        (
            "f.npz",
            lambda path: npz(path, {"features": np.eye(3), "episode": [1, 2, 1]}),
            "rows of episode 1 are not consecutive",
        ),
        (
            "f.npz",
            lambda path: npz(path, {"features": np.eye(3), "episode": [1, 1, 2], "done": [1, 0, 1]}),
            "'done' is true in row 0, but the next row has",
        ),
        ("f.npz", lambda path: npz(path, {"features": np.eye(3), "level": [1, 2, 2]}), "'level' changes in row 1"),
        (
            "f.npz",
            lambda path: npz(path, {"features": np.eye(3), "episode": [1, np.nan, np.nan]}),
            "'episode' is missing in row 1, expected a number or text in each row.",
        ),
        (
            "f.npz",
            lambda path: npz(path, {"features": np.eye(3), "observation": np.eye(3) * np.nan}),
            "observations: the number nan in row 0 is not finite",
        ),
        (
            "f.parquet",
            lambda path: parquet(path, {"features": [[1.0], [2.0]], "episode": [1, None]}),
            "'episode' is missing in row 1, expected a value in each row",
        ),
        (
            "f.parquet",
            lambda path: parquet(path, {"features": [[1.0], [2.0]], "episode": [None, "b"]}),
            "'episode' is missing in row 0, expected a value in each row",
        ),
        (
            "f.parquet",
            lambda path: parquet(path, {"features": [[1.0], [2.0]], "action": ["left", None]}),
            "'action' is missing in row 1, expected a value in each row",
        ),
        ("f.parquet", lambda path: path.write_bytes(b"PAR1"), "cannot be read"),
        ("f.parquet", lambda path: parquet(path, {"features": [[1.0], [1.0, 2.0]]}), "lists of 1 to 2 values"),
        ("f.parquet", lambda path: parquet(path, {"features": [[1.0], None]}), "'features' misses values"),
        ("f.parquet", lambda path: parquet(path, {"features": [[1.0], [None]]}), "'features' misses values"),
        (
            "f.parquet",
            lambda path: pq.write_table(pa.table({"features": [[1.0]], "when": [datetime(2020, 1, 1)]}), path),
            "'when'",
        ),
        ("f.csv", lambda path: path.write_text("features"), "ends in '.csv', which is not known"),
        ("f.npz", lambda path: None, "no such file"),
    ],
)
def test_what_is_no_table_of_states_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, make: Any, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with np.errstate(all="ignore"):
        make(tmp_path / name)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(SystemExit) as error:
        main(["import-states", name, "--out", "recording"])
    assert error.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert said in message
    assert sorted(os.listdir(tmp_path)) == before, "nothing is left, and nothing was run"


def test_metrics_of_features_alone_say_what_the_recording_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = np.random.default_rng(0).normal(size=(24, 4))
    found = imported(npz(tmp_path / "f.npz", {"features": features}))
    main(["fit", str(found.path), "--codes", "2", "--steps", "5", "--no-baselines", "--num-threads", "1"])
    main(["metrics", str(found.path), "--resamples", "100"])
    printed = capsys.readouterr().out
    for name, what in (("action", "discrete actions"), ("value", "values"), ("level", "levels")):
        assert f"Shared with {name} (FDR): the recording has no {what}." in printed
    assert "in 1 episode of 1 level." in printed
