"""Draws a card for each cluster: frames, and distributions of actions, values and times.

The frames are the mean observation, the medoid, and further states near the cluster's mean, each from a different
episode and level. Distributions are drawn in front of those of all states, in grey.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from rich.console import Console

from semantic_rl.analysis.clusters import FRAMES_IN_MEAN, Cluster, Clusters, compute_clusters
from semantic_rl.config import ClustersFigureConfig
from semantic_rl.figures.embeddings import caption, warn_of_untrained
from semantic_rl.figures.style import (
    FULL_WIDTH,
    as_text,
    check_figure_places,
    fitted,
    hide_ticks,
    paper_style,
    save_figure,
    write_caption,
)
from semantic_rl.palette import FAINT_INK, LINE, cluster_color, ink_on, rim_of
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.names import cluster_names

CARD_HEIGHT = 0.74
HEAD_HEIGHT = 0.46
NUM_TYPICAL = 4
NUM_FRAMES = 2 + NUM_TYPICAL
COLUMN_INCHES = (0.98, *[0.58] * NUM_FRAMES, 1.1, 0.56, 0.56)
"""Widths of the columns: facts, frames, actions, values, time."""
NAMED_INCHES = 1.34
"""Width of the facts if clusters have names."""
NAME_SIZE, NAME_POINTS = 7.0, 74.0
"""Points: the font size of a name, and the width available for it."""


def draw_frame(ax: Axes, frame: NDArray[np.number]) -> None:
    """Draw an image [H, W, 3] of 0–255 and nothing else."""
    smooth: Literal["antialiased", "nearest"] = "antialiased" if len(frame) > 64 else "nearest"
    ax.imshow(np.clip(frame, 0, 255).astype(np.uint8), interpolation=smooth)
    hide_ticks(ax)
    ax.spines[:].set_visible(False)


def draw_distribution(
    ax: Axes, edges: NDArray[np.floating], shares: NDArray[np.floating], background: NDArray[np.floating], color: str
) -> None:
    """Draw a histogram [H] with bins `edges` [H + 1] in front of that of all states."""
    ax.stairs(background, edges, fill=True, color=LINE, alpha=0.55, linewidth=0)
    ax.stairs(shares, edges, color=rim_of(color), linewidth=1.6)
    ax.stairs(shares, edges, color=color, linewidth=1.0)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.08 * max(shares.max(), background.max(), 1e-9)), yticks=[])
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    ax.tick_params(axis="x", labelsize=6, pad=1.5)
    ax.spines[["left", "right", "top"]].set_visible(False)


def draw_actions(
    ax: Axes, shares: NDArray[np.floating], background: NDArray[np.floating], color: str, signs: Sequence[str]
) -> None:
    """Draw the share [A] of each action, which `signs` stand for, in front of its share among all states."""
    positions = np.arange(len(shares))
    ax.bar(positions, background, width=0.92, color=LINE, alpha=0.55)
    ax.bar(positions, shares, width=0.56, color=color, edgecolor=rim_of(color), linewidth=0.4)
    ax.set_xticks(positions, signs, fontsize=5.2)
    ax.tick_params(axis="x", length=0, pad=1.5)
    ax.set(xlim=(-0.7, len(shares) - 0.3), ylim=(0, 1.08 * max(shares.max(), background.max(), 1e-9)), yticks=[])
    ax.spines[["left", "right", "top"]].set_visible(False)


def draw_facts(ax: Axes, cluster: Cluster, name: str | None = None, with_success: bool = True) -> None:
    """Write a cluster's number in its colour, its name and its statistics."""
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axis("off")
    color = cluster_color(cluster.code_index)
    ax.add_patch(Rectangle((0, 0.0), 0.055, 1, color=color, linewidth=0))
    ax.text(
        0.17, 0.83, str(cluster.code_index), color=ink_on(color), weight="bold", fontsize=9, va="center", ha="left",
        bbox={"boxstyle": "round,pad=0.28", "facecolor": color, "edgecolor": rim_of(color), "linewidth": 0.5},
    )  # fmt: skip
    ax.text(0.42, 0.83, f"{cluster.share:.1%}", weight="bold", fontsize=9, va="center")
    below = 0.68
    if name:
        ax.text(0.14, 0.57, as_text(fitted(name, NAME_POINTS, NAME_SIZE)), fontsize=NAME_SIZE, va="center")
        below = 0.49
    if not cluster.num_states:
        ax.text(0.14, below - 0.18, "no state is in it", color=FAINT_INK, fontsize=7, va="center")
        return
    lines = [f"dwell {cluster.mean_dwell:.1f} steps", f"in {cluster.num_episodes:,} episodes"]
    if with_success:
        lines.append(f"success {_percent(cluster.success)}")
    positions = np.linspace(below - 0.13, 0.13 if not name else 0.06, len(lines)).tolist()
    for position, text in zip(positions, lines, strict=True):
        ax.text(0.14, position, text, color=FAINT_INK, fontsize=6.6, va="center")


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"


