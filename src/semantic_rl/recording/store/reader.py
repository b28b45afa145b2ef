"""Opens a finished recording after checking that it is valid and complete."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from semantic_rl.artifacts import (
    AGENT_CLUSTERING,
    DERIVED_FOLDER,
    EPISODES_FILE,
    OPTIONAL_EPISODE_COLUMNS,
    RECORDING_FILE,
    STATES_FILE,
)
from semantic_rl.atomic_write import check_no_link
from semantic_rl.control_factor import recorded_note
from semantic_rl.envs.spec import MOST_BYTES_OF_OBSERVATION
from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject
from semantic_rl.recording.store.checked_tables import Limits, check_episodes, check_states
from semantic_rl.recording.store.clusterings import (
    AS_RECORDED,
    FITTED_NOTE,
    Clustering,
    default_name,
    fitted_names,
    open_states,
    read_clustering,
    unknown_clustering,
)
from semantic_rl.recording.store.description import (
    absent_columns,
    check_description,
    env_spec,
    policy_kind,
    read_description,
    state_layout,
)
from semantic_rl.recording.store.extra_columns import ExtraColumn, read_categories, read_extra, texts_of
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.frames import FrameShards
from semantic_rl.recording.store.pictures import check_picture, decode_picture, most_bytes
from semantic_rl.recording.store.schema import EPISODE_DTYPE, StateLayout, columns_to_table, to_table
from semantic_rl.recording.store.state_columns import StateColumns
from semantic_rl.recording.store.table_file import TableFile, float_type, list_width

FILL: dict[str, Any] = {
    "level_seed": 0, "success": False, "value": 0.0, "action": 0, "reward": 0.0, "return_to_go": np.nan,
}  # fmt: skip
"""Values that stand in tables for what is not known."""
OPTIONAL_SCALARS = {
    "level_seed": np.int64, "value": np.float32, "action": np.uint8, "reward": np.float32, "return_to_go": np.float32,
}  # fmt: skip
"""Columns of one number a state that a recording may lack, and their types."""


class Recording:
    """A recording on disk. Tables are read on demand, frames one at a time."""

    def __init__(self, path: Path, content: JsonObject, fitted: Clustering | None = None) -> None:
        self.path = path
        description = check_description(content)
        self.description = description
        """The content of `recording.json`: agent, settings, versions, counts."""
        self.num_states: int = description["counts"]["states"]
        self.num_episodes: int = description["counts"]["episodes"]
        self.fitted = fitted
        """The clustering, fitted afterwards, whose plane and clusters the states have; None for the agent's own."""
        self.num_codes: int = description["num_codes"] if fitted is None else fitted.num_codes
        """Number of codes; 0 if the agent has no semantic clustering module and no clustering was fitted."""
        self.num_actions: int = description["num_actions"]
        """Number of actions; 0 if the action space is not discrete."""
        self.spec = env_spec(content)
        """The environment."""
        self.policy_kind = policy_kind(content)
        """How the policy's numbers are read: categorical if there are log-probabilities."""
        self.content = content
        """The content of `recording.json`, field by field."""
        self.extra = read_extra(content)
        """Names of the further columns of states, which the recording's maker added: numbers or texts."""
        self.categories = read_categories(content)
        """The texts of the further columns that hold texts, by name; `groups` yields their indices."""
        self._absent = frozenset(absent_columns(content))
        codebook = description["codebook"] if fitted is None else fitted.codebook
        self.codebook: NDArray[np.float32] = np.array(codebook, np.float32).reshape(-1, 2)
        """[K, 2]."""
        self.picture_size: int = description["frames"]["picture_size"]
        """Longer side of the high-resolution pictures; 0 if there are none."""
        self.picture_shape = _picture_shape(description["frames"])
        """Height and width of the high-resolution pictures."""
        self._observations = FrameShards(path, False, self.num_states, MOST_BYTES_OF_OBSERVATION)
        self._pictures = FrameShards(path, True, self.num_states, most_bytes(self.picture_shape))

    @cached_property
    def states(self) -> pl.DataFrame:
        """All states with all columns, in memory (about 0.8 KB each); `table` and `scan` read only a part."""
        names = self.state_dtype.names or ()
        parts = [columns_to_table(columns) for _, columns in self._states.groups(names)]
        table = pa.concat_tables([to_table(np.zeros(0, self.state_dtype)), *parts])
        return self._with_texts(cast(pl.DataFrame, pl.from_arrow(table)))

    @cached_property
    def episodes(self) -> pl.DataFrame:
        """All episodes."""
        return pl.DataFrame(self._episode_columns)

    @cached_property
    def _episode_columns(self) -> dict[str, NDArray[Any]]:
        fill = {name: FILL[name] for name in OPTIONAL_EPISODE_COLUMNS if name in self._absent}
        file = TableFile(self.path / EPISODES_FILE, EPISODE_DTYPE, fill)
        self._same_count(EPISODES_FILE, file.num_rows, self.num_episodes, RECORDING_FILE)
        return check_episodes(file)

    @cached_property
    def _states(self) -> StateColumns:
        layout = self.layout
        own = layout.dtype()
        fill: dict[str, Any] = {name: FILL[name] for name in OPTIONAL_SCALARS if name not in (own.names or ())}
        uniform = np.full(max(1, self.num_actions), -np.log(max(1, self.num_actions)), np.float32)
        if "log_prob" not in (own.names or ()):
            fill["log_prob"] = uniform
        types = {**OPTIONAL_SCALARS, "log_prob": (np.float32, (len(uniform),))}
        further = [(name, types[name]) for name in fill]
        dtype = np.dtype([*((name, own[name]) for name in own.names or ()), *further])
        file = TableFile(self.path / STATES_FILE, dtype, fill, layout.nullable)
        self._same_count(STATES_FILE, file.num_rows, self.num_states, RECORDING_FILE)
        return StateColumns(file, None if self.fitted is None else open_states(self.fitted, self.num_states))

    @cached_property
    def layout(self) -> StateLayout:
        """What determines the columns of the state table."""
        path = self.path / STATES_FILE
        found = state_layout(self.content, self.spec, list_width(path, "features"), float_type(path, "features"))
        return found if self.fitted is None else found._replace(num_codes=0)

    def has(self, name: str) -> bool:
        """Say whether something is known: observation, action (of a discrete space), log_prob, value, reward, success,
        level_seed, frames.

        What is not known has a neutral value in all tables: value, reward and level 0, success false, action 0, and the
        same probability for each action. An unknown observation is a single 0.
        """
        if name == "frames":
            return self.has_frames
        return name not in self._absent and (bool(self.num_actions) or name not in ("action", "log_prob"))

    @property
    def num_known_actions(self) -> int:
        """Return the number of actions; 0 if the action space is not discrete, or if it is not known what was done."""
        return self.num_actions if self.has("action") else 0

    @property
    def state_dtype(self) -> np.dtype[np.void]:
        """The columns of the file of states, with those of the chosen clustering, as a NumPy record type."""
        codes = 0 if self.fitted is None else self.num_codes
        return (self.layout._replace(num_codes=codes) if codes else self.layout).dtype()

    def table(self, *names: str) -> pl.DataFrame:
        """Return scalar columns of the state table for all states; NaN where a number is unknown."""
        return self._with_texts(pl.DataFrame(self._states.read(names)))

    def extra_column(self, name: str) -> ExtraColumn:
        """Return one of the columns `extra` for all states; a text is an index into the column's categories."""
        return ExtraColumn(name, self._states.read([name])[name], self.categories.get(name))

    def _with_texts(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table with texts in place of their indices."""
        names = [name for name in table.columns if name in self.categories]
        return table.with_columns(texts_of(table[name].to_numpy(), self.categories[name]).alias(name) for name in names)

    def scan(self) -> pl.LazyFrame:
        """Return the state table as a lazy frame, of which polars reads only the columns and rows that a query needs.

        It has the columns of the recording's own table, with texts in place of their indices: those of a fitted
        clustering are not in it.

        polars reads the file itself; if the table is damaged inside, it may raise something that is not an Exception.
        """
        texts = [
            pl.col(name).replace_strict(
                np.arange(len(texts)), pl.Series(texts, dtype=pl.String), return_dtype=pl.String
            )
            for name, texts in self.categories.items()
        ]
        return pl.scan_parquet(self.path / STATES_FILE).with_columns(texts)

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
                    self._states.check_lists(name, values, start)
            yield start, columns

    def feature_groups(self, rows: NDArray[np.integer] | None = None) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """Yield all features in batches, as (first row, features [B, D]); `rows` as in `groups`."""
        for start, columns in self.groups(["features"], rows):
            yield start, columns["features"]

    def features(self, rows: NDArray[np.integer] | None = None) -> NDArray[np.floating]:
        """Return the features [B, D] of the given rows, which must ascend, or of all; others take no memory."""
        found: list[NDArray[np.floating]] = []
        for start, values in self.feature_groups(rows):
            if rows is None:
                found.append(values)
                continue
            low, high = np.searchsorted(rows, (start, start + len(values))).tolist()
            found.append(values[rows[low:high] - start])
        return np.concatenate(found)

    def observation(self, row: int) -> NDArray[Any]:
        """Return the exact observation of a state; of a dictionary of arrays, the picture or else the first of them."""
        parts = self.observation_parts(row)
        image = self.spec.image
        return next(iter(parts.values())) if image is None else parts[image.name]

    def observation_parts(self, row: int) -> dict[str, NDArray[Any]]:
        """Return the exact observation of a state, as arrays by name; a single array has the name ''."""
        content = self._observations.read(self._valid(row))
        if len(self.spec.observation) == 1:
            shape, dtype = self._observations.layout()
            return {self.spec.observation[0].name: np.frombuffer(content, dtype).reshape(shape)}
        found: dict[str, NDArray[Any]] = {}
        place = 0
        for part in self.spec.observation:
            count = math.prod(part.shape)
            if len(content) < place + count * np.dtype(part.dtype).itemsize:
                break
            found[part.name] = np.frombuffer(content, part.dtype, count, place).reshape(part.shape)
            place += found[part.name].nbytes
        if place != len(content):
            raise UserError(
                f"{self.path}: an observation has {len(content):,} bytes, but {RECORDING_FILE} says {place:,}; its "
                "files do not belong together. Restore the recording or record again."
            )
        return found

    @property
    def has_pictures(self) -> bool:
        """Say whether there are high-resolution pictures."""
        return self.picture_size > 0

    @property
    def has_frames(self) -> bool:
        """Say whether there is anything to look at: pictures, or observations that are images."""
        return self.has_pictures or self.spec.image is not None

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of a frame; of a black one if there are none."""
        if self.has_pictures:
            return self.picture_shape
        image = self.spec.image
        return (64, 64) if image is None else (image.shape[0], image.shape[1])

    def frame(self, row: int) -> NDArray[np.uint8]:
        """Return a state's picture [H, W, 3], or the observation if there are no pictures and it is an image.

        Where there is neither, the frame is black.
        """
        if not self.has_pictures:
            return self.observation_picture(row)
        content = self.picture(row)
        try:
            return decode_picture(content, self.picture_shape)
        except Damaged as error:
            raise self._no_picture(row, error) from error

    def observation_picture(self, row: int) -> NDArray[np.uint8]:
        """Return a state's observation as a picture [H, W, 3]; if it is no image, the frame."""
        if self.spec.image is None:
            return self.frame(row) if self.has_pictures else np.zeros((*self.frame_shape, 3), np.uint8)
        image = self.observation(row)
        image = image if image.ndim == 3 else image[:, :, None]
        return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image

    def picture(self, row: int) -> bytes:
        """Return a state's high-resolution picture as stored, a JPEG; raises UserError if there are none."""
        if not self.has_pictures:
            raise UserError(
                f"{self.path} has no pictures ('semantic-rl record --frame-size 0' left them out); use observations."
            )
        content = self._pictures.read(self._valid(row))
        try:
            check_picture(content, self.picture_shape)
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
        return recorded_note(self.description) if self.num_codes and self.fitted is None else None

    @property
    def fitted_note(self) -> str | None:
        """A note if plane and clusters were fitted after the agent was trained; else None."""
        return None if self.fitted is None else FITTED_NOTE

    @property
    def clusters_note(self) -> str | None:
        """What a reader must be told of plane and clusters: never trained, or fitted afterwards; else None."""
        return self.untrained_note or self.fitted_note

    @property
    def notes_folder(self) -> Path:
        """The folder with users' names of these clusters and saved selections."""
        return self.path if self.fitted is None else self.fitted.folder

    @property
    def clustering_name(self) -> str | None:
        """The name of the clustering whose plane and clusters the states have; None if there is none."""
        if self.fitted is not None:
            return self.fitted.name
        return AGENT_CLUSTERING if self.num_codes else None

    @property
    def clustering_key(self) -> str | None:
        """What identifies a fitted clustering, for results that depend on it; None for the agent's own."""
        return None if self.fitted is None else self.fitted.sha256

    @property
    def clusterings(self) -> list[str]:
        """The names of all clusterings that this recording has, the agent's own first."""
        return [*([AGENT_CLUSTERING] if self.description["num_codes"] else []), *fitted_names(self.path)]

    def clustering(self, name: str) -> Clustering:
        """Return a fitted clustering, which can place further states; raises UserError for an unknown name."""
        if name == AGENT_CLUSTERING and name in self.clusterings:
            raise UserError(
                f"clustering: '{AGENT_CLUSTERING}' is part of the agent's network, which places states as it plays; "
                "record the agent to place more, or fit a clustering."
            )
        if name not in self.clusterings:
            raise unknown_clustering(self.path, name, self.description["num_codes"] > 0)
        return read_clustering(self.path, name)

    def summary(self) -> str:
        """Describe the recording in one line; scores are over the episodes that have ended."""
        ended = self.episodes.filter(pl.col("terminated") | pl.col("truncated"))
        if len(ended):
            means = ended.select(pl.col("return", "length", "success").mean()).row(0)
            scores = f"mean return {means[0]:.2f}, " if self.has("reward") else ""
            scores += f"mean length {means[1]:.0f}"
            scores += f", success {means[2]:.0%}" if self.has("success") else ""
            limited = int(ended["truncated"].sum())
            scores += f", {limited:,} ended by a time limit" if limited else ""
        else:
            names = [name for name, column in (("return", "reward"), ("success", "success")) if self.has(column)]
            scores = f"{' and '.join(names)} not known" if names else ""
        if len(ended) < self.num_episodes:
            number = f"{len(ended):,}" if len(ended) else "none"
            scores = f"{number} of them ended{': ' if scores else ''}{scores}"
        size = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        return (
            f"{self.path}: {self.num_states:,} states of {self.num_episodes:,} "
            f"episode{'s' if self.num_episodes != 1 else ''} ({scores}), "
            f"{size / self.num_states / 1024:.1f} KiB a state"
        )

    def check_tables(self) -> None:
        """Raise UserError unless the tables exist, are complete and consistent."""
        states, episodes = self._states.recorded, self._episode_columns
        in_episodes = int(episodes["num_rows"].sum(dtype=np.int64))
        self._same_count(STATES_FILE, states.num_rows, in_episodes, f"the episodes of {EPISODES_FILE}")
        num_texts = {name: len(texts) for name, texts in self.categories.items()}
        check_states(states, episodes, Limits(max(1, self.num_actions), self.layout.num_codes, num_texts))

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


def _picture_shape(frames: dict[str, Any]) -> tuple[int, int]:
    height, width = frames.get("picture_shape", [frames["picture_size"]] * 2)
    return height, width


def open_recording(path: str | Path, with_frames: bool = True, clustering: str | None = None) -> Recording:
    """Open a finished recording; with `with_frames` False, files of frames may be missing or damaged.

    The states' plane and clusters are those of the `clustering` of that name: "agent" for the agent's own, None for the
    recording's default, AS_RECORDED for none but the agent's own. Raises UserError if the recording is missing,
    incomplete or from a newer version, if its files are cut off or do not belong together, if it has no such
    clustering, or if its `derived/` folder is a link, so that cached results would be written elsewhere.
    """
    path = Path(path)
    description = read_description(path)
    if not description.flag("complete", False):
        raise UserError(
            f"{path} is not complete: recording was interrupted. Complete it by the command that began it: "
            "'semantic-rl record … --resume'."
        )
    check_no_link(path / DERIVED_FOLDER)
    fitted = _chosen(path, clustering, description.integer("num_codes") > 0)
    recording = Recording(path, description, fitted)
    recording.check_tables()
    if with_frames:
        recording.check_frames()
    return recording


def _chosen(path: Path, name: str | None, has_own: bool) -> Clustering | None:
    """Return the fitted clustering of a name; None for the agent's own, or if there is none."""
    if name is None:
        name = default_name(path, has_own)
    if name is None or name == AS_RECORDED or (name == AGENT_CLUSTERING and has_own):
        return None
    if name not in fitted_names(path):
        raise unknown_clustering(path, name, has_own)
    return read_clustering(path, name)
