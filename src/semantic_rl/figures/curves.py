"""Learning curves: return over environment steps, mean and interval over seeds; one panel a game.

Solid lines are scores on the levels that the agent trains on, dashed ones of the same colour on held-out levels. Where
not all seeds reach as far, the mean ends with the shortest and the others go on as thin lines.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator
from rich.console import Console

from semantic_rl.analysis.curves import Curve, GameCurves, Interval, Series, compute_curves
from semantic_rl.analysis.runs import find_runs, load_runs, select_runs
from semantic_rl.analysis.score_table import (
    RUN_COLUMNS,
    SUMMARY_COLUMNS,
    run_rows,
    score_table,
    summary_rows,
    write_csv,
)
from semantic_rl.analysis.scores import compute_scores
from semantic_rl.errors import UserError
from semantic_rl.figures.palette import FAINT_INK, LINE
from semantic_rl.figures.style import CAPTION_HEIGHT, FULL_WIDTH, paper_style, save_figure, write_caption

COLORS = ("#332288", "#CC6677", "#117733", "#88CCEE", "#882255", "#DDCC77", "#44AA99", "#AA4499", "#999933")
"""Tol's muted scheme; SPPO and PPO have the first two."""
ALONE_WIDTH = 4.6
LEFT, RIGHT = 0.5, 0.12
TITLE, TICKS, X_LABEL = 0.3, 0.22, 0.24
LEGEND_ROW = 0.2
"""Inches: around panels, between them, and what their titles, ticks and labels need."""
PANEL_ASPECT = 0.72
DASHES = (0, (3.2, 1.4))

INTERVALS: dict[Interval, str] = {
    "deviation": "mean ± 1 standard deviation over seeds",
    "bootstrap": "mean and its 95% bootstrap interval over seeds",
    "range": "mean, lowest and highest seed",
    "none": "mean over seeds",
}


def series_colors(games: Sequence[GameCurves]) -> dict[Series, str]:
    """Return a colour for each series; raises UserError where there are more series than colours."""
    found = list(dict.fromkeys(curve.series for game in games for curve in game.curves))
    if len(found) > len(COLORS):
        raise UserError(
            f"run_root: {len(found)} curves in one panel cannot be told apart, at most {len(COLORS)} can; "
            "give fewer folders, or --num-levels."
        )
    usual = {"sppo": COLORS[0], "ppo": COLORS[1]}
    if len({(series.root, series.num_levels, series.start_level) for series in found}) > 1:
        usual = {}
    free = iter(color for color in COLORS if color not in usual.values())
    return {series: usual.get(series.algorithm) or next(free) for series in found}


def draw_curve(ax: Axes, curve: Curve, color: str, label: str = "", show_runs: bool = False) -> None:
    """Draw one curve: mean, interval, and single runs where the mean cannot be or where they are asked for."""
    style = DASHES if curve.held_out else "-"
    if curve.low is not None and curve.high is not None:
        opacity = 0.1 if curve.held_out else 0.16
        ax.fill_between(curve.steps, curve.low, curve.high, color=color, alpha=opacity, linewidth=0, zorder=2)
    end = curve.steps[-1] if len(curve.steps) else -math.inf
    for run in curve.runs:
        shown = slice(None) if show_runs and len(curve.runs) > 1 else run.steps >= end
        ax.plot(run.steps[shown], run.scores[shown], color=color, linewidth=0.5, alpha=0.6, linestyle=style, zorder=3)
    ax.plot(curve.steps, curve.mean, color=color, linewidth=1.3, linestyle=style, label=label or curve.label, zorder=4)


