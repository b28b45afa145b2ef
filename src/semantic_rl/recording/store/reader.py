"""Opens a finished recording, after looking whether it is one and is whole."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.artifacts import (
    DERIVED_FOLDER,
    EPISODE_COLUMNS,
    EPISODES_FILE,
    RECORDING_FILE,
    RECORDING_FORMAT,
    RECORDING_VERSION,
    SEMANTIC_STATE_COLUMNS,
    STATE_COLUMNS,
    STATES_FILE,
)
from semantic_rl.atomic_write import check_no_link
from semantic_rl.errors import UserError
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.frames import MOST_BYTES_OF_OBSERVATION, FrameShards
from semantic_rl.recording.store.pictures import check_picture, decode_picture, most_bytes


class Recording:
    """A recording on disk. Tables are read when they are asked for; frames one at a time."""

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        self.path = path
        self.description = description
        """What `recording.json` says: agent, settings, versions, counts."""
        self.num_states: int = description["counts"]["states"]
        self.num_episodes: int = description["counts"]["episodes"]
        self.num_codes: int = description["num_codes"]
        """Codes of the agent; 0 if it has no semantic clustering module."""
        self.num_actions: int = description["num_actions"]
        self.codebook: NDArray[np.float32] = np.array(description["codebook"], np.float32).reshape(-1, 2)
        """[K, 2]."""
        self.picture_size: int = description["frames"]["picture_size"]
        """Height and width of pictures for people; 0 if there are none."""
        self._observations = FrameShards(path, False, self.num_states, MOST_BYTES_OF_OBSERVATION)
        self._pictures = FrameShards(path, True, self.num_states, most_bytes(self.picture_size))

    @cached_property
    def states(self) -> pl.DataFrame:
        """All states with all columns, in memory (about 0.8 KB each); `scan` reads only what is asked for."""
        return pl.read_parquet(self.path / STATES_FILE)

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """All episodes."""
        return pl.read_parquet(self.path / EPISODES_FILE)

    def scan(self) -> pl.LazyFrame:
        """Return the table of states, of which polars reads the columns and rows that a query needs."""
        return pl.scan_parquet(self.path / STATES_FILE)

    def feature_groups(self, rows: NDArray[np.integer] | None = None) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield all features, a row group at a time, as (first row, features [B, 256]).

        With `rows`, which must ascend, row groups that hold none of them are left out, and not read.
        """
        file = pq.ParquetFile(self.path / STATES_FILE)
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if rows is None or np.searchsorted(rows, start) < np.searchsorted(rows, end):
                column = file.read_row_group(group, columns=["features"]).column(0).combine_chunks()
                yield start, column.flatten().to_numpy().reshape(len(column), -1)
            start = end

    def features(self, rows: NDArray[np.integer] | None = None) -> NDArray[np.float16]:
        """Return the features [B, 256] of the given rows, which must ascend, or of all; memory for no others."""
        found: list[NDArray[np.float16]] = []
        for start, values in self.feature_groups(rows):
            if rows is None:
                found.append(values)
                continue
            low, high = np.searchsorted(rows, (start, start + len(values))).tolist()
            found.append(values[rows[low:high] - start])
        return np.concatenate(found)

    def observation(self, row: int) -> NDArray[np.uint8]:
        """Return what the agent saw in a state, [64, 64, 3], exactly."""
        content = self._observations.read(self._valid(row))
        return np.frombuffer(content, np.uint8).reshape(self._observations.shape())

    @property
    def has_pictures(self) -> bool:
        """Say whether there are pictures for people."""
        return self.picture_size > 0

    def frame(self, row: int) -> NDArray[np.uint8]:
        """Return a state's picture for people, [256, 256, 3]; the observation, if the recording has no pictures."""
        if not self.has_pictures:
            return self.observation(row)
        content = self.picture(row)
        try:
            return decode_picture(content, self.picture_size)
        except Damaged as error:
            raise self._no_picture(row, error) from error

    def picture(self, row: int) -> bytes:
        """Return a state's picture for people as it is stored: a JPEG; raises UserError if there are none."""
        if not self.has_pictures:
            raise UserError(f"{self.path} has no pictures (it was recorded with --frame-size 0); use observations.")
        content = self._pictures.read(self._valid(row))
        try:
            check_picture(content, self.picture_size)
        except Damaged as error:
            raise self._no_picture(row, error) from error
        return content

    def _no_picture(self, row: int, error: Damaged) -> UserError:
        return UserError(
            f"{self.path}: the picture of row {row}: {error}; the recording is damaged. Restore it or record again."
        )

    def _valid(self, row: int) -> int:
        if not 0 <= row < self.num_states:
            raise IndexError(f"row {row}: the recording {self.path} has rows 0 to {self.num_states - 1}")
        return row

    def summary(self) -> str:
        """Say in one line what is in the recording."""
        means = self.episodes.select(pl.col("return", "length", "success").mean()).row(0)
        size = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        return (
            f"{self.path}: {self.num_states:,} states of {self.num_episodes:,} episodes (mean return {means[0]:.2f}, "
            f"mean length {means[1]:.0f}, success {means[2]:.0%}), {size / self.num_states / 1024:.1f} KiB a state"
        )

    def check_tables(self) -> None:
        """Raise UserError unless the tables are there, whole, and agree with each other."""
        states, episodes = self._parquet(STATES_FILE), self._parquet(EPISODES_FILE)
        semantic = SEMANTIC_STATE_COLUMNS if self.num_codes else ()
        for file, columns in ((states, (*STATE_COLUMNS, *semantic)), (episodes, EPISODE_COLUMNS)):
            missing = sorted(set(columns) - set(file.schema_arrow.names))
            if missing:
                name = STATES_FILE if file is states else EPISODES_FILE
                raise UserError(f"{self.path / name}: the columns {', '.join(missing)} are missing; record again.")
        self._same_count(STATES_FILE, states.metadata.num_rows, self.num_states, RECORDING_FILE)
        self._same_count(EPISODES_FILE, episodes.metadata.num_rows, self.num_episodes, RECORDING_FILE)
        in_episodes = int(self.episodes["num_rows"].sum())
        self._same_count(STATES_FILE, states.metadata.num_rows, in_episodes, f"the episodes of {EPISODES_FILE}")

    def check_frames(self) -> None:
        """Raise UserError unless the files of frames are there, whole, and as long as the table of states."""
        self._observations.check()
        if self.has_pictures:
            self._pictures.check()

    def _same_count(self, name: str, found: int, expected: int, where: str) -> None:
        if found != expected:
            raise UserError(
                f"{self.path / name}: {found} rows, but {where} of the recording says {expected}; its files do not "
                "belong together. Restore the recording or record again."
            )

    def _parquet(self, name: str) -> pq.ParquetFile:
        path = self.path / name
        if not path.is_file():
            raise UserError(f"{path} is missing; the recording is damaged. Restore it or record again.")
        try:
            return pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path} cannot be read and may be cut off: {error}; restore the recording or record again."
            ) from error


