"""Opening a recording checks that its tables belong together; what is wrong is named: file, row, column, value."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording

from .synthetic import make_recording

Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A few episodes with clusters."""
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=4)


@pytest.fixture
def folder(original: Recording, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(original.path, tmp_path / "r")
    return tmp_path / "r"


def set_value(file: str, column: str, row: int, value: object) -> Edit:
    """Return what changes one value of a table."""

    def edit(folder: Path) -> None:
        table = pq.read_table(folder / file)
        values = table.column(column).to_pylist()
        values[row] = value if not isinstance(values[row], list) else [value, *values[row][1:]]
        place = table.column_names.index(column)
        changed = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
        pq.write_table(changed, folder / file)

    return edit


def states(column: str, row: int, value: object) -> Edit:
    return set_value("states.parquet", column, row, value)


def episodes(column: str, row: int, value: object) -> Edit:
    return set_value("episodes.parquet", column, row, value)


def reorder(file: str) -> Edit:
    """Return what turns the rows of a table round."""

    def edit(folder: Path) -> None:
        table = pq.read_table(folder / file)
        pq.write_table(table.take(pa.array(np.arange(len(table))[::-1])), folder / file)

    return edit


def recast(column: str, type: Any) -> Edit:
    """Return what stores a column of the states as something else."""

    def edit(folder: Path) -> None:
        table = pq.read_table(folder / "states.parquet")
        place = table.column_names.index(column)
        values = pa.array([str(value) for value in table.column(column).to_pylist()], type)
        pq.write_table(table.set_column(place, column, values), folder / "states.parquet")

    return edit


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (reorder("states.parquet"), r"states.parquet: row 0: 'episode' is 3, expected 0"),
        (reorder("episodes.parquet"), r"episodes.parquet: row 0: 'episode' is 3, expected 0"),
        (states("episode", 7, 2), r"row 7: 'episode' is 2, expected 0"),
        (states("step", 7, 3), r"row 7: 'step' is 3, expected a later one"),
        (states("step", 7, 4000), r"row 7: 'step' is 4000, expected a step of its episode"),
        (states("step", 0, -1), r"row 0: 'step' is -1"),
        (states("level_seed", 5, 3), r"row 5: 'level_seed' is 3, expected 100"),
        (states("action", 5, 99), r"row 5: 'action' is 99, expected less than 15"),
        (states("code_index", 5, 9), r"row 5: 'code_index' is 9, expected less than 4"),
        (states("value", 5, float("nan")), r"row 5: 'value' is nan, expected a finite number"),
        (states("reward", 5, float("inf")), r"row 5: 'reward' is inf"),
        (states("embedding_x", 5, float("-inf")), r"row 5: 'embedding_x' is -inf"),
        (states("value", 5, None), r"row 5: 'value' is missing"),
        (states("terminated", 5, None), r"row 5: 'terminated' is missing"),
        (recast("action", pa.string()), r"'action' has the type string, expected whole numbers"),
        (recast("features", pa.string()), r"'features' has the type string, expected lists"),
        (episodes("first_row", 1, 0), r"episodes.parquet: row 1: 'first_row' is 0"),
        (episodes("num_rows", 1, -4), r"row 1: 'num_rows' is -4"),
        (episodes("frame_shard", 1, 1), r"row 1: 'frame_shard' is 1, expected 0"),
        (episodes("frame_offset", 1, 1), r"row 1: 'frame_offset' is 1"),
        (episodes("length", 1, 1), r"row 1: 'length' is 1, expected at least its number of rows"),
        (episodes("return", 1, float("nan")), r"row 1: 'return' is nan"),
        (episodes("level_seed", 1, -7), r"row 1: 'level_seed' is -7, expected from 0"),
        (episodes("success", 1, None), r"row 1: 'success' is missing"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(folder: Path, damage: Edit, said: str) -> None:
    damage(folder)
    with pytest.raises(UserError, match=said):
        open_recording(folder)


@pytest.mark.parametrize(
    ("damage", "column", "said"),
    [
        (states("features", 5, float("inf")), "features", r"row 5: 'features\[0\]' is inf"),
        (states("features", 5, float("nan")), "features", r"row 5: 'features\[0\]' is nan"),
        (
            states("code_distance", 5, -1.0),
            "code_distance",
            r"row 5: 'code_distance\[0\]' is -1.0, expected a distance",
        ),
    ],
)
def test_lists_are_checked_when_they_are_read_so_that_the_rest_can_be_used(
    folder: Path, damage: Edit, column: str, said: str
) -> None:
    damage(folder)
    recording = open_recording(folder)
    assert recording.table("code_index").height == recording.num_states
    with pytest.raises(UserError, match=said):
        list(recording.groups([column]))


def test_a_return_to_go_that_is_not_known_may_be_missing(folder: Path) -> None:
    states("return_to_go", 5, None)(folder)
    assert np.isnan(open_recording(folder).table("return_to_go")["return_to_go"][5])


def test_tables_that_pandas_wrote_are_read(original: Recording, folder: Path) -> None:
    """Its lists have variable length, its numbers other sizes."""
    for name in ("states.parquet", "episodes.parquet"):
        frame = pd.read_parquet(folder / name)
        frame["level_seed"] = frame["level_seed"].astype(np.int32)
        frame.to_parquet(folder / name)
    assert pa.types.is_list(pq.read_schema(folder / "states.parquet").field("features").type)
    read = open_recording(folder)
    np.testing.assert_array_equal(read.features(), original.features())
    assert read.states.equals(original.states)
    assert read.episodes.equals(original.episodes)


def test_a_list_of_another_length_is_refused(folder: Path) -> None:
    frame = pd.read_parquet(folder / "states.parquet")
    frame.at[3, "features"] = frame.at[3, "features"][:-1]
    frame.to_parquet(folder / "states.parquet")
    with pytest.raises(UserError, match=r"row 3: 'features' is a list of 255, expected one of 256 numbers"):
        open_recording(folder).features()


def test_a_number_that_does_not_fit_is_refused_and_not_cut(folder: Path) -> None:
    frame = pd.read_parquet(folder / "states.parquet")
    frame["action"] = frame["action"].astype(np.int64)
    frame.loc[4, "action"] = 256
    frame.to_parquet(folder / "states.parquet")
    with pytest.raises(UserError, match="row 4: 'action' is 256, expected at most 255"):
        open_recording(folder)


@pytest.mark.parametrize("name", ["states.parquet", "episodes.parquet"])
def test_changed_bytes_end_in_one_line_or_in_numbers(folder: Path, name: str) -> None:
    content, rng = (folder / name).read_bytes(), random.Random(1)
    said: list[str] = []
    for _ in range(150):
        data = bytearray(content)
        first = max(0, len(data) - 10_000) if rng.random() < 0.5 else 0
        for _ in range(rng.choice([1, 1, 2, 16])):
            place = rng.randrange(first, len(data))
            data[place] = rng.choice([data[place] ^ (1 << rng.randrange(8)), rng.randrange(256), 255, 0])
        (folder / name).write_bytes(data)
        try:
            recording = open_recording(folder, with_frames=False)
            _ = recording.features().shape, list(recording.groups(["code_distance", "log_prob"]))
        except UserError as error:
            said.append(str(error))
    assert len(said) > 50
    assert not any("\n" in line for line in said)
