"""The section on transitions: a table of where the agent goes from each cluster, and a flow over the plane."""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.cells import square_around
from semantic_rl.analysis.transitions import Transitions
from semantic_rl.figures.transitions import FLOW_SHOWN
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.names import ClusterNote, cluster_label, cluster_title
from semantic_rl.report.charts import number
from semantic_rl.report.html import Html, element
from semantic_rl.report.parts import badge, color_style, figure, section
from semantic_rl.report.plane import cells, disc, drawing, place

MAX_IN_TABLE = 12
"""Most clusters in the table, limited by the width of a phone; beyond this, only the largest are shown."""
FAINT = 0.005
"""Shares below this are left blank in the table."""
BEND = 0.16
"""Curvature of arrows, so that the two directions between clusters do not overlap."""
THIN, WIDE = 1.2, 9.0
"""Widths of the arrows of the rarest and of the most frequent move."""


def transitions_section(
    recording: Recording, transitions: Transitions, table: str, flow: str, notes: dict[int, ClusterNote]
) -> Html:
    """Show the transitions; `table` and `flow` are the labels of the two figures."""
    names = {cluster: note.name for cluster, note in notes.items() if note.name and cluster < len(transitions.shares)}
    about_table = (
        "Next cluster when one is left, in percent of the times it is left; on the diagonal its mean dwell in steps; "
        "last, in what percent of its visits the episode ends."
    )
    about_flow = (
        f"The most frequent moves, {FLOW_SHOWN:.0%} of all, between the middles of the clusters' states. A wide arrow "
        "is a frequent move, a large disc a cluster with many states."
    )
    return section(
        "moves",
        "Moves",
        "Where does the agent go from a cluster, and how long does it stay?",
        element(
            "div",
            figure(table, about_table, _table(transitions, names)),
            figure(flow, about_flow, _flow(recording, transitions, names)),
            class_="pair",
        ),
        _key(names),
    )


def _key(names: dict[int, str]) -> Html | None:
    """Return the names of the numbered clusters, for which there is no room between the arrows."""
    if not names:
        return None
    entries = [element("span", badge(cluster, anchor=True), name) for cluster, name in sorted(names.items())]
    return element("p", *entries, class_="names")


def _table(transitions: Transitions, names: dict[int, str]) -> Html:
    count = len(transitions.shares)
    shown = sorted(np.argsort(-transitions.shares, kind="stable")[:MAX_IN_TABLE].tolist())
    heads = [element("th", badge(target, anchor=True), scope="col", title=names.get(target)) for target in shown]
    corner = element("td", element("span", "from, to", class_="sr"))
    head = element("tr", corner, *heads, element("th", "ends", scope="col"))
    rows = [_row(transitions, source, shown, names.get(source)) for source in shown]
    table = element("table", element("thead", head), element("tbody", *rows), class_="matrix")
    if count == len(shown):
        return table
    return element("div", table, element("p", f"The {len(shown)} largest of {count} clusters.", class_="faint"))


def _row(transitions: Transitions, source: int, shown: list[int], name: str | None) -> Html:
    leaving = np.nan_to_num(transitions.leaving_probabilities[source]).tolist()
    cells = [
        _dwell(source, float(transitions.mean_dwell[source])) if target == source else _move(leaving[target])
        for target in shown
    ]
    ends = element("td", _hundredths(float(np.nan_to_num(transitions.ends[source]))), class_="ends")
    return element("tr", element("th", badge(source, anchor=True), scope="row", title=name), *cells, ends)


def _dwell(source: int, dwell: float) -> Html:
    text = "–" if np.isnan(dwell) else f"{dwell:.0f}" if dwell >= 10 else f"{dwell:.1f}"
    return element("td", text, class_="dwell", style=color_style(source))


def _move(share: float) -> Html:
    return element("td", _hundredths(share), style=f"--p:{100 * share:.0f}%")


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}" if share >= FAINT else ""


def _flow(recording: Recording, transitions: Transitions, names: dict[int, str]) -> Html:
    labels = [cluster_label(index, names.get(index)) for index in range(len(transitions.shares))]
    used = np.flatnonzero(transitions.shares > 0)
    limits = square_around(transitions.centers[used], margin=0.16)
    middles = place(transitions.centers, limits)
    radii: list[float] = (8 + 20 * np.sqrt(transitions.shares)).tolist()
    moves = transitions.counts - np.diag(np.diag(transitions.counts))
    order = np.argsort(-moves, axis=None, kind="stable")
    sorted_moves = moves.ravel()[order]
    before = np.cumsum(sorted_moves) - sorted_moves
    shown = order[(before < FLOW_SHOWN * moves.sum()) & (sorted_moves > 0)]
    arrows: list[Html] = []
    for source, target in (divmod(cell, len(moves)) for cell in shown.tolist()):
        width = THIN + (WIDE - THIN) * int(moves[source, target]) / int(moves.max())
        curve = _arrow(middles[source], middles[target], radii[source], radii[target], width)
        title = element("title", f"{labels[source]} → {labels[target]}: {moves[source, target]:,} moves")
        arrows.append(element("g", title, *curve, style=color_style(source)))
    discs = [
        disc(
            index,
            middles[index],
            radii[index],
            f"{cluster_title(index, names.get(index))}, {transitions.shares[index]:.1%} of states",
        )
        for index in used.tolist()
    ]
    label = f"Flow between {len(used)} clusters over the FDR space; the table beside it has the numbers."
    return drawing(label, cells(recording.codebook, limits), element("g", *arrows, class_="arrows"), *discs)


def _arrow(
    start: NDArray[np.float64], end: NDArray[np.float64], start_radius: float, end_radius: float, width: float
) -> tuple[Html, Html]:
    """Draw a curved arrow between the edges of two discs; return its shaft and its head."""
    along = end - start
    bend = start + along / 2 + BEND * np.array([along[1], -along[0]])
    out, into = _unit(bend - start), _unit(end - bend)
    tip = end - (end_radius + 1.5) * into
    neck = tip - min(5 + 1.5 * width, float(np.hypot(*along)) / 3) * into
    side = np.array([-into[1], into[0]]) * (2.5 + 0.75 * width)
    curve = f"M{_at(start + start_radius * out)}Q{_at(bend)} {_at(neck)}"
    head = f"{_at(tip)} {_at(neck + side)} {_at(neck - side)}"
    return element("path", d=curve, stroke_width=number(width)), element("polygon", points=head)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.hypot(*vector)), 1e-9)


def _at(position: NDArray[np.float64]) -> str:
    x, y = position.tolist()
    return f"{number(x)},{number(y)}"
