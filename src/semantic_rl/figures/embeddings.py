"""Draws the agent's FDR space beside t-SNE of the same states (the paper's figure of clusters).

On the left is the FDR space, which the agent learned along with its policy, with the numbered codes and their Voronoi
cells. On the right is t-SNE of the 256 features. A state has the same colour in both.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from semantic_rl.analysis.cells import code_cells, codes_near, square_around
from semantic_rl.analysis.embedding import Planes, compute_planes
from semantic_rl.config import EmbeddingsFigureConfig
from semantic_rl.figures.extra_colors import check_column, color_by_column, file_ending
from semantic_rl.figures.style import (
    ABOVE_PANELS,
    BELOW_PANELS,
    FULL_WIDTH,
    PANEL_SIZE,
    PANEL_WIDTH,
    add_square_panels,
    as_text,
    check_figure_places,
    hide_ticks,
    paper_style,
    save_figure,
    write_caption,
)
from semantic_rl.palette import CATEGORIES, OTHER, SEQUENTIAL, cluster_color, cluster_colors, ink_on, rim_of, rims_of
from semantic_rl.progress_bar import progress_bar
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.names import cluster_label, cluster_names

Color = Literal["cluster", "value", "time", "action"]
USUAL_COLORS: tuple[Color, ...] = ("cluster", "value", "time", "action")

OPACITY = 0.75
RIM = 0.09
"""Width of a point's rim, as a share of the point's width."""
CELL_OPACITY = 0.13
KEY_HEAD = 0.2
KEY_ROW = 0.19
"""Inches: height of a row of the legend, or of the colour bar, below the panels."""
LABEL_DROP = 11.5
"""Points by which a label must be lowered to align with one below tick labels."""
MAX_ENTRIES = 40
"""Most clusters in the legend; beyond this, the smallest are combined."""
CODES_IN_VIEW = 0.5
"""Distance outside the cloud of states, in units of its width, beyond which a code is not drawn."""


class Coloring(NamedTuple):
    """The colours of states, and their meaning."""

    colors: NDArray[Any]
    """[B, 3] colours, or [B] numbers for the sequential colour map."""
    label: str
    """The coloured quantity, with its unit."""
    entries: list[tuple[str, str]]
    """(colour, text) of each entry of the legend; empty if there is a colour bar."""


def draw_states(
    ax: Axes, points: NDArray[np.floating], coloring: Coloring, seed: int = EmbeddingsFigureConfig.seed
) -> PathCollection:
    """Draw states [B, 2] as points on `ax`, in random order, so that no colour covers the others."""
    order = np.random.default_rng(seed).permutation(len(points))
    colors = coloring.colors[order]
    limits: dict[str, Any] = {}
    if colors.ndim == 1:
        known = colors[np.isfinite(colors)]
        low, high = np.percentile(known, (1, 99)) if len(known) else (0.0, 1.0)
        limits = {"cmap": SEQUENTIAL, "vmin": low, "vmax": max(high, low + 1e-9)}
    ax.set_aspect("equal")
    size = float(np.clip(16_000 / len(points), 0.7, 14))
    drawn = ax.scatter(
        *points[order].T,
        c=colors,
        s=size,
        alpha=OPACITY,
        linewidths=RIM * np.sqrt(size),
        rasterized=True,
        zorder=2,
        **limits,
    )
    faces = colors if colors.ndim == 2 else np.asarray(drawn.to_rgba(colors))
    drawn.set_edgecolor([(*rim, OPACITY) for rim in rims_of(faces).tolist()])
    return drawn


def draw_codes(
    ax: Axes,
    codebook: NDArray[np.floating],
    limits: tuple[float, float, float, float],
    fill: bool,
    numbers: bool = True,
) -> None:
    """Draw the Voronoi cells of the codes [K, 2], tinted if `fill`, and the codes as numbers."""
    cells = [(index, cell) for index, cell in enumerate(code_cells(codebook, limits)) if len(cell)]
    faces = cluster_colors([index for index, _ in cells])
    opacity = np.full((len(cells), 1), CELL_OPACITY if fill else 0.0)
    polygons = [cell for _, cell in cells]
    ax.add_collection(PolyCollection(polygons, facecolors=np.hstack([faces, opacity]), edgecolors="none", zorder=1))
    ax.add_collection(
        PolyCollection(polygons, facecolors="none", edgecolors="#00000055", linewidths=0.5, zorder=1 if fill else 3)
    )
    if not numbers:
        return
    left, right, bottom, top = limits
    for index, (x, y) in enumerate(codebook):
        if left <= x <= right and bottom <= y <= top:
            color = cluster_color(index) if fill else "#FFFFFF"
            ink, edge = ink_on(color), "white" if fill else "#222222"
            ax.plot(x, y, "o", markersize=11, color=color, markeredgecolor=edge, markeredgewidth=1.0, zorder=4)
            ax.annotate(
                str(index), (x, y), color=ink, fontsize=7.5, weight="bold", ha="center", va="center_baseline", zorder=5
            )


LONG_NUMBERS = 50
"""Coordinates from which on the numbers along the vertical axis are turned."""


def draw_fdr(
    ax: Axes, points: NDArray[np.floating], codebook: NDArray[np.floating], coloring: Coloring, fill: bool = True
) -> PathCollection:
    """Draw states [B, 2] in the FDR space with its codes [K, 2] and their cells."""
    limits = square_around(np.concatenate([points, codes_near(points, codebook, CODES_IN_VIEW)]))
    draw_codes(ax, codebook, limits, fill)
    drawn = draw_states(ax, points, coloring)
    ax.set(xlim=limits[:2], ylim=limits[2:], xlabel="FDR dimension 1", ylabel="FDR dimension 2")
    ax.locator_params(nbins=5)
    if max(map(abs, limits)) >= LONG_NUMBERS:
        # Long numbers would push the axis's label out of the figure.
        ax.tick_params(axis="y", labelrotation=90)
        for label in ax.get_yticklabels():
            label.set_verticalalignment("center")
    return drawn


def draw_tsne(ax: Axes, points: NDArray[np.floating], coloring: Coloring) -> PathCollection:
    """Draw states [B, 2] at their t-SNE positions."""
    drawn = draw_states(ax, points, coloring)
    left, right, bottom, top = square_around(points)
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="t-SNE dimension 1", ylabel="t-SNE dimension 2")
    hide_ticks(ax)
    return drawn


def color_states(
    recording: Recording, planes: Planes, color: str, names: Mapping[int, str] = MappingProxyType({})
) -> Coloring:
    """Return the colours of the states in `planes`; for "cluster" the recording must have clusters.

    `color` is one of `USUAL_COLORS` or a further column of the recording. `names` are the clusters' names, as plain
    text.
    """
    if color not in USUAL_COLORS:
        return Coloring(*color_by_column(recording, planes.rows, color))
    if color == "cluster":
        assert planes.code_index is not None, "an agent without codes has no clusters"
        assert planes.code_counts is not None, "an agent without codes has no clusters"
        shares = planes.code_counts / planes.code_counts.sum()
        named = np.sort(np.argsort(-shares, kind="stable")[:MAX_ENTRIES]).tolist()
        entries = [
            (cluster_color(index), f"{cluster_label(index, names.get(index))}  {shares[index]:.1%}") for index in named
        ]
        if len(named) < len(shares):
            entries.append((OTHER, f"{len(shares) - len(named)} more  {1 - shares[named].sum():.1%}"))
        return Coloring(cluster_colors(planes.code_index), "cluster, share of states", entries)
    column = {"value": "value", "time": "step", "action": "action"}[color]
    values = recording.table(column)[column].to_numpy()
    if color != "action":
        label = "value (discounted, in normalised reward)" if color == "value" else "step in the episode"
        return Coloring(values[planes.rows].astype(np.float64), label, [])
    spec = recording.spec.action
    counts = np.bincount(values, minlength=recording.num_actions)
    frequent = np.argsort(-counts, kind="stable")[: len(CATEGORIES)]
    frequent = frequent[counts[frequent] > 0]
    table = np.full(len(counts), OTHER, object)
    table[frequent] = CATEGORIES[: len(frequent)]
    entries = [(str(table[action]), f"{spec.name(action)}  {counts[action] / len(values):.1%}") for action in frequent]
    rest = 1 - counts[frequent].sum() / len(values)
    if rest > 0:
        entries.append((OTHER, f"other  {rest:.1%}"))
    colors = np.array([[int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)] for code in table])
    return Coloring(colors[values[planes.rows]], "action, share of states", entries)


def known_colors(recording: Recording) -> tuple[Color, ...]:
    """Return the usual colours without those of numbers that the recording does not have."""
    return tuple(color for color in USUAL_COLORS if color not in ("value", "action") or recording.has(color))


def _instead(recording: Recording) -> Color:
    """Return the colour of states without clusters."""
    return "value" if recording.has("value") else "time"


def embeddings_figure(recording: Recording, planes: Planes, color: str = EmbeddingsFigureConfig.color) -> Figure:
    """Draw both planes side by side, or only one if the other is not available."""
    has_clusters, both = planes.fdr is not None, planes.fdr is not None and planes.tsne is not None
    names = cluster_names(recording.notes_folder)
    coloring = color_states(
        recording, planes, color if has_clusters or color != "cluster" else _instead(recording), names
    )
    with paper_style(names.values()):
        width = FULL_WIDTH if both else PANEL_WIDTH
        columns = legend_columns(coloring.entries, width)
        key_height = legend_height(coloring.entries, columns)
        bottom = BELOW_PANELS + key_height
        figure = Figure((width, bottom + PANEL_SIZE + ABOVE_PANELS))
        axes = add_square_panels(figure, 2 if both else 1, bottom)
        drawn: PathCollection | None = None
        if planes.fdr is not None:
            drawn = draw_fdr(axes[0], planes.fdr, recording.codebook, coloring, fill=color == "cluster")
            made = "learned by the agent" if recording.fitted is None else "fitted afterwards"
            axes[0].set_title(f"a   FDR space, {made}" if both else f"FDR space, {made}")
        if planes.tsne is not None:
            drawn = draw_tsne(axes[-1], planes.tsne, coloring)
            axes[-1].set_title("b   t-SNE of the features" if both else "t-SNE of the features")
            axes[-1].xaxis.labelpad = axes[0].xaxis.labelpad + (LABEL_DROP if both else 0)
        if coloring.entries:
            add_legend(figure, coloring.entries, columns, coloring.label)
        elif drawn is not None:
            _add_color_bar(figure, drawn, coloring)
        write_caption(figure, caption(recording, len(planes.rows)))
        return figure


def legend_columns(entries: Sequence[tuple[str, str]], width: float) -> int:
    """Return how many legend entries fit side by side, spread evenly over the rows."""
    if not entries:
        return 1
    needed = 0.34 + 0.062 * max(len(text) for _, text in entries)
    fitting = max(1, min(len(entries), int((width - 0.1) / needed)))
    return -(-len(entries) // -(-len(entries) // fitting))


def legend_height(entries: Sequence[tuple[str, str]], columns: int) -> float:
    """Return the height in inches of a legend, or of a colour bar if there are no entries."""
    return KEY_HEAD + KEY_ROW * (-(-len(entries) // columns) if entries else 1)


def add_legend(figure: Figure, entries: Sequence[tuple[str, str]], columns: int, title: str) -> None:
    """Draw the legend below the panels, row by row: a coloured disc and its text."""
    marks = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=6,
            color=color,
            markeredgecolor=rim_of(color),
            markeredgewidth=0.5,
            label=as_text(text),
        )
        for color, text in entries
    ]
    # Matplotlib fills a legend column by column; people read it row by row.
    by_column = [mark for column in range(columns) for mark in marks[column::columns]]
    figure.legend(
        handles=by_column,
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=0.2,
        ncols=columns,
        title=as_text(title),
        title_fontsize=8,
        handletextpad=0.1,
        columnspacing=1.2,
        labelspacing=0.35,
    )


def _add_color_bar(figure: Figure, drawn: PathCollection, coloring: Coloring) -> None:
    width, height = figure.get_size_inches()
    length = 0.45 * width
    ax = figure.add_axes(((width - length) / 2 / width, 0.38 / height, length / width, 0.085 / height))
    # The bar needs its own mappable, because the points are translucent and the bar is not.
    bar = figure.colorbar(ScalarMappable(drawn.norm, drawn.get_cmap()), cax=ax, orientation="horizontal", extend="both")
    bar.set_label(as_text(coloring.label))
    bar.outline.set_visible(False)


def caption(recording: Recording, num_drawn: int) -> str:
    """Return one line that says which agent and how many states a figure shows."""
    agent = recording.description["agent"]
    name = "SPPO" if recording.num_codes else "PPO"
    states = f"{recording.num_states:,} states"
    if num_drawn < recording.num_states:
        states = f"{num_drawn:,} of {states}"
    parts = [recording.spec.title, str(agent.get("algorithm", name)).upper()]
    why = " (λ was 0)" if "λ" in (recording.untrained_note or "") else ""
    made = [f"untrained clusters{why}"] if recording.untrained_note else []
    if recording.fitted is not None:
        made = [f"clusters fitted afterwards ({recording.fitted.name})"]
    return "  ·  ".join([*filter(None, parts), f"{states} from {recording.num_episodes:,} episodes", *made])


def warn_of_untrained(recording: Recording) -> None:
    """Print a note on stderr if clusters and plane were never trained, or were fitted afterwards."""
    if recording.clusters_note is not None:
        print(f"note: {recording.clusters_note}", file=sys.stderr)


def make_embeddings(
    recording: Path,
    out: Path,
    color: str = EmbeddingsFigureConfig.color,
    max_states: int = EmbeddingsFigureConfig.max_states,
    perplexity: float = EmbeddingsFigureConfig.perplexity,
    seed: int = EmbeddingsFigureConfig.seed,
    num_threads: int = EmbeddingsFigureConfig.num_threads,
    clustering: str | None = None,
) -> list[Path]:
    """Draw the embeddings of a recording folder into `out`; return the paths of the PNG and the SVG."""
    opened = open_recording(recording, clustering=clustering)
    name = "embeddings" if color == "cluster" else f"embeddings-{file_ending(color)}"
    check_column(opened, color, known_colors(opened))
    check_figure_places(out, name)
    warn_of_untrained(opened)
    with progress_bar("t-SNE") as on_progress:
        planes = compute_planes(
            opened,
            max_states,
            perplexity,
            seed,
            num_threads,
            on_progress,
        )
    if planes.fdr is None:
        instead = f", coloured by {_instead(opened)}" if color == "cluster" else ""
        print(
            f"{recording}: the agent has no semantic clustering module, so it has neither FDR space nor clusters; "
            f"drawing t-SNE alone{instead}. To get both: semantic-rl fit {recording}.",
            file=sys.stderr,
        )
    if planes.tsne is None:
        print(f"{recording}: drawing the FDR space alone: {planes.no_tsne}.", file=sys.stderr)
    return save_figure(embeddings_figure(opened, planes, color), out, name)
