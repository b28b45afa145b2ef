"""The planes and clusters that `fit` finds, and its promises: same seed, same bytes; same features, same place."""

import os
import signal
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.clustering.labels import read_labels
from semantic_rl.clustering.plane import PlaneFit
from semantic_rl.config import RecordConfig
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder
from semantic_rl.recording.record import record
from semantic_rl.recording.store import Recording, open_recording

from ..recording.degenerate import make, set_all
from .conftest import SMALL, blobs


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("settings", [{}, {"method": "kmeans"}, {"head": "linear"}], ids=["mlp", "kmeans", "linear"])
def test_five_well_separated_clusters_are_found(ppo: Recording, settings: dict[str, object]) -> None:
    clustering = semantic_rl.fit(ppo, num_codes=5, **SMALL, **settings)
    states = open_recording(ppo.path, clustering=clustering.name).table("code_index", "value")
    assert adjusted_mutual_info_score(states["value"], states["code_index"]) >= 0.95


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """About 3,000 states of the CoinRun agent that ships with the package."""
    out = tmp_path_factory.mktemp("recordings") / "coinrun"
    return open_recording(
        record(RecordConfig(agent=Path("sppo-coinrun"), out=out, states=3_000, frame_size=0, num_threads=1))
    )


def test_held_out_states_keep_their_neighbours_better_than_in_pca(real: Recording) -> None:
    scores = semantic_rl.fit(real, steps=600, minibatch_size=256, num_threads=1).scores
    assert scores["fitted"]["trustworthiness"] >= scores["pca"]["trustworthiness"] + 0.02
    assert scores["fitted"]["codes_in_use"] == 8
    assert set(scores) == {"fitted", "pca", "tsne", "kmeans"}


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        recording = make(tmp_path / name / "recording", [40] * 15, blobs(), with_codes=False)
        found.append(files(semantic_rl.fit(recording, baselines=False, seed=3, **SMALL).folder))
    assert found[0] == found[1]


def test_placing_recorded_features_gives_what_the_recording_holds(ppo: Recording) -> None:
    clustering = semantic_rl.fit(ppo, name="mine", baselines=False, **SMALL)
    opened = open_recording(ppo.path)
    embedding, code_index = opened.clustering("mine").place(ppo.features())
    states = opened.table("embedding_x", "embedding_y", "code_index")
    np.testing.assert_array_equal(embedding, states.select("embedding_x", "embedding_y").to_numpy())
    np.testing.assert_array_equal(code_index, states["code_index"])
    one, other = clustering.place(ppo.features()[7:8])
    np.testing.assert_array_equal(one, embedding[7:8])
    np.testing.assert_array_equal(other, code_index[7:8])


