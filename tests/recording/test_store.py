"""The recording folder: several shards read as one, and what is damaged is refused by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.frames import encode_picture, pack_observation
from semantic_rl.recording.store.schema import SHARD_ROWS, state_dtype
from semantic_rl.recording.store.writer import Block, Episode, ShardWriter

from .synthetic import make_recording

SHAPE = (4, 4, 3)
DTYPE = state_dtype(num_actions=3, num_codes=2, num_features=6)
DESCRIPTION = {
    "agent": {"sha256": "0" * 64},
    "environment": {"env": "coinrun", "distribution_mode": "easy"},
    "num_actions": 3,
    "num_codes": 2,
    "codebook": [[0.0, 0.0], [1.0, 1.0]],
    "frames": {"picture_size": 8},
}


def observation(row: int) -> np.ndarray:
    """Make an image that says which row it belongs to."""
    return np.random.default_rng(row).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A recording of two and a half shards, made of episodes of 100 to 900 states."""
    folder = tmp_path_factory.mktemp("recordings") / "long"
    writer = ShardWriter(folder, DESCRIPTION, SHAPE, with_pictures=True)
    writer.begin()
    rng = np.random.default_rng(0)
    picture = encode_picture(np.zeros((8, 8, 3), np.uint8), 8)
    while writer.num_states < 2.5 * SHARD_ROWS:
        first, count = writer.num_states, int(rng.integers(100, 900))
        rows = np.zeros(count, DTYPE)
        rows["step"] = np.arange(count)
        rows["level_seed"] = 7
        rows["features"] = np.arange(first, first + count)[:, None] % 1000
        observations = [pack_observation(observation(first + index)) for index in range(count)]
        writer.add(Block(rows, observations, [picture] * count), Episode(count, 1.5, 7, True, True, False, 0))
    writer.finish()
    return open_recording(folder)


def test_shards_read_as_one(long_recording: Recording) -> None:
    assert len(list((long_recording.path / "frames").glob("observations-*"))) == 3
    ends = [0, 31, 32, SHARD_ROWS - 1, SHARD_ROWS, 2 * SHARD_ROWS + 5, long_recording.num_states - 1]
    for row in [*ends, *np.random.default_rng(1).integers(0, long_recording.num_states, 50).tolist()]:
        np.testing.assert_array_equal(long_recording.observation(row), observation(row))
        assert long_recording.frame(row).shape == (8, 8, 3)
    steps = long_recording.states["step"].to_numpy()
    for episode in long_recording.episodes.iter_rows(named=True):
        rows = slice(episode["first_row"], episode["first_row"] + episode["num_rows"])
        np.testing.assert_array_equal(steps[rows], np.arange(episode["num_rows"]))


def test_features_are_read_by_row_across_row_groups(long_recording: Recording) -> None:
    rows = np.sort(np.random.default_rng(2).choice(long_recording.num_states, 300, replace=False))
    np.testing.assert_array_equal(long_recording.features(rows)[:, 0], rows % 1000)


def test_scan_reads_only_what_is_asked_for(long_recording: Recording) -> None:
    assert long_recording.scan().select("step").collect().columns == ["step"]


@pytest.mark.parametrize("row", [-1, 10**6])
def test_rows_outside_are_refused(long_recording: Recording, row: int) -> None:
    with pytest.raises(IndexError, match="has rows 0 to"):
        long_recording.observation(row)


def test_nothing_is_left_of_the_making(long_recording: Recording) -> None:
    assert sorted(path.name for path in long_recording.path.iterdir()) == [
        "episodes.parquet",
        "frames",
        "recording.json",
        "states.parquet",
    ]


def change(**values: object) -> Callable[[Path], None]:
    """Return what changes `recording.json`."""

    def edit(folder: Path) -> None:
        path = folder / "recording.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return edit


def cut(name: str) -> Callable[[Path], None]:
    """Return what cuts the second half off a file."""

    def edit(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return edit


def drop_row(name: str) -> Callable[[Path], None]:
    """Return what takes the last row out of a table."""

    def edit(folder: Path) -> None:
        pl.read_parquet(folder / name)[:-1].write_parquet(folder / name)

    return edit


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: (folder / "recording.json").unlink(), "is not a recording"),
        (lambda folder: (folder / "recording.json").write_text("{"), "cannot be read"),
        (change(format="something else"), "not a semantic-rl recording"),
        (change(version=99), "newer semantic-rl.*update"),
        (change(complete=False), "not complete.*--resume"),
        (change(counts={"states": 5, "episodes": 2}), "states.parquet: .* rows, but recording.json"),
        (change(codebook=None), "'codebook' is null, expected an array"),
        (change(environment={}), "'environment.env' is missing, expected a text"),
        (lambda folder: (folder / "states.parquet").unlink(), "states.parquet is missing"),
        (cut("states.parquet"), "states.parquet cannot be read"),
        (cut("episodes.parquet"), "episodes.parquet cannot be read"),
        (drop_row("states.parquet"), "states.parquet: .* rows, but"),
        (drop_row("episodes.parquet"), "episodes.parquet: .* rows, but"),
        (lambda folder: (folder / "frames" / "observations-00001.arrow").unlink(), "observations-00001.arrow"),
        (cut("frames/observations-00002.arrow"), "observations-00002.arrow.*cut off"),
        (cut("frames/pictures-00000.arrow"), "pictures-00000.arrow.*cut off"),
        (
            lambda folder: shutil.copy(
                folder / "frames" / "observations-00002.arrow", folder / "frames" / "observations-00000.arrow"
            ),
            "observations-00000.arrow: it holds .* batches",
        ),
    ],
)
def test_a_damaged_recording_is_refused_by_name(
    tmp_path: Path, long_recording: Recording, damage: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(long_recording.path, folder)
    damage(folder)
    with pytest.raises(UserError, match=said):
        open_recording(folder)


@pytest.mark.parametrize(
    ("num_unfinished", "scores"),
    [
        (0, "6 episodes (mean return 5.00, mean length {}, success 50%)"),
        (2, "6 episodes (4 of them ended: mean return 5.00, mean length {}, success 50%)"),
        (5, "6 episodes (1 of them ended: mean return 0.00, mean length {}, success 0%)"),
        (6, "6 episodes (none of them ended: return and success not known)"),
    ],
)
def test_the_summary_scores_episodes_that_have_ended(tmp_path: Path, num_unfinished: int, scores: str) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=6, num_unfinished=num_unfinished)
    lengths = recording.episodes["length"].to_list()[: 6 - num_unfinished]
    assert scores.format(f"{sum(lengths) / max(len(lengths), 1):.0f}") in recording.summary()
