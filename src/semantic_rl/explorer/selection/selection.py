"""A selection of states, by a lasso or by cluster; it applies to all states, not only to the points shown."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.explorer.background_jobs import PATIENCE
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.projections import PLANES, as_plane
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.selection.polygon import inside_polygon
from semantic_rl.recording.store.annotations import without_controls
from semantic_rl.recording.store.names import cluster_title

MOST_VERTICES = 10_000
LARGEST = 1e9
"""Coordinates with a larger absolute value are rejected."""


class Selection(NamedTuple):
    """A polygon in a plane, or a set of clusters."""

    plane: PlaneName | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    clusters: tuple[int, ...] = ()
    within: str = ""
    """The points that pass the page's filter, as the page sent them; empty if there is no filter."""

    def key(self) -> str:
        """Return a key that is the same for equal selections."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:16]

    def title(self, annotations: dict[str, Any]) -> str:
        """Return the name under which the selection was saved, or else a description with the names of its clusters."""
        if self.clusters:
            written = annotations["clusters"]
            title = ", ".join(cluster_title(code, written.get(str(code), {}).get("name")) for code in self.clusters)
        else:
            shape = (self.plane, [list(vertex) for vertex in self.polygon])
            same = (saved for saved in annotations["selections"] if (saved.get("plane"), saved.get("polygon")) == shape)
            title = next((saved["name"] for saved in same if saved.get("name")), "a selection of states")
        return " ".join(without_controls(title).split())


class Selected(NamedTuple):
    """The states of a selection; axis: B states of the recording."""

    inside: NDArray[np.bool_]
    """[B]."""
    known: NDArray[np.bool_] | None
    """[B]: states that the plane includes, so that it is known whether they are inside; None: all."""
    is_filtered: bool = False
    """Whether `known` leaves out states because they do not pass a filter of the page."""

    @property
    def rest(self) -> NDArray[np.bool_]:
        """[B]: states that are known to be outside."""
        return ~self.inside if self.known is None else self.known & ~self.inside

    def among(self, passing: NDArray[np.bool_]) -> "Selected":
        """Return the same selection among the states [B] that pass a filter."""
        known = passing if self.known is None else self.known & passing
        return Selected(self.inside & passing, known, is_filtered=True)


def read_selection(explored: Explored, content: Mapping[str, Any]) -> Selection:
    """Parse a selection from JSON values; raises Refusal if it is invalid."""
    if not explored.num_states:
        raise Refusal(400, "the recording has no states.")
    within = read_within(explored, content.get("within"))
    if "clusters" in content:
        return Selection(clusters=_read_clusters(explored, content["clusters"]), within=within)
    if "polygon" not in content or "plane" not in content:
        raise Refusal(400, "a selection is a plane and a polygon, or clusters, or the id of a saved selection.")
    return Selection(read_plane(explored, content["plane"]), read_polygon(content["polygon"]), within=within)


def read_within(explored: Explored, given: object) -> str:
    """Return the points that pass the page's filter as the page sent them; raises Refusal if they are not all there."""
    if given is None:
        return ""
    size = (len(explored.shown) + 7) // 8
    try:
        content = base64.b64decode(given, validate=True) if isinstance(given, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if len(content) != size:
        raise Refusal(400, f"within: expected base64 of {size:,} bytes, a bit for each point on the map.")
    return cast(str, given)


def passing_states(explored: Explored, within: str) -> NDArray[np.bool_]:
    """Return which states [B] pass the page's filter: the page knows only the points on its map."""
    bits = np.frombuffer(base64.b64decode(within), np.uint8)
    passing = np.zeros(explored.num_states, np.bool_)
    passing[explored.shown] = np.unpackbits(bits, count=len(explored.shown), bitorder="little").astype(np.bool_)
    return passing


def _read_clusters(explored: Explored, given: object) -> tuple[int, ...]:
    clusters = cast(list[object], given) if isinstance(given, list) else []
    if not clusters or not all(type(index) is int and 0 <= index < explored.num_codes for index in clusters):
        raise Refusal(
            400, f"clusters: got {_short(given)}, expected a list of numbers from 0 to {explored.num_codes - 1}."
        )
    return tuple(sorted({cast(int, index) for index in clusters}))


def read_plane(explored: Explored, given: object) -> PlaneName:
    """Return the plane of this name; raises Refusal if the recording does not have it or the name is invalid."""
    plane = as_plane(given)
    if plane is None:
        raise Refusal(400, f"plane: got {_short(given)}, expected one of {', '.join(PLANES)}.")
    why_not = explored.why_not(plane)
    if why_not is not None:
        raise Refusal(400, f"plane: {plane} cannot be had: {why_not}.")
    return plane


def read_polygon(given: object) -> tuple[tuple[float, float], ...]:
    """Return the vertices of a polygon; raises Refusal unless they are at least three pairs of finite numbers."""
    vertices = cast(list[object], given) if isinstance(given, list) else []
    if not 3 <= len(vertices) <= MOST_VERTICES:
        raise Refusal(400, f"polygon: got {len(vertices):,} vertices, expected a list of 3 to {MOST_VERTICES:,}.")
    return tuple(_read_point(vertex) for vertex in vertices)


def _read_point(given: object) -> tuple[float, float]:
    point = cast(list[object], given) if isinstance(given, list) else []
    if len(point) != 2 or not all(_is_coordinate(number) for number in point):
        raise Refusal(400, f"polygon: got the vertex {_short(given)}, expected two finite numbers.")
    x, y = cast(list[float], point)
    return float(x), float(y)


def _is_coordinate(number: object) -> bool:
    return type(number) in (int, float) and abs(cast(float, number)) < LARGEST  # also false for NaN


def _short(given: object) -> str:
    text = json.dumps(given, default=str)
    return text if len(text) <= 40 else text[:37] + "…"


def select(explored: Explored, selection: Selection, patience: float | None = PATIENCE) -> Selected:
    """Find the states of a selection; raises Pending while its plane is being computed."""
    found = _select(explored, selection, patience)
    return found.among(passing_states(explored, selection.within)) if selection.within else found


def _select(explored: Explored, selection: Selection, patience: float | None) -> Selected:
    if selection.plane is None:
        assert explored.states.code_index is not None, "read_selection has looked"
        return Selected(np.isin(explored.states.code_index, selection.clusters), None)
    placed = explored.plane(selection.plane, patience)
    inside = inside_polygon(placed.points, np.array(selection.polygon))
    if placed.rows is None:
        return Selected(inside, None)
    known, found = np.zeros((2, explored.num_states), np.bool_)
    known[placed.rows] = True
    found[placed.rows] = inside
    return Selected(found, known)
