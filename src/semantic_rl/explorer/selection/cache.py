"""Answers requests about selections (statistics, mean frames, downloads of rows and clips) and caches the results."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import FRAMES_IN_MEAN
from semantic_rl.explorer import contract
from semantic_rl.explorer.background_jobs import PATIENCE
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.encoding import to_png
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.selection.downloads import made_to_take_along, write_clip, write_rows
from semantic_rl.explorer.selection.selection import Selected, Selection, read_selection, select
from semantic_rl.explorer.selection.statistics import describe_inside
from semantic_rl.progress_bar import OnProgress

REMEMBERED = 200
"""Number of recent selections that can be referred to by their key."""
MOST_SELECTED_KEPT = 4
"""Number of selections whose states are cached, at one byte per state of the recording."""
FORMS = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv; charset=utf-8"}


class Questions:
    """The selections that the page has asked about, and the results."""

    def __init__(self, explored: Explored, frames: Frames) -> None:
        self._explored = explored
        self._frames = frames
        self._selections: OrderedDict[str, Selection] = OrderedDict()
        self._selected: OrderedDict[str, Selected] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, content: dict[str, Any], patience: float | None = PATIENCE) -> contract.Inside:
        """Return the statistics of a selection, which is given as JSON values."""
        selection = read_selection(self._explored, content)
        key = selection.key()
        with self._lock:
            _remember(self._selections, key, selection, REMEMBERED)
        selected = self._find(key, patience)
        found = self._explored.jobs.get(
            ("inside", key), lambda _: describe_inside(self._explored, selected), patience, is_asked_once=True
        )
        has_frames = self._explored.recording.has_frames
        about = f"api/{self._explored.id}/inside-mean/{key}"
        return {
            "key": key,
            **found,
            "mean": about if has_frames and found["count"] else None,
            "mean_rest": f"{about}?rest=1" if has_frames and found["of"] > found["count"] else None,
            "num_frames": min(found["count"], FRAMES_IN_MEAN),
            "num_frames_rest": min(found["of"] - found["count"], FRAMES_IN_MEAN),
        }

    def count(self, selection: Selection) -> int:
        """Return the number of states in a selection."""
        return int(select(self._explored, selection, None).inside.sum())

    def _find(self, key: str, patience: float | None = None) -> Selected:
        with self._lock:
            found = self._selected.get(key)
            selection = self._selections.get(key)
        if found is not None:
            return found
        if selection is None:
            raise Refusal(404, "this selection is no longer known; ask what is inside it again.")
        found = select(self._explored, selection, patience)
        with self._lock:
            _remember(self._selected, key, found, MOST_SELECTED_KEPT)
        return found

    def mean(self, key: str, of_rest: bool, patience: float | None = PATIENCE) -> bytes:
        """Return the mean frame of a selection, or of the rest, as PNG."""
        selected = self._find(key, patience)

        def compute(_: OnProgress) -> bytes | None:
            picture = self._frames.mean(np.flatnonzero(selected.rest if of_rest else selected.inside))
            return None if picture is None else to_png(picture)

        found = self._explored.jobs.get(("inside-mean", key, of_rest), compute, patience, is_asked_once=True)
        if found is None:
            raise Refusal(404, "there is no frame to make a mean of.")
        return found

    def rows(self, key: str, form: str) -> Path:
        """Return the rows of a selection as a file in a temporary folder, which the caller must remove."""
        if form not in FORMS:
            raise Refusal(400, f"format: got '{form[:20]}', expected {' or '.join(FORMS)}.")
        return self._written(key, lambda inside, path: write_rows(self._explored, inside, form, path))

    def clip(self, key: str, annotations: dict[str, Any]) -> Path:
        """Return the clips of a selection as an animated WebP, stored as `rows` does, titled with annotated names."""
        selection = self._selections.get(key)
        what = selection.title(annotations) if selection else ""
        title = f"{self._explored.recording.spec.id}, {what}"

        def write(inside: NDArray[np.bool_], path: Path) -> None:
            if not write_clip(self._explored, self._frames, inside, title, path):
                raise Refusal(404, "there is no state inside, so there is no clip.")

        return self._written(key, write)

    def _written(self, key: str, write: Callable[[NDArray[np.bool_], Path], None]) -> Path:
        return made_to_take_along(lambda path: write(self._find(key).inside, path), "file")


def _remember[Item](items: OrderedDict[str, Item], key: str, item: Item, most: int) -> None:
    items[key] = item
    items.move_to_end(key)
    while len(items) > most:
        items.popitem(last=False)