@pytest.mark.parametrize(
    ("number", "ended"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interrupted_fit_resumes_to_the_same_files(
    number: signal.Signals, ended: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = (make(tmp_path / name / "recording", [40] * 15, blobs(), with_codes=False) for name in "ab")
    expected = files(semantic_rl.fit(whole, baselines=False, **SMALL).folder)
    draw = PlaneFit._draw  # pyright: ignore[reportPrivateUsage]

    def interrupted(self: PlaneFit) -> torch.Tensor:
        drawn = draw(self)
        if self.step == 200:  # after the codes have begun, and in the middle of a step
            os.kill(os.getpid(), number)
        return drawn

    monkeypatch.setattr(PlaneFit, "_draw", interrupted)
    with pytest.raises(ended):
        semantic_rl.fit(cut, baselines=False, **SMALL)
    monkeypatch.undo()
    assert open_recording(cut.path).clusterings == []
    with pytest.raises(UserError, match="continue with --resume"):
        semantic_rl.fit(cut, baselines=False, **SMALL)
    with pytest.raises(UserError, match="seed: got 9, but the interrupted fit"):
        semantic_rl.fit(cut, baselines=False, seed=9, resume=True, **SMALL)
    assert files(semantic_rl.fit(cut, baselines=False, resume=True, **SMALL).folder) == expected


def test_another_recordings_clustering_places_these_states(tmp_path: Path) -> None:
    first, second = (make(tmp_path / name, [40] * 15, blobs(), with_codes=False) for name in ("first", "second"))
    clustering = semantic_rl.fit(first, num_codes=5, baselines=False, **SMALL)
    applied = semantic_rl.fit(second, apply=first.path)
    assert applied.name == clustering.name
    np.testing.assert_array_equal(applied.codebook, clustering.codebook)
    assert open_recording(second.path).num_codes == 5


def test_given_labels_become_the_clusters_and_their_names(ppo: Recording, tmp_path: Path) -> None:
    words = np.array(["walk", "jump"])[np.arange(ppo.num_states) % 2]
    (tmp_path / "labels.csv").write_text("label\n" + "\n".join(words) + "\n", encoding="utf-8")
    np.savez(tmp_path / "labels.npz", words)
    for kind in ("csv", "npz"):
        semantic_rl.fit(ppo, labels=tmp_path / f"labels.{kind}", name=kind, baselines=False, **SMALL)
        opened = open_recording(ppo.path, clustering=kind)
        assert opened.num_codes == 2
        np.testing.assert_array_equal(opened.table("code_index")["code_index"], words == "walk")
    from semantic_rl.recording.store.names import cluster_names

    assert cluster_names(opened.notes_folder) == {0: "jump", 1: "walk"}


def test_observations_can_be_clustered_without_an_agents_features(tmp_path: Path) -> None:
    recording = make(tmp_path / "recording", [10] * 6, set_all(features=0.0), with_codes=False)
    with pytest.raises(UserError, match="all states have the same observation"):
        semantic_rl.fit(recording, num_codes=2, features="observation", baselines=False, **SMALL)


@pytest.mark.parametrize(
    ("make_it", "settings", "message"),
    [
        (lambda path: make(path, [60, 60], set_all(features=0.5), with_codes=False), {}, "all states have the same"),
        (lambda path: make(path, [3, 2], with_codes=False), {}, "5 states are too few for 8 codes"),
        (lambda path: make(path, [60, 60]), {"name": "agent"}, "name: got 'agent'"),
        (lambda path: make(path, [60, 60]), {"name": "../up"}, "name: got '../up'"),
        (lambda path: make(path, [60, 60]), {"labels": Path("none.csv")}, "labels: none.csv is no file"),
    ],
    ids=["alike", "few", "reserved", "path", "labels"],
)
def test_what_cannot_be_fitted_is_one_clear_error(tmp_path: Path, make_it, settings, message) -> None:  # pyright: ignore
    recording = make_it(tmp_path / "recording")
    with pytest.raises(UserError, match=message) as caught:
        semantic_rl.fit(recording, **{**SMALL, **settings})
    assert "\n" not in str(caught.value)
    assert not (recording.path / "clusterings").exists() or not list((recording.path / "clusterings").iterdir())


def test_a_clustering_of_another_agent_is_not_applied(ppo: Recording, tmp_path: Path) -> None:
    other = make(tmp_path / "other", [40] * 15, blobs(), with_codes=False)
    semantic_rl.fit(other, baselines=False, **SMALL)
    path = other.path / "recording.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0" * 64, "1" * 64), encoding="utf-8")
    with pytest.raises(UserError, match="is of another agent"):
        semantic_rl.fit(ppo, apply=other.path)


def test_a_clustering_of_another_layer_is_not_applied(ppo: Recording, tmp_path: Path) -> None:
    other = make(tmp_path / "other", [40] * 15, blobs(), with_codes=False)
    semantic_rl.fit(other, baselines=False, **SMALL)
    path = other.path / "recording.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"agent": {', '"agent": {"layer": "fc",'), encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"is of another layer of the agent than .*; fit a clustering to this"):
        semantic_rl.fit(ppo, apply=other.path)
    assert open_recording(ppo.path).clusterings == []


def test_a_clustering_of_observations_of_another_shape_is_not_applied(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, env, width in (("pole", "CartPole-v1", 4), ("car", "MountainCar-v0", 2)):
        with semantic_rl.RecordingWriter(tmp_path / name, env) as writer:
            for _ in range(3):
                seen = rng.normal(0, 0.01, (20, width)).astype(np.float32)
                writer.add_episode(features=seen, observations=seen, terminated=True)
    semantic_rl.fit(tmp_path / "pole", 2, features="observation", baselines=False, **SMALL)
    with pytest.raises(UserError, match=r"is of other observations than .*, which have another shape"):
        semantic_rl.fit(tmp_path / "car", apply=tmp_path / "pole")


@pytest.mark.parametrize("other", [{"num_codes": 5}, {"num_codes": 2, "name": "other"}], ids=["same", "another"])
def test_a_second_fit_is_refused_and_leaves_the_first_one_alone(ppo: Recording, other: dict[str, object]) -> None:
    folder = ppo.path / "clusterings"

    def fit_again(what: str, done: int, total: int) -> None:
        with pytest.raises(UserError, match="is being written by process"):
            semantic_rl.fit(ppo.path, baselines=False, **SMALL, **other)
        assert [path.name for path in folder.iterdir()] == ["mlp-5"]
        if what == "fitting the plane" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        semantic_rl.fit(ppo.path, 5, on_progress=fit_again, baselines=False, **SMALL)
    assert [path.name for path in (folder / "mlp-5").iterdir()] == ["unfinished.safetensors"]
    semantic_rl.fit(ppo.path, 5, resume=True, baselines=False, **SMALL)
    assert open_recording(ppo.path).clusterings == ["mlp-5"]


def test_a_refused_fit_does_not_advise_to_delete_what_another_process_is_writing(ppo: Recording) -> None:
    folder = ppo.path / "clusterings" / "mlp-5"
    folder.mkdir(parents=True)
    (folder / "unfinished.safetensors").touch()
    with hold_folder(ppo.path), pytest.raises(UserError) as refusal:
        semantic_rl.fit(ppo.path, 5, baselines=False, **SMALL)
    assert "is being written by process" in str(refusal.value)
    assert "delete" not in str(refusal.value)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_labels_of_parquet_may_be_any_kind_of_text(tmp_path: Path, kind: object) -> None:
    words = ["walk", "jump", "walk"]
    pq.write_table(pa.table({"label": pa.array(words).cast(kind)}), tmp_path / "l.parquet")
    labels = read_labels(tmp_path / "l.parquet", 3)
    assert labels.names == ["jump", "walk"]
    assert labels.code_index.tolist() == [1, 0, 1]


def test_labels_that_are_codes_of_something_else_than_texts_or_numbers_are_refused(tmp_path: Path) -> None:
    dates = pa.array([1, 2, 1], pa.date32()).dictionary_encode()
    pq.write_table(pa.table({"label": dates}), tmp_path / "l.parquet")
    with pytest.raises(UserError, match="the labels have the type date32"):
        read_labels(tmp_path / "l.parquet", 3)


def test_labels_of_another_length_are_refused(ppo: Recording, tmp_path: Path) -> None:
    np.savez(tmp_path / "labels.npz", np.arange(7))
    with pytest.raises(UserError, match="has 7 labels, but the recording has 600 states"):
        semantic_rl.fit(ppo, labels=tmp_path / "labels.npz")


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([6, 6], "–: trustworthiness and continuity need more than 20 held-out states, and there are 6."),
        ([30, 30], "–: k-means has no plane of its own, so it has no trustworthiness and no continuity."),
    ],
)
def test_the_table_says_why_a_score_is_missing(
    tmp_path: Path, lengths: list[int], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = make(tmp_path / "recording", lengths, blobs(), with_codes=False)
    main(["fit", str(recording.path), "--codes", "2", "--steps", "10", "--minibatch-size", "8", "--num-threads", "1"])
    printed = capsys.readouterr().out
    assert "–" in printed.splitlines()[1]
    assert said in printed.splitlines()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "pickled"])
def test_damaged_labels_are_refused_in_one_line(ppo: Recording, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "labels.npz"
    np.savez(path, np.array([{}] * 600, object) if damage == "pickled" else np.arange(600) % 3)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        place = content.index(b"\x93NUMPY") + 10
        assert archive.namelist() == ["arr_0.npy"]
    if damage == "flipped":
        content[place + 3] = 0
    path.write_bytes({"cut": content[:300], "empty": b""}.get(damage, bytes(content)))
    with pytest.raises(UserError) as refusal:
        semantic_rl.fit(ppo, labels=path)
    assert "\n" not in str(refusal.value)
    assert "one label a row" in str(refusal.value)