def read_description(path: Path) -> dict[str, Any]:
    """Return a recording folder's `recording.json`; raises UserError if there is none, or it is foreign or newer."""
    file = path / RECORDING_FILE
    if not path.exists():
        raise UserError(f"{path}: no such folder; expected a recording made by 'semantic-rl record'.")
    if not file.is_file():
        raise UserError(f"{path} is not a recording: it has no {RECORDING_FILE}; make one with 'semantic-rl record'.")
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}; restore the recording or record again.") from error
    if not isinstance(description, dict) or description.get("format") != RECORDING_FORMAT:
        raise UserError(f"{file}: not a semantic-rl recording (its format is not '{RECORDING_FORMAT}').")
    version = description.get("version")
    if not isinstance(version, int) or version < 1:
        raise UserError(f"{file}: its version is {version!r}, expected a whole number; record again.")
    if version > RECORDING_VERSION:
        raise UserError(
            f"{path}: written by a newer semantic-rl (recording version {version}, this one reads up to "
            f"{RECORDING_VERSION}); update semantic-rl."
        )
    return description


def open_recording(path: str | Path, with_frames: bool = True) -> Recording:
    """Open a finished recording; `with_frames` False lets pass one whose files of frames are missing or damaged.

    Raises UserError if it is missing, incomplete, from a newer version, if its files are cut off or do not belong
    together, or if what is computed of it would be written elsewhere.
    """
    path = Path(path)
    description = read_description(path)
    check_no_link(path / DERIVED_FOLDER)
    if description.get("complete") is not True:
        raise UserError(
            f"{path} is not complete: recording was interrupted. Run the same 'semantic-rl record' command with "
            "--resume to complete it."
        )
    try:
        _ = (description["environment"]["env"], description["environment"]["distribution_mode"])
        _ = description["agent"]["sha256"]
        recording = Recording(path, description)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path / RECORDING_FILE} does not say what it should ({error!r}); record again.") from error
    recording.check_tables()
    if with_frames:
        recording.check_frames()
    return recording
