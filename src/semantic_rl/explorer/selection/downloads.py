"""Downloads of a selection: its rows as a table, its clips as an animated picture."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.clips.choose import choose_shots
from semantic_rl.clips.encode import write_animation
from semantic_rl.clips.overlay import Caption, draw_overlay, fit_picture
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.queries.cluster_cards import CLIP, all_shots, not_too_long
from semantic_rl.recording.store.extra_columns import Categories
from semantic_rl.recording.store.schema import columns_to_table, to_table

CLIP_SIZE = 256
LEFT_OUT = ("features",)
"""Columns that are left out because of their size (512 bytes per row); they can be read from the recording."""

AT_ONCE = 3
"""Number of downloads prepared at the same time; each may take much of a core and of the memory."""
SECONDS_TO_WAIT = 20.0
_at_work = threading.BoundedSemaphore(AT_ONCE)


def made_to_take_along(write: Callable[[Path], None], name: str) -> Path:
    """Let `write` create a file in a temporary folder, which the caller must remove.

    Raises Refusal if too many downloads are being prepared, or if there is no disk space.
    """
    if not _at_work.acquire(timeout=SECONDS_TO_WAIT):
        raise Refusal(503, f"{AT_ONCE} other files are being made; ask again in a while.")
    folder: Path | None = None
    try:
        folder = Path(mkdtemp(prefix="semantic-rl-"))
        write(folder / name)
    except BaseException as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise Refusal(507, f"the file cannot be made where it is to wait ({error.strerror}).") from error
        raise
    finally:
        _at_work.release()
    return folder / name


def write_rows(explored: Explored, inside: NDArray[np.bool_], form: str, path: Path) -> None:
    """Write the rows of a selection [B] as Parquet or CSV, one row group at a time, in constant memory."""
    writer: Any = None
    for table in _tables(explored, inside):
        if form == "csv":
            table = _flattened(table)
        if writer is None:
            writer = pa_csv.CSVWriter(path, table.schema) if form == "csv" else pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def _tables(explored: Explored, inside: NDArray[np.bool_]) -> Iterator[Any]:
    """Yield the selected rows as Arrow tables, with the row numbers as first column; the first table may be empty."""
    dtype, categories = explored.recording.state_dtype, explored.recording.categories
    columns = [name for name in dtype.names or () if name not in LEFT_OUT]
    empty = _with_texts(to_table(np.zeros(0, dtype)).select(columns), categories)
    yield empty.add_column(0, "row", pa.array([], pa.int64()))
    for start, group in explored.recording.groups(columns):
        here = np.flatnonzero(inside[start : start + len(group[columns[0]])])
        if len(here):
            table = _with_texts(columns_to_table({name: values[here] for name, values in group.items()}), categories)
            yield table.add_column(0, "row", pa.array(here + start))


def _with_texts(table: Any, categories: Categories) -> Any:
    """Replace the indices of texts by the texts."""
    for place, name in enumerate(table.column_names):
        if name in categories:
            texts = pa.array(categories[name], pa.string())
            table = table.set_column(place, name, texts.take(table.column(name)))
    return table


def _flattened(table: Any) -> Any:
    """Replace each column of fixed-size lists by one column per element."""
    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_fixed_size_list(column.type):
            columns[name] = column
            continue
        width = column.type.list_size
        values = pa.array(np.zeros(0, column.type.value_type.to_pandas_dtype()))
        if len(column):
            values = column.combine_chunks().flatten()
        for place in range(width):
            columns[f"{name}_{place}"] = values.take(pa.array(np.arange(place, len(values), width)))
    return pa.table(columns)


def write_clip(explored: Explored, frames: Frames, inside: NDArray[np.bool_], title: str, path: Path) -> bool:
    """Write shots of states inside a selection [B] as an animated WebP; return False if the selection is empty."""
    shots = all_shots(explored, inside.astype(np.uint8))
    shots = shots.where(shots.code_index == 1)
    long_enough = shots.num_frames >= CLIP.min_shot
    shots = not_too_long(shots.where(long_enough) if long_enough.any() else shots)
    chosen = choose_shots(shots, CLIP.frames, CLIP.min_shot, np.random.default_rng(explored.settings.seed))
    if not chosen:
        return False
    runs = [(shot.first_row, shot.num_frames) for shot in chosen]
    write_animation(path, captioned(explored, frames, runs), CLIP.frames_per_second, "webp", title)
    return True


def captioned(explored: Explored, frames: Frames, runs: Sequence[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of runs of states, given as (first row, number of states), with cluster and action on them."""
    states, recording = explored.states, explored.recording
    for first, count in runs:
        for place in range(count):
            row = first + place
            picture = fit_picture(frames.picture(row), CLIP_SIZE)
            if states.code_index is not None:
                action = recording.spec.action.name(int(states.action[row])) if recording.num_known_actions else None
                caption = Caption(int(states.code_index[row]), action, place, count)
                picture = draw_overlay(picture, caption)
            yield picture
