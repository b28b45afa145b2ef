"""Writes a recording in shards, so that memory use stays constant and an interrupted recording can be resumed.

While in progress, a recording folder holds `recording.json` with "complete": false, finished shards of frames, their
rows in `parts/`, and the complete state in `parts/resume.safetensors`. Shard boundaries depend only on the rows, so a
recording that was interrupted and resumed equals an uninterrupted one, byte for byte.
"""

import json
import math
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.artifacts import (
    EPISODE_COLUMNS,
    EPISODES_FILE,
    FRAMES_FOLDER,
    PARTS_FOLDER,
    RECORDING_FILE,
    RESUME_FILE,
    STATES_FILE,
    observations_file,
    part_file,
    pictures_file,
)
from semantic_rl.atomic_write import check_own_folder, remove_abandoned, whole_file
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.json_files import JsonObject
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store.extra_columns import CATEGORIES, EXTRA_COLUMNS
from semantic_rl.recording.store.frames import write_observations, write_pictures
from semantic_rl.recording.store.reader_check import check_numbers, check_readable, recording_json
from semantic_rl.recording.store.schema import EPISODE_DTYPE, NULLABLE, ROW_GROUP_ROWS, SHARD_ROWS, to_table

DICTIONARY_COLUMNS = ["episode", "level_seed", "action", "code_index"]


class Block(NamedTuple):
    """Consecutive states of one episode."""

    rows: NDArray[np.void]
    """[B], of type `state_dtype`."""
    observations: list[bytes]
    """The B packed observations."""
    pictures: list[bytes]
    """The B encoded pictures, or an empty list."""


class Episode(NamedTuple):
    """The description of an episode at the time of writing."""

    length: int
    episode_return: float
    level_seed: int
    success: bool
    terminated: bool
    truncated: bool
    env: int


