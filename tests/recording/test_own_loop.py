"""`RecordingWriter`: what a user's own loop plays becomes a recording, and what does not fit is refused by name."""

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

import semantic_rl
from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.agent_info import agent_info
from semantic_rl.recording.store.schema import SHARD_ROWS

from .own_loops import NUM_FEATURES, play


@pytest.fixture(scope="module")
def poles(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out = tmp_path_factory.mktemp("recordings") / "inner" / "poles"
    with semantic_rl.RecordingWriter(out, "CartPole-v1", agent="walker", picture_size=96) as writer:
        for seed in range(6):
            writer.add_episode(**play(seed, with_pictures=True), level=seed)
        assert not out.exists(), "it appears when it is whole"
    return open_recording(out)


def test_an_own_loop_makes_a_recording(poles: Recording) -> None:
    episode = play(1)
    first, count = poles.episodes["first_row"][1], poles.episodes["num_rows"][1]
    assert count == len(episode["rewards"]) == poles.episodes["return"][1]
    rows = slice(first, first + count)
    features = poles.features()
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[rows], episode["features"], rtol=1e-6)
    np.testing.assert_array_equal(poles.table("action")["action"].to_numpy()[rows], episode["actions"])
    np.testing.assert_array_equal(poles.observation(first + 3), episode["observations"][3])
    states = poles.states[rows]
    np.testing.assert_array_equal(states["step"], np.arange(count))
    np.testing.assert_array_equal(states["return_to_go"], np.arange(count, 0, -1))
    np.testing.assert_array_equal(states["terminated"], np.arange(count) == count - 1)
    assert states["level_seed"].unique().to_list() == [1]
    assert (poles.spec.title, poles.policy_kind, poles.num_actions) == ("CartPole-v1", "unknown", 2)
    assert poles.spec.observation[0].labels, "named by the environment"
    assert poles.description["agent"]["name"] == "walker"
    assert len(poles.description["agent"]["sha256"]) == 64


def test_what_was_not_given_is_unknown(poles: Recording) -> None:
    known = {name for name in ("observation", "action", "value", "reward", "level_seed") if poles.has(name)}
    assert known == {"observation", "action", "value", "reward", "level_seed"}
    assert not poles.has("success")
    assert not poles.has("log_prob")


def test_pictures_are_scaled_down(poles: Recording) -> None:
    assert poles.picture_shape == (64, 96)
    assert poles.frame(5).std() > 5, "a pole on a cart"


def test_extra_columns_hold_numbers_and_texts(poles: Recording) -> None:
    assert poles.extra == ("angle", "side")
    table = poles.table("angle", "side")
    leans = np.where(table["angle"].to_numpy() < 0, "leans left", "leans right")
    assert table["side"].to_list() == leans.tolist() == poles.states["side"].to_list()
    side = poles.extra_column("side")
    assert set(side.categories or ()) == {"leans left", "leans right"}
    assert (side.values < 2).all()


def test_an_environment_and_a_spec_are_as_good_as_an_id(tmp_path: Path, poles: Recording) -> None:
    env = gym.make("CartPole-v1")
    spec = EnvSpec("mine", "data", (ObservationPart("", (4,), "float32"),), ActionSpec("discrete", (2,), ("a", "b")))
    for name, given in (("made", env), ("spec", spec)):
        with semantic_rl.RecordingWriter(tmp_path / name, given) as writer:
            writer.add_episode(**play(1))
    made = open_recording(tmp_path / "made")
    assert (made.spec.id, made.spec.action, made.spec.observation) == (
        "CartPole-v1", poles.spec.action, poles.spec.observation,
    )  # fmt: skip
    assert open_recording(tmp_path / "spec").spec.id == "mine"


def test_a_limit_truncates_and_an_unfinished_episode_has_no_return_to_go(tmp_path: Path) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        limited = play(0, limit=5)
        writer.add_episode(**limited)
        writer.add_episode(**{**limited, "truncated": False})
        flags = np.arange(5) == 4
        writer.add_episode(**{**limited, "truncated": flags, "terminated": np.zeros(5, np.bool_)})
    found = writer.finish()
    assert found.episodes["truncated"].to_list() == [True, False, True]
    assert not found.episodes["terminated"].any()
    assert found.states["truncated"].to_list() == [False] * 4 + [True] + [False] * 9 + [True]
    assert np.isnan(found.table("return_to_go")["return_to_go"].to_numpy()[5:10]).all()


