"""Small charts as SVG: shapes stretch to the available width, while labels are HTML and keep their size.

Colours come from the style sheet: --c is the cluster's colour; the line shows all states.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_rl.report.html import Child, Html, element

HEIGHT = 100.0
HEADROOM = 1.06
"""Height of a chart relative to its tallest bar."""


def number(value: float) -> str:
    """Format a coordinate briefly."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def points(xs: Sequence[float] | NDArray[np.floating], ys: Sequence[float] | NDArray[np.floating]) -> str:
    """Format points for an SVG polyline."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in zip(xs, ys, strict=True))


def _steps(shares: NDArray[np.floating], top: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a histogram's outline, in a box 100 wide and 100 high."""
    edges = np.repeat(np.linspace(0, 100, len(shares) + 1), 2)[1:-1]
    return edges, HEIGHT - HEIGHT * np.repeat(np.asarray(shares, np.float64), 2) / top


def _top(shares: NDArray[np.floating], everything: NDArray[np.floating]) -> float:
    return HEADROOM * max(float(shares.max()), float(everything.max()), 1e-9)


def _stretched(label: str, *shapes: Child) -> Html:
    return element(
        "svg", *shapes, viewBox="0 0 100 100", preserveAspectRatio="none", role="img", aria_label=label
    )  # fmt: skip


def histogram(
    label: str, shares: NDArray[np.floating], everything: NDArray[np.floating], ticks: Sequence[tuple[float, str]]
) -> Html:
    """Draw the shares [H] of a cluster's states in bins, under the line of all states; ticks are (0–1, text)."""
    top = _top(shares, everything)
    xs, ys = _steps(shares, top)
    area = points([0, *xs, 100], [HEIGHT, *ys, HEIGHT])
    drawing = _stretched(
        label,
        element("polygon", points=area, class_="mine"),
        element("polyline", points=points(*_steps(everything, top)), class_="all"),
    )
    words = [element("span", text, style=f"left:{number(100 * place)}%") for place, text in ticks]
    return element("div", drawing, element("div", *words, class_="ticks", aria_hidden="true"), class_="chart")


def bars(
    label: str,
    shares: NDArray[np.floating],
    everything: NDArray[np.floating],
    signs: Sequence[str],
    names: Sequence[str],
) -> Html:
    """Draw the share [A] of each choice as a bar, with a line at its share among all states; `signs` are the labels."""
    top = _top(shares, everything)
    width = 100 / len(shares)
    shapes: list[Html] = []
    for index, (share, other) in enumerate(zip(shares.tolist(), everything.tolist(), strict=True)):
        left, height, line = index * width, HEIGHT * share / top, HEIGHT - HEIGHT * other / top
        title = element("title", f"{names[index]}: {share:.1%} here, {other:.1%} in all states")
        bar = {"x": number(left + 0.16 * width), "y": number(HEIGHT - height), "width": number(0.68 * width)}
        shapes.append(
            element(
                "g",
                title,
                element("rect", x=number(left), y="0", width=number(width), height="100", class_="catch"),
                element("rect", **bar, height=number(height), class_="mine"),
                element("path", d=f"M{number(left)} {number(line)}h{number(width)}", class_="all"),
            )
        )
    words = [element("span", sign) for sign in signs]
    return element(
        "div", _stretched(label, *shapes), element("div", *words, class_="signs", aria_hidden="true"), class_="chart"
    )
