"""The section on training: the return over steps, logged and smoothed, with a trivial and a perfect policy's return."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from semantic_rl.analysis.curves import smooth
from semantic_rl.analysis.progress import Progress
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.envs.spec import ReturnRange
from semantic_rl.report.charts import number, points
from semantic_rl.report.html import Html, element
from semantic_rl.report.parts import figure, section

SMOOTHING = CurvesFigureConfig.smoothing
SKIPPED_UPDATES = CurvesFigureConfig.skip_updates
"""As in `figures curves`: few episodes finish in the first updates, and short ones finish first."""
MARGIN = 0.04
"""Space above and below the curves, as a share of their height."""
KINDS = {"training": "levels it trained on", "held-out": "held-out levels"}


class Learning(NamedTuple):
    """The learning curves of a run; each has at least one score."""

    training: Progress
    held_out: Progress | None
    """Scores on levels that it did not train on; None if it trained on all levels."""
    scale: ReturnRange | None
    """Returns of a trivial and of a perfect policy, if known."""


class _Line(NamedTuple):
    """One curve; axis: T updates."""

    kind: str
    steps: NDArray[np.float64]
    returns: NDArray[np.float64]
    smoothed: NDArray[np.float64]


def learning_section(learning: Learning, label: str) -> Html:
    """Show how the agent learned."""
    lines = [_line("training", learning.training)]
    if learning.held_out is not None:
        lines.append(_line("held-out", learning.held_out))
    text = (
        "Mean return of the last 100 finished episodes over steps of training, of one run: thin as logged, thick "
        f"smoothed (exponential moving average, {SMOOTHING:g} an update); the first {SKIPPED_UPDATES} updates are left "
        "out."
    )
    if learning.scale is not None:
        text += " Dashed: what a trivial and a perfect policy get."
    keys = [element("span", element("i", class_=kind), name) for kind, name in KINDS.items()]
    legend = element("div", *keys, class_="legend lines") if len(lines) > 1 else None
    return section(
        "learning",
        "Learning",
        "What did the agent score while it learned?",
        figure(label, text, _chart(lines, learning.scale), legend),
    )


def _line(kind: str, progress: Progress) -> _Line:
    known = np.isfinite(progress.returns)
    if known[SKIPPED_UPDATES:].any():
        known[:SKIPPED_UPDATES] = False
    returns = progress.returns[known]
    return _Line(kind, progress.steps[known], returns, smooth(returns, SMOOTHING))


def _chart(lines: list[_Line], scale: ReturnRange | None) -> Html:
    bounds = [] if scale is None else [scale.minimum, scale.maximum]
    scores = np.concatenate([*(line.returns for line in lines), bounds])
    margin = MARGIN * max(float(np.ptp(scores)), 1e-6)
    low, high = float(scores.min()) - margin, float(scores.max()) + margin
    end = max(float(line.steps[-1]) for line in lines)

    def across(steps: float) -> float:
        return 100 * steps / end

    def down(score: float) -> float:
        return 100 * (high - score) / (high - low)

    shapes = [element("path", d=f"M0 {number(down(bound))}H100", class_="bound") for bound in bounds]
    for line in lines:
        for class_, values in (("raw", line.returns), ("smooth", line.smoothed)):
            corners = points([across(step) for step in line.steps], [down(score) for score in values])
            shapes.append(element("polyline", points=corners, class_=f"{class_} {line.kind}"))
    label = f"Return over {_steps(end)} steps of training; at the end {lines[0].smoothed[-1]:.2f}, smoothed."
    return element(
        "div",
        _ticks("side", "top", low, high, down, lambda score: f"{score:g}"),
        element("svg", *shapes, viewBox="0 0 100 100", preserveAspectRatio="none", role="img", aria_label=label),
        _ticks("foot-ticks", "left", 0, end, across, _steps),
        class_="line-chart",
    )


def _ticks(
    class_: str, edge: str, low: float, high: float, place: Callable[[float], float], write: Callable[[float], str]
) -> Html:
    """Return tick labels along an axis, each positioned in percent from the `edge`."""
    values = [value for value in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= value <= high]
    words = [element("span", write(value), style=f"{edge}:{number(place(value))}%") for value in values]
    return element("div", *words, class_=class_, aria_hidden="true")


def _steps(value: float) -> str:
    """Format a number of steps: 0, 500k, 1.5M."""
    return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}k" if value >= 1e3 else f"{value:.0f}"
