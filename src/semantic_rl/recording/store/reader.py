"""Opens a finished recording after checking that it is valid and complete."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from semantic_rl.artifacts import (
    DERIVED_FOLDER,
    EPISODES_FILE,
    RECORDING_FILE,
    STATES_FILE,
)
from semantic_rl.atomic_write import check_no_link
from semantic_rl.control_factor import recorded_note
from semantic_rl.errors import UserError
from semantic_rl.recording.store.checked_tables import Limits, check_episodes, check_lists, check_states
from semantic_rl.recording.store.description import check_description, read_description
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.frames import MOST_BYTES_OF_OBSERVATION, FrameShards
from semantic_rl.recording.store.pictures import check_picture, decode_picture, most_bytes
from semantic_rl.recording.store.schema import EPISODE_DTYPE, columns_to_table, state_dtype, to_table
from semantic_rl.recording.store.table_file import TableFile, list_width


class Recording:
    """A recording on disk. Tables are read on demand, frames one at a time."""

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        self.path = path
        self.description = description
        """The content of `recording.json`: agent, settings, versions, counts."""
        self.num_states: int = description["counts"]["states"]
        self.num_episodes: int = description["counts"]["episodes"]
        self.num_codes: int = description["num_codes"]
        """Number of the agent's codes; 0 if it has no semantic clustering module."""
        self.num_actions: int = description["num_actions"]
        self.codebook: NDArray[np.float32] = np.array(description["codebook"], np.float32).reshape(-1, 2)
        """[K, 2]."""
        self.picture_size: int = description["frames"]["picture_size"]
        """Height and width of the high-resolution pictures; 0 if there are none."""
        self._observations = FrameShards(path, False, self.num_states, MOST_BYTES_OF_OBSERVATION)
        self._pictures = FrameShards(path, True, self.num_states, most_bytes(self.picture_size))

    @cached_property
    def states(self) -> pl.DataFrame:
        """All states with all columns, in memory (about 0.8 KB each); `table` and `scan` read only a part."""
        names = self._states.dtype.names or ()
        parts = [columns_to_table(columns) for _, columns in self._states.groups(names)]
        return cast(pl.DataFrame, pl.from_arrow(pa.concat_tables([to_table(np.zeros(0, self._states.dtype)), *parts])))

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """All episodes."""
        return pl.DataFrame(self._episode_columns)

    @cached_property
    def _episode_columns(self) -> dict[str, NDArray[Any]]:
        file = TableFile(self.path / EPISODES_FILE, EPISODE_DTYPE)
        self._same_count(EPISODES_FILE, file.num_rows, self.num_episodes, RECORDING_FILE)
        return check_episodes(file)

    @cached_property
    def _states(self) -> TableFile:
        path = self.path / STATES_FILE
        file = TableFile(path, state_dtype(self.num_actions, self.num_codes, list_width(path, "features")))
        self._same_count(STATES_FILE, file.num_rows, self.num_states, RECORDING_FILE)
        return file

    @property
    def state_dtype(self) -> np.dtype[np.void]:
        """The columns of the state table, as a NumPy record type."""
        return self._states.dtype

    def table(self, *names: str) -> pl.DataFrame:
        """Return scalar columns of the state table for all states; NaN where a number is unknown."""
        return pl.DataFrame(self._states.read(names))

    def scan(self) -> pl.LazyFrame:
        """Return the state table as a lazy frame, of which polars reads only the columns and rows that a query needs.

        polars reads the file itself; if the table is damaged inside, it may raise something that is not an Exception.
        """
        return pl.scan_parquet(self.path / STATES_FILE)

    def groups(
        self, names: Sequence[str], rows: NDArray[np.integer] | None = None
    ) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        """Yield columns in batches of rows, as (first row, columns by name); lists are [B, width].

        With `rows`, which must ascend, row groups that contain none of them are skipped and not read. Raises UserError
        if a list holds an invalid number.
        """
        for start, columns in self._states.groups(names, rows):
            for name, values in columns.items():
                if values.ndim > 1:
                    check_lists(self._states, name, values, start)
            yield start, columns

    def feature_groups(self, rows: NDArray[np.integer] | None = None) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Yield all features in batches, as (first row, features [B, 256]); `rows` as in `groups`."""
        for start, columns in self.groups(["features"], rows):
            yield start, columns["features"]

    def features(self, rows: NDArray[np.integer] | None = None) -> NDArray[np.float16]:
        """Return the features [B, 256] of the given rows, which must ascend, or of all; others take no memory."""
        found: list[NDArray[np.float16]] = []
        for start, values in self.feature_groups(rows):
            if rows is None:
                found.append(values)
                continue
            low, high = np.searchsorted(rows, (start, start + len(values))).tolist()
            found.append(values[rows[low:high] - start])
        return np.concatenate(found)

    def observation(self, row: int) -> NDArray[np.uint8]:
        """Return the exact observation of a state, [64, 64, 3]."""
        content = self._observations.read(self._valid(row))
        return np.frombuffer(content, np.uint8).reshape(self._observations.shape())

    @property
    def has_pictures(self) -> bool:
        """Say whether there are high-resolution pictures."""
        return self.picture_size > 0

    def frame(self, row: int) -> NDArray[np.uint8]:
        """Return a state's high-resolution picture [H, H, 3], or the observation if the recording has no pictures."""
        if not self.has_pictures:
            return self.observation(row)
        content = self.picture(row)
        try:
            return decode_picture(content, self.picture_size)
        except Damaged as error:
            raise self._no_picture(row, error) from error

    def picture(self, row: int) -> bytes:
        """Return a state's high-resolution picture as stored, a JPEG; raises UserError if there are none."""
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

    @property
    def untrained_note(self) -> str | None:
        """A note if the recording says that the agent's clusters and plane were never trained; else None."""
        return recorded_note(self.description) if self.num_codes else None

    def summary(self) -> str:
        """Describe the recording in one line; scores are over the episodes that have ended."""
        ended = self.episodes.filter(pl.col("terminated") | pl.col("truncated"))
        if len(ended):
            means = ended.select(pl.col("return", "length", "success").mean()).row(0)
            scores = f"mean return {means[0]:.2f}, mean length {means[1]:.0f}, success {means[2]:.0%}"
        else:
            scores = "return and success not known"
        if len(ended) < self.num_episodes:
            scores = f"{len(ended):,} of them ended: {scores}" if len(ended) else f"none of them ended: {scores}"
        size = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        return (
            f"{self.path}: {self.num_states:,} states of {self.num_episodes:,} episodes ({scores}), "
            f"{size / self.num_states / 1024:.1f} KiB a state"
        )

    def check_tables(self) -> None:
        """Raise UserError unless the tables exist, are complete and consistent."""
        states, episodes = self._states, self._episode_columns
        in_episodes = int(episodes["num_rows"].sum(dtype=np.int64))
        self._same_count(STATES_FILE, states.num_rows, in_episodes, f"the episodes of {EPISODES_FILE}")
        check_states(states, episodes, Limits(self.num_actions, self.num_codes))

    def check_frames(self) -> None:
        """Raise UserError unless the files of frames exist, are complete, and match the state table in length."""
        self._observations.check()
        if self.has_pictures:
            self._pictures.check()

    def _same_count(self, name: str, found: int, expected: int, where: str) -> None:
        if found != expected:
            raise UserError(
                f"{self.path / name}: {found} rows, but {where} of the recording says {expected}; its files do not "
                "belong together. Restore the recording or record again."
            )


def open_recording(path: str | Path, with_frames: bool = True) -> Recording:
    """Open a finished recording; with `with_frames` False, files of frames may be missing or damaged.

    Raises UserError if the recording is missing, incomplete or from a newer version, if its files are cut off or do not
    belong together, or if its `derived/` folder is a link, so that cached results would be written elsewhere.
    """
    path = Path(path)
    description = read_description(path)
    if not description.flag("complete", False):
        raise UserError(
            f"{path} is not complete: recording was interrupted. Run the same 'semantic-rl record' command with "
            "--resume to complete it."
        )
    check_no_link(path / DERIVED_FOLDER)
    recording = Recording(path, check_description(description))
    recording.check_tables()
    if with_frames:
        recording.check_frames()
    return recording