def observation_layout(spec: EnvSpec) -> tuple[tuple[int, ...], str]:
    """Return shape and type of an observation as it is stored: a dictionary of arrays becomes a row of bytes."""
    if len(spec.observation) == 1:
        return spec.observation[0].shape, spec.observation[0].dtype
    sizes = [math.prod(part.shape) * np.dtype(part.dtype).itemsize for part in spec.observation]
    return (sum(sizes),), "uint8"


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file atomically."""
    _write_text(path, json.dumps(content, indent=2) + "\n")


def _write_text(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class ShardWriter:
    """Takes finished episodes, writes shards and, at the end, the tables."""

    def __init__(
        self,
        folder: Path,
        description: dict[str, Any],
        observation_shape: tuple[int, ...],
        with_pictures: bool,
        observation_type: str = "uint8",
    ) -> None:
        """`observation_shape` and `observation_type` are those of one observation; see `observation_layout`."""
        self._folder = folder
        self._description = dict(description)
        self._shape = observation_shape
        self._type = observation_type
        self._with_pictures = with_pictures
        self._blocks: list[Block] = []
        self._episodes: list[tuple[Any, ...]] = []
        self._num_shards = 0
        self._dtype: np.dtype[np.void] | None = None
        """Of the states; None as long as there is none."""
        self.num_states = 0

    @property
    def num_episodes(self) -> int:
        """Return the number of episodes taken so far."""
        return len(self._episodes)

    def begin(self) -> None:
        """Mark the folder as an incomplete recording, then create its subfolders.

        The caller must hold the folder's lock. Raises UserError if a subfolder is a symbolic link or not a folder.
        """
        inner = [self._folder / name for name in (FRAMES_FOLDER, PARTS_FOLDER)]
        for folder in inner:
            check_own_folder(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_description(complete=False)
        for folder in inner:
            folder.mkdir(exist_ok=True)
        for folder in (self._folder, *inner):
            remove_abandoned(folder, seconds=0.0)

    @property
    def is_begun(self) -> bool:
        """Say whether the folder is marked as a recording and can therefore be resumed."""
        return os.path.isfile(self._folder / RECORDING_FILE)

    @property
    def folder(self) -> Path:
        """Return the folder of the recording."""
        return self._folder

    @property
    def content_so_far(self) -> JsonObject:
        """Return what `recording.json` would hold if the recording ended here."""
        content = json.loads(json.dumps({**self._description, "counts": self._counts()}))
        return JsonObject(content, self._folder, "")

    def _counts(self) -> dict[str, int]:
        return {"states": self.num_states, "episodes": self.num_episodes, "shards": self._num_shards}

    def _write_description(self, complete: bool) -> None:
        _write_text(
            self._folder / RECORDING_FILE, recording_json(self._description, self._counts() if complete else None)
        )

    @property
    def description(self) -> dict[str, Any]:
        """Return the content of `recording.json` except format and counts."""
        return self._description

    def describe(self, **entries: Any) -> None:
        """Add entries to `recording.json`, or replace them."""
        self._description = {**self._description, **entries}

    def add(self, block: Block, episode: Episode) -> None:
        """Take a whole episode: number it and append its states to the rows of the recording."""
        self.add_part(block)
        self.end_episode(episode)

    def add_part(self, block: Block) -> None:
        """Take the next states of an episode, which `end_episode` ends; raises UserError as `check` does."""
        self.check(block.rows)
        block.rows["episode"] = self.num_episodes
        self.num_states += len(block.rows)
        self._blocks.append(block)
        while self.num_states - self._num_shards * SHARD_ROWS >= SHARD_ROWS:
            self._write_shard()

    def check(self, rows: NDArray[np.void]) -> None:
        """Raise UserError if the reader would refuse states, or what the recording says of them."""
        if self._dtype is None:
            check_readable(self._description, rows.dtype, self._shape, self._type)
            self._dtype = rows.dtype
        check_numbers(rows, NULLABLE + tuple(self._description.get(EXTRA_COLUMNS, ())))

    @contextmanager
    def undone_on_failure(self) -> Generator[None]:
        """Take none of the states that are given in this context if it raises something."""
        before = list(self._blocks), self._num_shards, self.num_states
        try:
            yield
        except BaseException:
            written = range(before[1], self._num_shards + 1)
            self._blocks, self._num_shards, self.num_states = before
            for shard in written:
                self._remove_shard(shard)
            raise

    def _remove_shard(self, shard: int) -> None:
        frames = [self._folder / FRAMES_FOLDER / name for name in (observations_file(shard), pictures_file(shard))]
        for file in (*frames, self._folder / PARTS_FOLDER / part_file(shard)):
            with suppress(OSError):
                file.unlink()

    def end_episode(self, episode: Episode) -> None:
        """End the episode whose states were taken since the last one ended."""
        first_row = int(self._episodes[-1][1] + self._episodes[-1][2]) if self._episodes else 0
        shard, offset = divmod(first_row, SHARD_ROWS)
        where = (self.num_episodes, first_row, self.num_states - first_row, shard, offset)
        self._episodes.append((*where, *episode))

    def _write_shard(self) -> None:
        """Write the rows and frames of the next shard; the remaining rows begin the following shard."""
        shard = join(self._blocks)
        path = self._folder / FRAMES_FOLDER
        write_observations(
            path / observations_file(self._num_shards), shard.observations[:SHARD_ROWS], self._shape, self._type
        )
        if self._with_pictures:
            write_pictures(path / pictures_file(self._num_shards), shard.pictures[:SHARD_ROWS])
        table = to_table(shard.rows[:SHARD_ROWS])
        part = self._folder / PARTS_FOLDER / part_file(self._num_shards)
        with whole_file(part) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
            writer.write_table(table)
        rest = Block(shard.rows[SHARD_ROWS:].copy(), shard.observations[SHARD_ROWS:], shard.pictures[SHARD_ROWS:])
        self._blocks = [rest] if len(rest.rows) else []
        self._num_shards += 1

    def finish(self, on_progress: OnProgress = lambda done, total: None) -> None:
        """Write the remaining rows and the tables and, last of all, mark `recording.json` as complete.

        Raises UserError if what it says by now could not be read again.
        """
        if self._dtype is not None:
            check_readable(self._description, self._dtype, self._shape, self._type)
        if self._blocks:
            self._write_shard()
        self._write_states(on_progress)
        episodes = np.array(self._episodes, EPISODE_DTYPE)
        known = [name for name in EPISODE_COLUMNS if name not in self._description.get("absent_columns", {})]
        with whole_file(self._folder / EPISODES_FILE) as temporary:
            pq.write_table(to_table(episodes).select(known), temporary, compression="zstd")
        self._write_description(complete=True)
        self._remove_parts()

    def _remove_parts(self) -> None:
        """Remove the files that are no longer needed; the recording is complete even if they remain."""
        folder = self._folder / PARTS_FOLDER
        for name in (RESUME_FILE, *(part_file(shard) for shard in range(self._num_shards))):
            with suppress(OSError):
                (folder / name).unlink()
        with suppress(OSError):
            folder.rmdir()

    def _write_states(self, on_progress: OnProgress) -> None:
        """Join the parts into one file, one row group at a time."""
        parts = [self._folder / PARTS_FOLDER / part_file(shard) for shard in range(self._num_shards)]
        per_group = ROW_GROUP_ROWS // SHARD_ROWS
        with whole_file(self._folder / STATES_FILE) as temporary:
            writer: pq.ParquetWriter | None = None
            for start in range(0, len(parts), per_group):
                table = pa.concat_tables(_read(part) for part in parts[start : start + per_group])
                if writer is None:
                    few = {*DICTIONARY_COLUMNS, *self._description.get(CATEGORIES, {})}
                    dictionary: Any = [name for name in table.column_names if name in few]
                    writer = pq.ParquetWriter(temporary, table.schema, compression="zstd", use_dictionary=dictionary)
                writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
                on_progress(min(start + per_group, len(parts)), len(parts))
            assert writer is not None, "a recording holds at least one state"
            writer.close()

    def taken(self, *columns: str) -> tuple[dict[str, NDArray[Any]], NDArray[np.void]]:
        """Return columns of the states taken so far, and the episodes, while the recording is in progress."""
        parts = [
            _read(self._folder / PARTS_FOLDER / part_file(shard)).select(columns) for shard in range(self._num_shards)
        ]
        found = {
            name: np.concatenate(
                [
                    *(part[name].to_numpy() for part in parts),
                    *(block.rows[name] for block in self._blocks),
                    np.zeros(0, np.int64),
                ]
            )
            for name in columns
        }
        return found, np.array(self._episodes, EPISODE_DTYPE)

    def state(self) -> tuple[list[Block], dict[str, Any]]:
        """Return the states that are not in a shard yet and, as JSON values, the counters."""
        counters = {"num_shards": self._num_shards, "num_states": self.num_states, "episodes": self._episodes}
        return self._blocks, counters

    def restore(self, blocks: list[Block], counters: dict[str, Any]) -> None:
        """Restore what `state` returned; shards written since are written again."""
        self._blocks = list(blocks)
        self._num_shards = counters["num_shards"]
        self.num_states = counters["num_states"]
        self._episodes = [tuple(episode) for episode in counters["episodes"]]


def _read(part: Path) -> Any:
    with pa.OSFile(str(part), "rb") as source:
        return pa.ipc.open_file(source).read_all()


def join(blocks: list[Block]) -> Block:
    """Concatenate blocks."""
    return Block(
        np.concatenate([block.rows for block in blocks]),
        [item for block in blocks for item in block.observations],
        [item for block in blocks for item in block.pictures],
    )
