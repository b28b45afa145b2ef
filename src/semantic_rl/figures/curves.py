"""Draws learning curves on an `ax`: return over environment steps, mean and interval over seeds.

Lines are scores on the levels that the agent trains on; lighter lines of the same colour with circles are scores on
held-out levels. (Dashes along a jagged line of thousands of updates would run together.) If runs have different
lengths, the mean ends with the shortest run and the others continue as thin lines.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from semantic_rl.analysis.curves import Curve, GameCurves, RunCurve, Series
from semantic_rl.errors import UserError
from semantic_rl.figures.style import as_text
from semantic_rl.palette import LINE

COLORS = ("#332288", "#CC6677", "#117733", "#88CCEE", "#882255", "#DDCC77", "#44AA99", "#AA4499", "#999933")
"""Tol's muted scheme; SPPO and PPO have the first two."""
THIN, THIN_OPACITY = 0.5, 0.6
NUM_CIRCLES = 8
"""Number of circles on a line, spread evenly over its updates."""


def series_colors(games: Sequence[GameCurves]) -> dict[Series, str]:
    """Return a colour for each series; raises UserError if there are more series than colours."""
    found = list(dict.fromkeys(curve.series for game in games for curve in game.curves))
    if len(found) > len(COLORS):
        raise UserError(
            f"run_root: {len(found)} curves in one panel cannot be told apart, at most {len(COLORS)} can; "
            "give fewer folders, or --num-levels."
        )
    usual = {"sppo": COLORS[0], "ppo": COLORS[1]}
    if len({(series.root, series.num_levels, series.start_level) for series in found}) > 1:
        usual = {}
    taken = {usual[series.algorithm] for series in found if series.algorithm in usual}
    free = iter(color for color in COLORS if color not in taken)
    return {series: usual.get(series.algorithm) or next(free) for series in found}


def draw_curve(ax: Axes, curve: Curve, color: str, label: str = "", show_runs: bool = False) -> None:
    """Draw one curve: mean, interval, and single runs beyond the end of the mean or, if requested, all along it."""
    if curve.low is not None and curve.high is not None:
        opacity = 0.1 if curve.held_out else 0.16
        ax.fill_between(curve.steps, curve.low, curve.high, color=color, alpha=opacity, linewidth=0, zorder=2)
    for run in single_runs(curve, show_runs):
        (thin,) = ax.plot(run.steps, run.scores, color=color, zorder=3)
        thin.set(**line_style(curve.held_out, len(run.steps), is_thin=True))
    (line,) = ax.plot(curve.steps, curve.mean, color=color, label=as_text(label or curve.label), zorder=4)
    line.set(**line_style(curve.held_out, len(curve.steps)))


def line_style(held_out: bool, num_updates: int, is_thin: bool = False) -> dict[str, Any]:
    """Return the style of a line except its colour, which panels and legend share."""
    width = THIN if is_thin else 1.3
    style: dict[str, Any] = {"linewidth": width, "alpha": THIN_OPACITY if is_thin else 1.0}
    if held_out:
        size = 2.4 if is_thin else 4.2
        every = max(1, round(num_updates / NUM_CIRCLES))
        circles = {"marker": "o", "markersize": size, "markerfacecolor": "white", "markeredgewidth": 0.75 * width}
        return {**style, **circles, "linewidth": 0.65 * width, "markevery": slice(every // 2, None, every)}
    return {**style, "marker": "." if num_updates == 1 else ""}


def single_runs(curve: Curve, whole: bool = False) -> list[RunCurve]:
    """Return the parts of a curve's runs that are drawn individually: those beyond the end of the mean, or all."""
    if whole:
        return list(curve.runs) if len(curve.runs) > 1 else []
    end = curve.steps[-1] if len(curve.steps) else -math.inf
    behind = [(run, run.steps >= end) for run in curve.runs]
    return [RunCurve(run.seed, run.steps[part], run.scores[part]) for run, part in behind if part.sum() > 1]


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
    """Return the number of seeds of each curve, as text."""
    counts = sorted({len(curve.runs) for curve in curves})
    if counts == [1]:
        return "1 seed, no interval"
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
