"""Writes `test/golden.json`: small recordings as an exported page holds them, and what the Python definition says of them.

The page's own tests compute the same from what the page holds. An answer is of the numbers as they are in the page, which
are quantised: so the two may differ by no more than rounding. `tests/explorer/test_golden.py` fails where the file is not
what this script writes.
"""

import base64
import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from semantic_rl.analysis.cells import code_cells, square_around
from semantic_rl.explorer.dataset.point_columns import column_bytes
from semantic_rl.explorer.dataset.dataset import Explored, Settings
from semantic_rl.explorer.queries.episode import list_episodes
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.selection.statistics import describe_inside
from semantic_rl.explorer.dataset.projections import Placed
from semantic_rl.explorer.selection.selection import Selected, read_selection, select
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.encoding import HIGHEST_SHARE, LEVELS_16_BIT, plain
from tests.recording.synthetic import make_recording

FILE = Path(__file__).resolve().parent / "test" / "golden.json"
SETTINGS = Settings(max_points=1_000_000, tsne_states=30_000, perplexity=30.0, seed=3)
HALF = [[-0.4, -3], [3, -3], [3, 3], [0.1, 3], [0.3, 0.2]]
STAR = [[0.0, 1.6], [0.9, -1.3], [-1.5, 0.5], [1.5, 0.5], [-0.9, -1.3]]
FILTERED = "clusters"
"""The recording of which selections are also compared within a filter."""
FAR = [[20, 20], [21, 20], [21, 21]]


def golden(folder: Path) -> dict[str, Any]:
    """Make all cases; recordings are written into `folder`."""
    return {
        "recordings": [
            _recording("clusters", _explored(folder / "clusters", num_unused=1), [HALF, STAR, FAR], [[0], [1, 3], [4]]),
            _recording("many episodes", _explored(folder / "many", num_episodes=130, seed=1), [HALF], [[2]]),
            _recording("one episode", _explored(folder / "one", num_episodes=1, seed=2), [HALF], []),
            _recording("a sample", _explored(folder / "sample", max_points=200, num_episodes=9, seed=4), [STAR], [[1]]),
            _recording("no clusters", _without_clusters(folder / "ppo"), [HALF], []),
        ],
        "cells": _cells(),
    }


def _explored(folder: Path, max_points: int = SETTINGS.max_points, **kinds: Any) -> Explored:
    """Return a recording in which every third episode did not end and levels come back."""
    explored = Explored(make_recording(folder, **kinds), SETTINGS._replace(max_points=max_points))
    episodes = explored.episodes
    index = np.arange(len(episodes.length))
    explored.episodes = episodes._replace(ended=index % 3 != 2, level_seed=100 + index % 5, success=index % 4 < 2)
    rng = np.random.default_rng(9)
    uncertainty = explored.states.uncertainty
    explored.states = explored.states._replace(
        uncertainty=None if uncertainty is None else rng.beta(2, 5, len(uncertainty)).astype(np.float32),
        reward=np.where(rng.random(explored.num_states) < 0.1, rng.choice([-1.5, 1, 10]), 0).astype(np.float32),
    )
    return explored


def _without_clusters(folder: Path) -> Explored:
    """Return a PPO agent's recording, with a t-SNE of some of its states: t-SNE itself differs between machines."""
    explored = _explored(folder, num_codes=0, num_episodes=10, seed=5)
    rng = np.random.default_rng(6)
    rows = np.sort(rng.permutation(explored.num_states)[:150])
    placed = Placed(rows, rng.normal(size=(len(rows), 2)).astype(np.float32))
    explored.jobs.get("tsne", lambda report: placed, None)
    return explored


