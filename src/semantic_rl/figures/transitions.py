"""Draws the transitions between clusters, as a matrix and as a flow over the FDR space.

The matrix shows where the agent goes when it leaves a cluster and, on its diagonal, its mean dwell in steps. In the
flow, the width of an arrow shows the frequency of the move, and the size of a disc the cluster's share of states.
"""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.patheffects import withStroke
from rich.console import Console

from semantic_rl.analysis.cells import square_around
from semantic_rl.analysis.transitions import Transitions, compute_transitions
from semantic_rl.figures.embeddings import (
    add_legend,
    caption,
    draw_codes,
    legend_columns,
    legend_height,
    warn_of_untrained,
)
from semantic_rl.figures.style import (
    ABOVE_PANELS,
    BELOW_PANELS,
    FULL_WIDTH,
    PANEL_SIZE,
    add_square_panels,
    check_figure_places,
    paper_style,
    save_figure,
    write_caption,
)
from semantic_rl.palette import cluster_color, ink_on, rim_of
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.names import cluster_label, cluster_names

FLOW_SHOWN = 0.9
"""Share of all moves that the drawn arrows make up, the most frequent first."""
MAX_ARROW_WIDTH = 5.0
"""Points: width of the widest arrow."""
LABEL_POINTS, LABEL_PAD = 100.0, 0.3
"""Points that the labels along a side may take together, and the space around a label, as a share of its font size."""
MAX_NUMBERED = 16
"""Largest number of codes for which the matrix has numbers in its cells."""


def draw_matrix(ax: Axes, transitions: Transitions) -> None:
    """Draw the matrix of where the agent goes when it leaves a cluster, and how long it dwells in it."""
    leaving = transitions.leaving_probabilities
    count = len(leaving)
    ax.imshow(leaving, cmap="Greys", vmin=0, vmax=1)
    for index in range(count):
        color = cluster_color(index)
        ax.add_patch(Rectangle((index - 0.5, index - 0.5), 1, 1, color=color, linewidth=0))
        if count > MAX_NUMBERED:
            continue
        dwell = transitions.mean_dwell[index]
        text = "–" if np.isnan(dwell) else f"{dwell:.0f}" if dwell >= 10 else f"{dwell:.1f}"
        ax.text(index, index, text, ha="center", va="center", color=ink_on(color), fontsize=7, weight="bold")
        for other in np.flatnonzero(leaving[index] >= 0.005).tolist():
            share = leaving[index, other]
            ink = ink_on(to_hex(colormaps["Greys"](share)))
            ax.text(other, index, f"{100 * share:.0f}", ha="center", va="center", color=ink, fontsize=6.5)
    ax.set_xticks(range(count), [str(index) for index in range(count)])
    ax.set_yticks(range(count), [str(index) for index in range(count)])
    size = min(8.0, LABEL_POINTS / count)
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        for index, label in enumerate(labels):
            color = cluster_color(index)
            label.set(color=ink_on(color), weight="bold" if transitions.shares[index] > 0 else "normal", fontsize=size)
            label.set_bbox(
                {
                    "boxstyle": f"round,pad={LABEL_PAD},rounding_size=0.6",
                    "facecolor": color,
                    "edgecolor": rim_of(color),
                    "linewidth": 0.5,
                }
            )
    ax.tick_params(length=0, pad=5)
    ax.set(xlabel="to cluster", ylabel="from cluster")
    ax.spines[:].set_visible(False)


def draw_flow(ax: Axes, recording: Recording, transitions: Transitions) -> None:
    """Draw the most frequent moves as arrows between the clusters' centres in the FDR space."""
    used = np.flatnonzero(transitions.shares > 0)
    centers = transitions.centers
    limits = square_around(centers[used], margin=0.16)
    draw_codes(ax, recording.codebook, limits, fill=True, numbers=False)
    moves = transitions.counts - np.diag(np.diag(transitions.counts))
    order = np.argsort(-moves, axis=None, kind="stable")
    shown = np.cumsum(moves.ravel()[order]) - moves.ravel()[order] < FLOW_SHOWN * moves.sum()
    sizes = 10 + 26 * np.sqrt(transitions.shares)
    for source, target in zip(*np.unravel_index(order[shown], moves.shape), strict=True):
        if not moves[source, target]:
            continue
        weight = moves[source, target] / moves.max()
        ax.add_patch(
            FancyArrowPatch(
                tuple(centers[source]),
                tuple(centers[target]),
                connectionstyle="arc3,rad=0.18",
                arrowstyle="-|>",
                mutation_scale=float(6 + 6 * weight),
                linewidth=0.5 + (MAX_ARROW_WIDTH - 0.5) * weight,
                color=cluster_color(int(source)),
                path_effects=[
                    withStroke(
                        linewidth=1.1 + (MAX_ARROW_WIDTH - 0.5) * weight, foreground=rim_of(cluster_color(int(source)))
                    )
                ],
                shrinkA=float(sizes[source]) / 2,
                shrinkB=float(sizes[target]) / 2 + 1,
                zorder=3,
            )
        )
    for index in used.tolist():
        color = cluster_color(index)
        ax.plot(
            *centers[index],
            "o",
            markersize=sizes[index],
            color=color,
            markeredgecolor=rim_of(color),
            markeredgewidth=0.6,
            zorder=4,
        )
        ax.annotate(
            str(index), centers[index], color=ink_on(color), fontsize=8, weight="bold", ha="center",
            va="center_baseline", zorder=5,
        )  # fmt: skip
    ax.set(xlim=limits[:2], ylim=limits[2:], xlabel="FDR dimension 1", ylabel="FDR dimension 2")
    ax.set_aspect("equal")
    ax.locator_params(nbins=5)


def transitions_figure(recording: Recording, transitions: Transitions) -> Figure:
    """Draw matrix and flow side by side, and below them the names of clusters that have one."""
    names = cluster_names(recording.notes_folder)
    named = [index for index in sorted(names) if index < recording.num_codes]
    entries = [(cluster_color(index), cluster_label(index, names[index])) for index in named]
    with paper_style(names.values()):
        columns = legend_columns(entries, FULL_WIDTH)
        bottom = BELOW_PANELS + (legend_height(entries, columns) if entries else 0)
        figure = Figure((FULL_WIDTH, bottom + PANEL_SIZE + ABOVE_PANELS))
        left, right = add_square_panels(figure, 2, bottom)
        left.set_title("a   next cluster (%), dwell (steps)")
        right.set_title(f"b   flow: {FLOW_SHOWN:.0%} of all moves")
        draw_matrix(left, transitions)
        draw_flow(right, recording, transitions)
        if entries:
            add_legend(figure, entries, columns, "names of clusters")
        write_caption(figure, caption(recording, recording.num_states))
        return figure


def make_transitions(recording: Path, out: Path, clustering: str | None = None) -> list[Path]:
    """Draw the transitions of a recording folder into `out`; return the paths of the PNG and the SVG."""
    opened = open_recording(recording, clustering=clustering)
    check_figure_places(out, "transitions")
    warn_of_untrained(opened)
    with Console(stderr=True).status("counting moves"):
        return save_figure(transitions_figure(opened, compute_transitions(opened)), out, "transitions")