def test_long_episodes_fill_several_shards(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spec = EnvSpec(
        "far", "data", (ObservationPart("", (2,), "float32"),), ActionSpec("continuous", (3,), ("x", "y", "z"))
    )
    lengths = [SHARD_ROWS + 5, 3, 2 * SHARD_ROWS]
    count = sum(lengths)
    features, actions = rng.normal(size=(count, 4)).astype(np.float32), rng.normal(size=(count, 3)).astype(np.float32)
    ends = np.cumsum(lengths)
    with semantic_rl.RecordingWriter(tmp_path / "r", spec, policy_kind="gaussian") as writer:
        for begin, end in zip(ends - lengths, ends, strict=True):
            rows = slice(begin, end)
            some = torch.from_numpy(features[rows])
            writer.add_episode(
                features=some, observations=features[rows, :2], actions=actions[rows], policy=actions[rows],
                rewards=features[rows, 0], terminated=True, success=bool(begin),
            )  # fmt: skip
    found = open_recording(tmp_path / "r")
    assert found.episodes["num_rows"].to_list() == lengths
    assert found.episodes["frame_shard"].to_list() == [0, 1, 1]
    assert found.episodes["success"].to_list() == [False, True, True]
    np.testing.assert_array_equal(found.features(), features)
    np.testing.assert_array_equal(found.observation(ends[1] + 4000), features[ends[1] + 4000, :2])
    columns = [part for _, part in found.groups(["action_vector", "policy"])]
    np.testing.assert_array_equal(np.concatenate([part["action_vector"] for part in columns]), actions)
    assert columns[0]["policy"].shape[1] == 3


def test_observations_of_several_parts(tmp_path: Path) -> None:
    parts = (ObservationPart("image", (16, 16, 3), "uint8"), ObservationPart("speed", (2,), "float64"))
    spec = EnvSpec("parts", "data", parts, ActionSpec("multi_discrete", (2, 3), ("a", "b")))
    rng = np.random.default_rng(0)
    images, speeds = rng.integers(0, 256, (3, 16, 16, 3)), rng.normal(size=(3, 2))
    every: dict[str, Any] = {"features": speeds, "actions": [[0, 2], [1, 0], [1, 1]], "terminated": True}
    with semantic_rl.RecordingWriter(tmp_path / "r", spec) as writer:
        writer.add_episode(observations={"image": images, "speed": speeds}, **every)
        apart = [{"image": image, "speed": speed, "mission": "go"} for image, speed in zip(images, speeds, strict=True)]
        writer.add_episode(observations=apart, **every)
    found = open_recording(tmp_path / "r")
    for row in range(6):
        np.testing.assert_array_equal(found.observation_parts(row)["image"], images[row % 3])
        np.testing.assert_array_equal(found.observation_parts(row)["speed"], speeds[row % 3])
    assert found.frame(0).shape == (16, 16, 3)


def encoded(kind: str, size: tuple[int, int] = (40, 20)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(content, kind)
    return content.getvalue()


def test_encoded_pictures_are_kept_or_made_jpegs(tmp_path: Path) -> None:
    jpeg = encoded("JPEG")
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(
            features=np.eye(3), pictures=[jpeg, encoded("PNG"), encoded("PNG", (80, 40))], terminated=True
        )
    found = open_recording(tmp_path / "r")
    assert found.picture_shape == (20, 40)
    assert found.picture(0) == jpeg
    for row in range(3):
        np.testing.assert_allclose(found.frame(row)[10, 10], [200, 30, 30], atol=4)


EPISODE = play(1)
LENGTH = len(EPISODE["rewards"])
UNIFORM = np.full((LENGTH, 2), np.log(0.5))


def with_row(name: str, row: int, value: float) -> list[Any]:
    changed = np.array(EPISODE[name], np.float64)
    changed[row] = value
    return changed.tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": []}, "features: got an array of the shape .0,., expected .states, numbers."),
        ({"features": with_row("features", 2, np.nan)}, "features: the number nan in row 2 is not finite"),
        ({"features": with_row("features", 2, 1e300)}, "features: the number 1e.300 in row 2 is beyond what float32"),
        ({"features": [["a"]] * LENGTH}, "features: got texts"),
        ({"features": [[1.0], [1.0, 2.0]]}, "features: its rows have different shapes"),
        ({"observations": EPISODE["observations"][:-1]}, f"observations: got {LENGTH - 1} rows, expected {LENGTH}"),
        (
            {"observations": np.zeros((LENGTH, 5))},
            rf"observations: got an array of the shape \({LENGTH}, 5\), expected",
        ),
        ({"actions": [2] * LENGTH}, "actions: 2 in row 0 is not one of 0 to 1"),
        ({"actions": [0.5] * LENGTH}, "actions: got numbers of the type float64, expected whole numbers"),
        ({"rewards": [[1.0, 2.0]] * LENGTH}, "rewards: got an array of the shape"),
        ({"rewards": with_row("rewards", 0, np.inf)}, "rewards: the number inf in row 0 is not finite"),
        ({"values": ["x"] * LENGTH}, "values: got texts"),
        ({"log_probs": UNIFORM[:, :1]}, "log_probs: got an array of the shape"),
        ({"log_probs": UNIFORM + 1}, "log_probs: the probabilities of row 0 add up to 2.718, expected 1"),
        ({"policy": UNIFORM}, "policy_kind: got None, expected one of categorical"),
        ({"pictures": np.zeros((LENGTH, 8, 8), np.uint8)}, "pictures: the picture of row 0 is uint8 of the shape"),
        ({"pictures": [b"GIF89a"] * LENGTH}, "pictures: the picture of row 0 cannot be decoded"),
        ({"pictures": [encoded("PNG")]}, f"pictures: got 1, expected {LENGTH}"),
        (
            {"pictures": [encoded("PNG"), *[encoded("PNG", (40, 40))] * (LENGTH - 1)]},
            "other proportions than the first one",
        ),
        ({"terminated": np.ones(LENGTH)}, "terminated: true in row 0, before the last"),
        ({"terminated": [True]}, r"terminated: got an array of the shape \(1,\)"),
        ({"level": -1}, "level: got -1, expected a whole number"),
        ({"level": 1.5}, "level: got 1.5, expected a whole number"),
        ({"level": "a"}, "level: got 'a', expected a whole number"),
        ({"success": 0.5}, "success: got 0.5, expected true or false"),
        ({"terminated": None}, "terminated: got None, expected true or false"),
        ({"terminated": np.nan}, "terminated: got nan, expected true or false"),
        ({"pictures": []}, f"pictures: got 0, expected {LENGTH}"),
        ({"pictures": 5}, f"pictures: got a int, expected {LENGTH} pictures"),
        ({"extra": {"speed": None}}, r"extra\['speed'\]: got values of the type object, expected numbers"),
        ({"extra": {"speed": 5}}, r"extra\['speed'\]: got a single number, expected"),
        ({"extra": {"room": "hall"}}, r"extra\['room'\]: got texts, expected numbers"),
        ({"extra": None}, "extra: got a NoneType, expected a dictionary"),
        ({"observations": with_row("observations", 3, np.nan)}, "observations: the number nan in row 3 is not finite"),
        (
            {"observations": np.full((LENGTH, 4), np.inf, np.float32)},
            "observations: the number inf in row 0 is not finite",
        ),
        ({"extra": {"step": [1.0] * LENGTH}}, "extra: got a column named 'step'"),
        ({"extra": {"room": ["a"] * (LENGTH - 1)}}, r"extra\['room'\]: got .* rows, expected"),
        ({"extra": {"room": ["a", 1.0, *["a"] * (LENGTH - 2)]}}, r"extra\['room'\]: got 1.0 in row 1, expected a text"),
        ({"extra": {"speed": [np.inf] * LENGTH}}, r"extra\['speed'\]: the number inf in row 0 is not finite"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_the_episode_can_be_given_again(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        with pytest.raises(UserError, match=said) as error:
            writer.add_episode(**{**EPISODE, **changes})
        assert "\n" not in str(error.value)
        writer.add_episode(**EPISODE)
    assert open_recording(tmp_path / "r").num_states == LENGTH


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"values": None}, "values: missing here, but given in the first episode"),
        ({"log_probs": UNIFORM}, "log_probs: given here, but not given in the first episode"),
        ({"success": True}, "success: give it for every episode"),
        ({"extra": {}}, r"extra\['(angle|side)'\]: missing here"),
        ({"features": np.zeros((LENGTH, 3))}, f"features: got 3 numbers a state, expected {NUM_FEATURES}"),
    ],
)
def test_all_episodes_have_the_same(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(**EPISODE)
        with pytest.raises(UserError, match=said):
            writer.add_episode(**{**EPISODE, **changes})
    assert open_recording(tmp_path / "r").num_episodes == 1


def test_an_episode_that_is_refused_leaves_no_trace_in_the_next(tmp_path: Path) -> None:
    count = 2 * SHARD_ROWS + 5
    spec = EnvSpec("far", "data", (ObservationPart("", (2,), "float32"),), ActionSpec("discrete", (2,), ("a", "b")))
    rng = np.random.default_rng(0)

    def episode(length: int, **changes: Any) -> dict[str, Any]:
        given = {"features": rng.normal(size=(length, 3)), "observations": np.zeros((length, 2))}
        texts = {"room": [f"room {row % 3}" for row in range(length)]}
        return {**given, "rewards": np.ones(length), "terminated": True, "extra": texts, **changes}

    overflow = np.ones(count)
    overflow[-2:] = 2e38
    short, long = episode(4), episode(count)
    with semantic_rl.RecordingWriter(tmp_path / "r", spec) as writer:
        writer.add_episode(**short)
        with pytest.raises(UserError, match="the rewards of an episode add up"):
            writer.add_episode(**episode(count, rewards=overflow, extra={"room": ["elsewhere"] * count}))
        assert (writer.num_states, writer.num_episodes) == (4, 1)
        writer.add_episode(**long)
    found = open_recording(tmp_path / "r")
    assert found.episodes["num_rows"].to_list() == [4, count]
    assert found.episodes["return"].to_list() == [4, count]
    np.testing.assert_array_equal(found.table("step")["step"], [*range(4), *range(count)])
    np.testing.assert_array_equal(found.table("return_to_go")["return_to_go"][4:], np.arange(count, 0, -1))
    np.testing.assert_allclose(found.features(), np.concatenate([short["features"], long["features"]]), rtol=1e-6)
    assert found.categories["room"] == ("room 0", "room 1", "room 2")
    with semantic_rl.RecordingWriter(tmp_path / "same", spec) as writer:
        writer.add_episode(**short)
        writer.add_episode(**long)
    assert agent_info(open_recording(tmp_path / "same")).sha256 == agent_info(found).sha256


def test_an_episode_that_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    count = 2 * SHARD_ROWS + 5
    spec = EnvSpec("far", "data", (ObservationPart("", (2,), "float32"),), ActionSpec("discrete", (2,), ("a", "b")))
    with semantic_rl.RecordingWriter(tmp_path / "r", spec) as writer:
        writer.add_episode(features=np.eye(4), rewards=np.ones(4), terminated=True)
        in_the_way = next(tmp_path.glob(".*.tmp")) / "parts" / "states-00001.arrow"
        (in_the_way / "inner").mkdir(parents=True)
        with pytest.raises(UserError, match="cannot write recording"):
            writer.add_episode(features=np.ones((count, 4)), rewards=np.ones(count), terminated=True)
        assert (writer.num_states, writer.num_episodes) == (4, 1)
        shutil.rmtree(in_the_way)
        writer.add_episode(features=2 * np.eye(4), rewards=np.ones(4), terminated=True)
    found = open_recording(tmp_path / "r")
    np.testing.assert_array_equal(found.features(), np.concatenate([np.eye(4), 2 * np.eye(4)]))
    assert found.table("step")["step"].to_list() == [*range(4)] * 2
    files = [path.name for path in (tmp_path / "r").rglob("*.arrow")]
    assert files == ["observations-00000.arrow"]
    assert not (tmp_path / "r" / "parts").exists()


def test_columns_of_a_data_frame_count_from_their_first_row(tmp_path: Path) -> None:
    class Column:
        """Like a part of a data frame's column: indexed by the numbers that its rows had in the whole."""

        def __init__(self, values: list[Any]) -> None:
            self._values = values

        def __len__(self) -> int:
            return len(self._values)

        def __iter__(self) -> Iterator[Any]:
            return iter(self._values)

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.asarray(self._values, dtype)

        def __getitem__(self, index: Any) -> Any:
            raise KeyError(index)

    pictures = Column([encoded("PNG")] * 3)
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(
            features=np.eye(3), terminated=True, pictures=pictures, rewards=Column([1.0, 2.0, 3.0]),
            extra={"speed": Column([0.5, 1.5, 2.5]), "room": Column(["a", "b", "a"])},
        )  # fmt: skip
    found = open_recording(tmp_path / "r")
    assert found.table("speed", "room").rows() == [(0.5, "a"), (1.5, "b"), (2.5, "a")]


def test_unknown_numbers_and_odd_texts_are_kept(tmp_path: Path) -> None:
    odd = ["two\nlines", "", "a\x00b", "x" * 300]
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(features=np.eye(4), terminated=False, extra={"text": odd, "number": [1, np.nan, True, 2.5]})
    found = open_recording(tmp_path / "r").table("text", "number")
    assert found["text"].to_list() == ["two lines", "", "a\N{REPLACEMENT CHARACTER}b", "x" * 199 + "…"]
    np.testing.assert_array_equal(found["number"].to_numpy(), [1, np.nan, 1, 2.5])


def test_the_place_must_be_free_and_nothing_is_left_if_the_loop_fails(tmp_path: Path) -> None:
    def loop() -> None:
        with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
            writer.add_episode(**EPISODE)
            raise RuntimeError("of the user's own")

    with pytest.raises(RuntimeError):
        loop()
    with pytest.raises(UserError, match="no episode was given"):
        semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1").finish()
    assert os.listdir(tmp_path) == []
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "note").touch()
    with pytest.raises(UserError, match="exists already"):
        semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1")
    with semantic_rl.RecordingWriter(tmp_path / "t", "CartPole-v1") as writer:
        writer.add_episode(**EPISODE)
    with pytest.raises(UserError, match="t exists already"):
        semantic_rl.RecordingWriter(tmp_path / "t", "CartPole-v1")
    with pytest.raises(UserError, match="env: got a int"):
        semantic_rl.RecordingWriter(tmp_path / "s", 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"categories": {"side": []}}, "'side' is 0, expected less than 0"),
        ({"categories": {"side": ["a", "a"]}}, "categories.side"),
        ({"categories": {"side": "a"}}, "categories.side"),
        ({"categories": {"other": ["a"]}}, "categories.other"),
        ({"extra_columns": ["angle", "side", "more"]}, "the columns more are missing"),
        ({"extra_columns": ["angle", "side", "step"]}, "extra_columns"),
        ({"extra_columns": ["angle", "side", "two\nlines"]}, "extra_columns"),
    ],
)
def test_a_recording_whose_further_columns_are_damaged_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(**EPISODE)
    path = tmp_path / "r" / "recording.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(UserError, match=said):
        open_recording(tmp_path / "r")


def test_the_lazy_table_has_texts_and_not_their_indices(tmp_path: Path) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(features=np.eye(4), terminated=True, extra={"room": ["hall", "attic", "hall", "cellar"]})
    found = open_recording(tmp_path / "r").scan()
    assert found.select("room").collect()["room"].to_list() == ["hall", "attic", "hall", "cellar"]
    assert found.filter(pl.col("room") == "hall").collect()["step"].to_list() == [0, 2]