def draw_card(
    axes: list[Axes], recording: Recording, clusters: Clusters, cluster: Cluster, name: str | None = None
) -> None:
    """Draw one cluster's card on `axes`: facts, mean frame, medoid, typical frames, and three distributions."""
    facts, *frames, actions, values, progress = axes
    draw_facts(facts, cluster, name, recording.has("success"))
    rows = [] if cluster.medoid is None else [cluster.medoid, *cluster.typical]
    images = [] if cluster.mean_frame is None else [cluster.mean_frame, *(recording.frame(row) for row in rows)]
    for ax, image in zip(frames, images, strict=False):
        draw_frame(ax, image)
    for ax in frames[len(images) :]:
        ax.axis("off")
    color = cluster_color(cluster.code_index)
    spec = recording.spec.action
    if recording.num_known_actions:
        signs = [spec.sign(action) for action in range(recording.num_known_actions)]
        draw_actions(actions, cluster.actions, clusters.actions, color, signs)
    else:
        actions.axis("off")
    if recording.has("value"):
        draw_distribution(values, clusters.value_edges, cluster.values, clusters.values, color)
    else:
        values.axis("off")
    draw_distribution(progress, clusters.progress_edges, cluster.progress, clusters.progress, color)
    progress.set_xticks([0, 1], ["start", "end"])
    for label, place in zip(progress.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(place)


def clusters_figure(recording: Recording, clusters: Clusters) -> Figure:
    """Draw all cards, one below the other, under common column headings."""
    names = cluster_names(recording.notes_folder, longest=80)
    count = len(clusters.clusters)
    height = HEAD_HEIGHT + CARD_HEIGHT * count
    with paper_style(names.values()):
        figure = Figure((FULL_WIDTH, height))
        grid = figure.add_gridspec(
            count,
            len(COLUMN_INCHES),
            width_ratios=(NAMED_INCHES if names else COLUMN_INCHES[0], *COLUMN_INCHES[1:]),
            left=0.012,
            right=0.985,
            top=1 - HEAD_HEIGHT / height,
            bottom=0.02 / height,
            wspace=0.12,
            hspace=0.0,
        )
        heads = ["", "mean", "medoid", "typical states of other episodes and levels", *[""] * (NUM_TYPICAL - 1)]
        for cluster in clusters.clusters:
            boxes = [grid[cluster.code_index, column] for column in range(len(COLUMN_INCHES))]
            axes = [figure.add_subplot(box) for box in boxes]
            for column, ax in enumerate(axes):
                _shrink(ax, 0.06, 0.22 if column > NUM_FRAMES else 0.06)  # plots have labels below them
            draw_card(axes, recording, clusters, cluster, names.get(cluster.code_index))
            if cluster.code_index == 0:
                plots = [
                    "action" if recording.num_known_actions else "",
                    "value" if recording.has("value") else "",
                    "when",
                ]
                for ax, head in zip(axes, [*heads, *plots], strict=True):
                    left, top = ax.get_position().x0, 1 - (HEAD_HEIGHT - 0.06) / height
                    figure.text(left, top, head, fontsize=7, color=FAINT_INK)
        overall = ", success not known: no episode ended" if recording.has("success") else ""
        if not math.isnan(clusters.success):
            overall = f", success in {_percent(clusters.success)}"
        most = max((cluster.num_states for cluster in clusters.clusters), default=0)
        means = f"  ·  means of {FRAMES_IN_MEAN} random states at most" if most > FRAMES_IN_MEAN else ""
        write_caption(figure, f"{caption(recording, recording.num_states)}{overall}  ·  grey: all states{means}")
        return figure


def _shrink(ax: Axes, above: float, below: float) -> None:
    """Shrink an axes' box by shares of its height above and below."""
    box = ax.get_position()
    ax.set_position((box.x0, box.y0 + below * box.height, box.width, (1 - above - below) * box.height))


def make_clusters(
    recording: Path, out: Path, seed: int = ClustersFigureConfig.seed, clustering: str | None = None
) -> list[Path]:
    """Draw the cluster cards of a recording folder into `out`; return the paths of the PNG and the SVG."""
    opened = open_recording(recording, clustering=clustering)
    check_figure_places(out, "clusters")
    warn_of_untrained(opened)
    with Console(stderr=True).status("looking at the clusters"):
        clusters = compute_clusters(opened, NUM_TYPICAL, seed=seed)
        return save_figure(clusters_figure(opened, clusters), out, "clusters")
