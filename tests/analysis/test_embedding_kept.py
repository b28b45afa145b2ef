"""What is kept of a recording is used only where it is exactly right; otherwise it is computed anew, in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_rl.analysis import embedding
from semantic_rl.analysis.embedding import NoPlane, compute_planes, compute_tsne, tsne_of
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.derived_tables import keep_table, read_kept

from ..recording.degenerate import KINDS
from ..recording.synthetic import make_recording

Edit = Callable[[Path], None]


def rewrite(change: Callable[[pa.Table], pa.Table]) -> Edit:
    return lambda path: pq.write_table(change(pq.read_table(path)), path)


def column(name: str, values: Callable[[np.ndarray], object]) -> Edit:
    """Return what gives a kept table another column."""

    def change(table: pa.Table) -> pa.Table:
        old = table.column(name).to_numpy().copy()
        return table.set_column(table.column_names.index(name), name, pa.array(values(old)))

    return rewrite(change)


def with_first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        values[0] = value
        return values

    return change


WRONG: dict[str, Edit] = {
    "NaN": column("x", with_first(np.nan)),
    "an infinity": column("y", with_first(np.inf)),
    "texts": column("x", lambda values: [str(value) for value in values]),
    "another order": column("row", lambda values: values[::-1]),
    "other rows": column("row", lambda values: values + 1),
    "too few rows": rewrite(lambda table: table.slice(0, len(table) - 3)),
    "a missing column": rewrite(lambda table: table.drop_columns(["y"])),
    "a missing value": column("x", lambda values: [None, *values[1:].tolist()]),
    "bad bytes": lambda path: path.write_bytes(b"PAR1" + bytes(range(256)) * 40 + b"PAR1"),
    "half a file": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "nothing": lambda path: path.write_bytes(b""),
}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return make_recording(tmp_path / "r", num_episodes=2)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_a_kept_plane_that_is_not_right_is_computed_anew(
    recording: Recording, wrong: Edit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    computed = 0

    def compute(features: np.ndarray, *rest: object) -> np.ndarray:
        nonlocal computed
        computed += 1
        return np.stack([np.arange(len(features)), np.ones(len(features))], 1).astype(np.float32)

    monkeypatch.setattr(embedding, "compute_tsne", compute)
    rows = np.arange(recording.num_states)
    first = tsne_of(recording, rows, 5.0, 0)
    np.testing.assert_array_equal(tsne_of(recording, rows, 5.0, 0), first)
    assert computed == 1
    (kept,) = (recording.path / "derived").iterdir()
    wrong(kept)
    capsys.readouterr()
    for _ in range(2):
        np.testing.assert_array_equal(tsne_of(recording, rows, 5.0, 0), first)
    assert computed == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"note: {kept} is invalid and is not used: ")


def test_a_kept_table_comes_back_with_what_it_was_made_of(recording: Recording) -> None:
    rows, dtype = np.arange(3), np.dtype([("x", np.float32)])
    keep_table(recording.path, "some.parquet", rows, {"x": np.ones(3, np.float32)}, "{}")
    found = read_kept(recording.path, "some.parquet", rows, dtype, {})
    assert found is not None
    assert found["x"].tolist() == [1, 1, 1]
    assert json.loads(pq.read_metadata(recording.path / "derived" / "some.parquet").metadata[b"parameters"]) == {}


def test_whole_numbers_beyond_their_count_are_not_right(recording: Recording) -> None:
    rows, dtype = np.arange(3), np.dtype([("code_index", np.int64)])
    keep_table(recording.path, "some.parquet", rows, {"code_index": np.array([0, 9, 1])}, "{}")
    assert read_kept(recording.path, "some.parquet", rows, dtype, {"code_index": 4}) is None
    assert read_kept(recording.path, "some.parquet", rows, dtype, {"code_index": 10}) is not None


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_features_that_are_all_alike_have_no_tsne(value: float) -> None:
    with pytest.raises(NoPlane, match="all states have the same features"):
        compute_tsne(np.full((91, 256), value, np.float32), 30.0, 0, 1, lambda done, total: None)


def test_features_of_two_kinds_have_a_finite_plane(tmp_path: Path) -> None:
    recording = KINDS["two kinds of features"](tmp_path / "r")
    planes = compute_planes(recording, num_threads=1)
    assert planes.tsne is not None
    assert np.isfinite(planes.tsne).all()


@pytest.mark.parametrize("kind", ["features alike", "one state", "two states"])
def test_without_tsne_the_agents_own_plane_is_there_and_nothing_is_kept(tmp_path: Path, kind: str) -> None:
    recording = KINDS[kind](tmp_path / "r")
    planes = compute_planes(recording)
    assert planes.tsne is None
    assert planes.fdr is not None
    assert planes.fdr.shape == (recording.num_states, 2)
    assert planes.no_tsne
    assert not (recording.path / "derived").exists()


def test_without_either_plane_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no plane to draw: .* \(PPO\), and all states have the same features"):
        compute_planes(KINDS["PPO, features alike"](tmp_path / "r"))
