"""Draws the learning curves of several games, a panel each with one legend and caption, and writes the files."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.console import Console

from semantic_rl.analysis.curves import Curve, GameCurves, Interval, Series, compute_curves
from semantic_rl.analysis.runs import find_runs, load_runs, select_runs
from semantic_rl.analysis.score_table import (
    RUN_COLUMNS,
    SUMMARY_COLUMNS,
    check_csv_place,
    run_rows,
    score_table,
    summary_rows,
    write_csv,
)
from semantic_rl.analysis.scores import Scores, compute_scores
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.errors import UserError
from semantic_rl.figures.curves import THIN, count_seeds, draw_curves, line_style, series_colors, single_runs
from semantic_rl.figures.style import CAPTION_HEIGHT, FULL_WIDTH, as_text, paper_style, save_figure, write_caption
from semantic_rl.palette import FAINT_INK

ALONE_WIDTH = 4.6
LEFT, RIGHT = 0.5, 0.12
TITLE, TICKS, X_LABEL = 0.3, 0.22, 0.24
LEGEND_ROW = 0.2
"""Inches: margins around and between panels, and the space for titles, ticks and labels."""
PANEL_ASPECT = 0.72

INTERVALS: dict[Interval, str] = {
    "deviation": "mean ± 1 standard deviation over seeds",
    "bootstrap": "mean and its 95% bootstrap interval over seeds",
    "range": "mean, lowest and highest seed",
    "none": "mean over seeds",
}


def curves_caption(games: Sequence[GameCurves]) -> str:
    """Return one line that explains lines and bands."""
    first = games[0]
    curves = [curve for game in games for curve in game.curves]
    parts = [first.distribution_mode]
    if any(len(curve.runs) > 1 for curve in curves):
        parts.append(INTERVALS[first.interval])
    if first.interval != "none" and any(
        len({len(same.runs) for same in _entry(games, curve)}) > 1 for curve in curves if len(curve.runs) == 1
    ):
        parts.append("1 seed: no interval")
    if first.smoothing:
        parts.append(f"smoothed ({first.smoothing:g})")
    return "  ·  ".join(parts)


def curves_figure(games: Sequence[GameCurves], show_runs: bool = False, figure: Figure | None = None) -> Figure:
    """Draw a panel for each game and a legend below; on `figure`, if given, which is resized."""
    with paper_style():
        figure = Figure() if figure is None else figure
        colors = series_colors(games)
        entries = _legend_entries(games)
        columns = _num_columns(len(games))
        rows = math.ceil(len(games) / columns)
        width = ALONE_WIDTH if len(games) == 1 else FULL_WIDTH
        panel_width = (width - RIGHT - columns * LEFT) / columns
        panel_height = PANEL_ASPECT * panel_width
        marks = _legend_marks(games, colors, show_runs)
        legend_columns = _legend_columns([str(mark.get_label()) for mark in marks], width)
        below = LEGEND_ROW * math.ceil(len(marks) / legend_columns) + X_LABEL
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
    """Return the curves of all games that share a legend entry."""
    every = [curve for game in games for curve in game.curves]
    return [curve for curve in every if (curve.series, curve.held_out) == (like.series, like.held_out)]


def _legend_entries(games: Sequence[GameCurves]) -> list[tuple[Curve, str]]:
    """Return one curve for each legend entry, and the entry's text."""
    order = list(series_colors(games))
    firsts = {(order.index(curve.series), curve.held_out): curve for game in games for curve in game.curves}
    ordered = [firsts[key] for key in sorted(firsts)]
    return [(curve, f"{curve.label} ({count_seeds(_entry(games, curve))})") for curve in ordered]