def _recording(name: str, explored: Explored, polygons: list[Any], clusters: list[list[int]]) -> dict[str, Any]:
    exported = Exported(RecordingView(explored), num_frames=0)
    blocks = {column: exported.view.column(column, None) for column in exported.column_names()}
    plane = "fdr" if explored.num_codes else "tsne"
    queries: list[dict[str, Any]] = [{"plane": plane, "polygon": polygon} for polygon in polygons]
    queries += [{"clusters": some} for some in clusters]
    if name == FILTERED:
        queries += [{**query, "within": _within(explored)} for query in (queries[0], queries[-2])]
    meta = {**exported.meta(), "name": name, "etag": "", "provenance": {}}
    exact = _as_in_the_page(explored)
    return {
        "name": name,
        "meta": plain(meta),
        "episodes": plain(list_episodes(explored)),
        "blocks": {block: _packed(content) for block, content in {**blocks, "draws": exported.draws()}.items()},
        "cases": [{"query": query, "answer": plain(_answer(exact, query))} for query in queries],
        "scales": {
            column: np.percentile(values[explored.shown], (1, 99)).tolist()
            for column, values in {"value": exact.states.value, "uncertainty": exact.states.uncertainty}.items()
            if values is not None
        },
    }


def _within(explored: Explored) -> str:
    """Return the points of a filter that leaves out steps and whole episodes, as the page sends them."""
    states = explored.states
    passes = (states.step % 3 > 0) & (states.episode % 4 > 0) & (states.value > np.median(states.value) - 1)
    return base64.b64encode(np.packbits(passes[explored.shown], bitorder="little").tobytes()).decode()


def _as_in_the_page(explored: Explored) -> Explored:
    """Round the numbers as the page's columns do; the definition is then asked of them."""
    states = explored.states
    low, high = float(states.value.min()), float(states.value.max())
    raw = np.frombuffer(column_bytes(explored, RecordingView(explored).columns["value"]), "<u2")
    value = states.value.astype(np.float64)
    value[explored.shown] = low + (high - low) * raw / LEVELS_16_BIT
    uncertainty = states.uncertainty
    if uncertainty is not None:
        uncertainty = np.rint(uncertainty.astype(np.float64) * HIGHEST_SHARE) / HIGHEST_SHARE
    explored.states = states._replace(value=value, uncertainty=uncertainty)  # pyright: ignore
    return explored


def _answer(explored: Explored, query: dict[str, Any]) -> Any:
    selected = select(explored, read_selection(explored, query), None)
    if "polygon" in query:
        _check_distance(explored, query)
    if len(explored.shown) < explored.num_states:  # the page knows of no other states than its points
        known = np.zeros(explored.num_states, np.bool_)
        known[explored.shown] = True
        selected = Selected(selected.inside & known, known)
    return describe_inside(explored, selected)


def _check_distance(explored: Explored, query: dict[str, Any]) -> None:
    """Make sure that no point lies so near to an edge that rounding its place would carry it across."""
    points = explored.plane(query["plane"]).points.astype(np.float64)
    step = np.ptp(explored.limits(query["plane"])[:2]) / LEVELS_16_BIT
    polygon = np.array(query["polygon"], np.float64)
    for start, end in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        along = np.clip((points - start) @ (end - start) / np.square(end - start).sum(), 0, 1)
        distance = np.linalg.norm(points - start - along[:, None] * (end - start), axis=1)
        assert distance.min() > 2 * step, "move the polygon a little"


def _cells() -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    codebooks = [rng.normal(size=(9, 2)), np.array([[0.0, 0], [1, 0], [1, 0], [50, 40]]), np.zeros((1, 2))]
    found: list[dict[str, Any]] = []
    for codebook in codebooks:
        limits = square_around(codebook[:8])
        cells = code_cells(codebook, limits)
        found.append({"codebook": codebook.tolist(), "limits": limits, "cells": [cell.tolist() for cell in cells]})
    return found


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def unpacked(block: str) -> NDArray[np.uint8]:
    """Return the bytes of a block: compressed, they may differ between versions of zlib."""
    return np.frombuffer(gzip.decompress(base64.b64decode(block)), np.uint8)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(json.dumps(golden(Path(folder)), ensure_ascii=False) + "\n", encoding="utf-8")