def draw_curves(
    ax: Axes, game: GameCurves, colors: Mapping[Series, str] | None = None, show_runs: bool = False
) -> None:
    """Draw all curves of a game on `ax`, with labels for `ax.legend()`."""
    colors = series_colors([game]) if colors is None else colors
    for curve in game.curves:
        label = f"{curve.label} ({count_seeds([curve])})"
        draw_curve(ax, curve, colors[curve.series], label, show_runs)
    ax.set_title(game.env)
    ax.set(xlabel="environment steps", ylabel="normalised score" if game.normalized else "return")
    ax.set_xlim(0, max(run.steps[-1] for curve in game.curves for run in curve.runs))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.grid(axis="y", color=LINE, linewidth=0.4, alpha=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def count_seeds(curves: Sequence[Curve]) -> str:
    """Say how many seeds are in each of the curves."""
    counts = sorted({len(curve.runs) for curve in curves})
    if counts == [1]:
        return "1 seed"
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def curves_caption(games: Sequence[GameCurves]) -> str:
    """Say in one line what lines and bands are."""
    first = games[0]
    curves = [curve for game in games for curve in game.curves]
    parts = [first.distribution_mode]
    if any(len(curve.runs) > 1 for curve in curves):
        parts.append(INTERVALS[first.interval])
    if any(len(curve.runs) == 1 for curve in curves) and first.interval != "none":
        parts.append("1 seed: no interval")
    if first.smoothing:
        parts.append(f"smoothed ({first.smoothing:g})")
    return "  ·  ".join(parts)


def curves_figure(games: Sequence[GameCurves], show_runs: bool = False, figure: Figure | None = None) -> Figure:
    """Draw a panel for each game and a legend below; on `figure`, which is resized, where one is given."""
    with paper_style():
        figure = Figure() if figure is None else figure
        colors = series_colors(games)
        entries = _legend_entries(games)
        columns = _num_columns(len(games))
        rows = math.ceil(len(games) / columns)
        width = ALONE_WIDTH if len(games) == 1 else FULL_WIDTH
        panel_width = (width - RIGHT - columns * LEFT) / columns
        panel_height = PANEL_ASPECT * panel_width
        legend_columns = _legend_columns([label for _, label in entries], width)
        below = LEGEND_ROW * math.ceil(len(entries) / legend_columns) + X_LABEL
        row_height = TITLE + panel_height + TICKS
        height = CAPTION_HEIGHT + rows * row_height + below
        figure.set_size_inches(width, height)
        for index, game in enumerate(games):
            row, column = divmod(index, columns)
            left = LEFT + column * (panel_width + LEFT)
            bottom = height - CAPTION_HEIGHT - row * row_height - TITLE - panel_height
            ax = figure.add_axes((left / width, bottom / height, panel_width / width, panel_height / height))
            draw_curves(ax, game, colors, show_runs)
            if index + columns < len(games):
                ax.set_xlabel("")
            if column:
                ax.set_ylabel("")
            if any(len({len(curve.runs) for curve in _entry(games, key)}) > 1 for key, _ in entries):
                _note_seeds(ax, game)
        if games[0].normalized:
            _share_scale(figure.axes)
        marks = [
            Line2D([], [], color=colors[curve.series], linestyle=DASHES if curve.held_out else "-", label=label)
            for curve, label in entries
        ]
        by_column = [mark for column in range(legend_columns) for mark in marks[column::legend_columns]]
        figure.legend(
            handles=by_column, ncols=legend_columns, loc="lower center", bbox_to_anchor=(0.5, 0), borderaxespad=0.2,
            handlelength=2.2, columnspacing=1.6, labelspacing=0.35,
        )  # fmt: skip
        write_caption(figure, curves_caption(games))
        return figure


def _num_columns(num_games: int) -> int:
    return {1: 1, 2: 2, 4: 2}.get(num_games, 3 if num_games <= 9 else 4)


def _entry(games: Sequence[GameCurves], like: Curve) -> list[Curve]:
    """The curves of all games that share an entry of the legend."""
    every = [curve for game in games for curve in game.curves]
    return [curve for curve in every if (curve.series, curve.held_out) == (like.series, like.held_out)]


def _legend_entries(games: Sequence[GameCurves]) -> list[tuple[Curve, str]]:
    """One curve of each entry, and the entry's text."""
    order = list(series_colors(games))
    firsts = {(order.index(curve.series), curve.held_out): curve for game in games for curve in game.curves}
    ordered = [firsts[key] for key in sorted(firsts)]
    return [(curve, f"{curve.label} ({count_seeds(_entry(games, curve))})") for curve in ordered]


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """How many entries of a legend fit beside each other, evenly over its rows."""
    needed = 0.5 + 0.057 * max(map(len, labels))
    fitting = max(1, min(len(labels), int((width - 0.1) / needed)))
    return math.ceil(len(labels) / math.ceil(len(labels) / fitting))


def _note_seeds(ax: Axes, game: GameCurves) -> None:
    """Write each curve's number of seeds beside the title, in the legend's order; one number if it is the same."""
    counts = [len(curve.runs) for curve in game.curves]
    text = ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))
    ax.set_title(f"{text} seed{'s' * (text != '1')}", loc="right", fontsize=7, weight="normal", color=FAINT_INK)


def _share_scale(axes: Sequence[Axes]) -> None:
    """Give normalised panels one scale, which holds 0 and 1."""
    low = min(0.0, *(ax.get_ylim()[0] for ax in axes))
    high = max(1.0, *(ax.get_ylim()[1] for ax in axes))
    for ax in axes:
        ax.set_ylim(low, high)


class CurvesResult(NamedTuple):
    """What `make_curves` wrote."""

    paths: list[Path]
    """PNG, SVG, and two CSV files."""
    table: str
    """Final scores as text."""


def make_curves(
    run_roots: Sequence[str],
    out: Path,
    envs: Sequence[str] = (),
    distribution_mode: str = "easy",
    num_levels: int | None = None,
    *,
    skip_updates: int = 10,
    smoothing: float = 0.9,
    normalized: bool = False,
    interval: Interval = "deviation",
    show_runs: bool = False,
    max_steps: float | None = None,
    final_updates: int = 100,
    original_workers: int = 1,
    seed: int = 0,
) -> CurvesResult:
    """Draw the curves of runs into `out` and write their final scores beside them.

    `run_roots` are folders of run folders; see `find_runs`. What had to be left out is said on stderr.
    """

    def warn(text: str) -> None:
        print(f"note: {text}", file=sys.stderr)

    with Console(stderr=True).status("reading runs"):
        folders = select_runs(find_runs(run_roots, warn), envs, distribution_mode, num_levels)
        runs = load_runs(folders, warn, skip_updates, max_steps, original_workers)
        games = compute_curves(runs, skip_updates, smoothing, normalized, interval, seed)
        scores = compute_scores(runs, final_updates, seed)
        stem = _stem(games)
        paths = save_figure(curves_figure(games, show_runs), out, f"curves{stem}")
        paths.append(write_csv(out / f"scores{stem}.csv", SUMMARY_COLUMNS, summary_rows(scores)))
        paths.append(write_csv(out / f"scores{stem}-runs.csv", RUN_COLUMNS, run_rows(scores)))
    return CurvesResult(paths, score_table(scores))


def _stem(games: Sequence[GameCurves]) -> str:
    """What tells the files of one figure from those of others: -game where there is one, -mode, -normalized."""
    parts = [games[0].env] if len(games) == 1 else []
    parts += [games[0].distribution_mode] if games[0].distribution_mode != "easy" else []
    parts += ["normalized"] if games[0].normalized else []
    return "".join(f"-{part}" for part in parts)