def _legend_marks(games: Sequence[GameCurves], colors: Mapping[Series, str], show_runs: bool) -> list[Line2D]:
    marks = [
        Line2D([], [], color=colors[curve.series], label=as_text(label), **line_style(curve.held_out, 2))
        for curve, label in _legend_entries(games)
    ]
    if any(single_runs(curve, show_runs) for game in games for curve in game.curves):
        what = "single seeds" if show_runs else "single seeds, where others have ended"
        marks.append(Line2D([], [], color=FAINT_INK, linewidth=2 * THIN, label=what))
    return marks


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """Return how many legend entries fit side by side, spread evenly over the rows."""
    needed = 0.5 + 0.057 * max(map(len, labels))
    fitting = max(1, min(len(labels), int((width - 0.1) / needed)))
    return math.ceil(len(labels) / math.ceil(len(labels) / fitting))


def _note_seeds(ax: Axes, game: GameCurves) -> None:
    """Write each curve's number of seeds beside the title, in the legend's order; one number if all are equal."""
    counts = [len(curve.runs) for curve in game.curves]
    text = ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))
    ax.set_title(f"{text} seed{'s' * (text != '1')}", loc="right", fontsize=7, weight="normal", color=FAINT_INK)


def _share_scale(axes: Sequence[Axes]) -> None:
    """Give normalised panels a common scale that includes 0 and 1."""
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
    envs: Sequence[str] = CurvesFigureConfig.env,
    distribution_mode: str = CurvesFigureConfig.distribution_mode,
    num_levels: int | None = CurvesFigureConfig.num_levels,
    *,
    skip_updates: int = CurvesFigureConfig.skip_updates,
    smoothing: float = CurvesFigureConfig.smoothing,
    normalized: bool = CurvesFigureConfig.normalize,
    interval: Interval = CurvesFigureConfig.interval,
    show_runs: bool = CurvesFigureConfig.show_runs,
    max_steps: float | None = CurvesFigureConfig.max_steps,
    final_updates: int = CurvesFigureConfig.final_updates,
    original_workers: int = CurvesFigureConfig.original_workers,
    seed: int = CurvesFigureConfig.seed,
) -> CurvesResult:
    """Draw the curves of runs into `out` and write their final scores beside them.

    `run_roots` are folders of run folders; see `find_runs`. Notes on stderr say which runs were left out.
    """

    def warn(text: str) -> None:
        print(f"note: {text}", file=sys.stderr)

    with Console(stderr=True).status("reading runs"):
        folders = select_runs(find_runs(run_roots, warn), envs, distribution_mode, num_levels)
        runs = load_runs(folders, warn, skip_updates, max_steps, original_workers)
        games = compute_curves(runs, skip_updates, smoothing, normalized, interval, seed)
        scores = compute_scores(runs, final_updates, seed)
    try:
        return write_curves(games, scores, out, show_runs)
    except UserError:
        print(score_table(scores), end="\n\n")  # the scores are printed even if they cannot be written
        raise


def write_curves(games: Sequence[GameCurves], scores: Scores, out: Path, show_runs: bool = False) -> CurvesResult:
    """Draw computed curves into `out` and write the final scores beside them."""
    stem = _stem(games)
    summaries, runs = out / f"scores{stem}.csv", out / f"scores{stem}-runs.csv"
    check_csv_place(summaries, SUMMARY_COLUMNS)
    check_csv_place(runs, RUN_COLUMNS)
    paths = save_figure(curves_figure(games, show_runs), out, f"curves{stem}")
    paths.append(write_csv(summaries, SUMMARY_COLUMNS, summary_rows(scores)))
    paths.append(write_csv(runs, RUN_COLUMNS, run_rows(scores)))
    return CurvesResult(paths, score_table(scores))


def _stem(games: Sequence[GameCurves]) -> str:
    """Return the part of the file names that tells figures apart: -game if there is only one, -mode, -normalized."""
    parts = [games[0].env] if len(games) == 1 else []
    parts += [games[0].distribution_mode] if games[0].distribution_mode != CurvesFigureConfig.distribution_mode else []
    parts += ["normalized"] if games[0].normalized else []
    return "".join(f"-{part}" for part in parts)
