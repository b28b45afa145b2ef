"""The section on embeddings: the FDR space beside t-SNE of the same states, coloured by cluster or otherwise."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from semantic_rl.analysis.cells import square_around
from semantic_rl.analysis.embedding import Planes
from semantic_rl.figures.embeddings import Color, Coloring, color_states
from semantic_rl.palette import SEQUENTIAL
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.names import ClusterNote
from semantic_rl.report.html import Child, Html, element
from semantic_rl.report.parts import figure, section
from semantic_rl.report.plane import cells, cloud, codes, drawing, plane_limits

COLORS: dict[Color, str] = {"cluster": "cluster", "value": "value", "time": "step", "action": "action"}
"""The quantities that states can be coloured by, and their labels on the switch."""
STOPS = 9
"""Number of colours in the gradient of a colour bar."""


def embeddings_section(
    recording: Recording, planes: Planes, label: str, perplexity: float, notes: dict[int, ClusterNote]
) -> Html:
    """Show both planes, or t-SNE alone if the agent has no semantic clustering module."""
    known = {"cluster": planes.fdr is not None, "value": recording.has("value"), "action": recording.has("action")}
    shown: list[Color] = [color for color in COLORS if known.get(color, True)]
    names = {cluster: note.name for cluster, note in notes.items() if note.name}
    colorings: dict[Color, Coloring] = {color: color_states(recording, planes, color, names) for color in shown}
    panels = [] if planes.tsne is None else [_tsne(planes, planes.tsne, colorings)]
    if planes.fdr is not None:
        panels.insert(0, _fdr(recording, planes, colorings))
    switches = [_switch(color, index == 0) for index, color in enumerate(shown)]
    labels = [element("label", COLORS[color], for_=f"by-{color}") for color in shown]
    legends = [_legend(color, coloring) for color, coloring in colorings.items()]
    content = element(
        "div",
        *switches,
        element("div", element("span", "colour by"), *labels, class_="tabs"),
        element("div", *panels, class_="pair"),
        *legends,
        class_="maps",
    )
    return section("map", "Map", _lead(recording), figure(label, _caption(planes, recording, perplexity), content))


def _lead(recording: Recording) -> str:
    if not recording.num_codes:
        return "Which states does the agent treat as similar? t-SNE places states with similar features close together."
    if recording.fitted is not None:
        return (
            "Which states does the agent treat as similar? After it was trained, a plane was fitted to its features, "
            "in which states with similar features are close together, and divided into clusters."
        )
    return (
        "Which states does the agent treat as similar? While it learned to play, it also learned to map its states to "
        "a plane, in which states with similar features are close together, and to divide this plane into cells."
    )


def _made(recording: Recording) -> str:
    return "the agent learned" if recording.fitted is None else "was fitted afterwards"


def _caption(planes: Planes, recording: Recording, perplexity: float) -> list[Child]:
    count = f"{len(planes.rows):,}" + (
        f" of {recording.num_states:,}, drawn at random" if len(planes.rows) < recording.num_states else ""
    )
    features = recording.layout.num_features
    tsne = (
        f"t-SNE of the {features} features (openTSNE, perplexity {perplexity:g}, started from the principal components)"
    )
    if planes.fdr is None:
        return [f"{tsne}; {count} states. The agent has no semantic clustering module, hence no plane of its own."]
    if planes.tsne is None:
        return [
            f"The FDR space that {_made(recording)}, with its codes and the cells in which each code is the nearest; "
            f"{count} states. There is no t-SNE of the features: {planes.no_tsne}.",
        ]
    return [
        element("b", "a"),
        f" The FDR space that {_made(recording)}, with its codes and the cells in which each code is the nearest. ",
        element("b", "b"),
        f" {tsne}, fitted afterwards to the same {count} states. A state has the same colour in both.",
    ]


def _switch(color: Color, checked: bool) -> Html:
    return element("input", type="radio", name="color", id=f"by-{color}", checked=checked, class_="sr")


def _fdr(recording: Recording, planes: Planes, colorings: dict[Color, Coloring]) -> Html:
    assert planes.fdr is not None, "the caller looked"
    limits = plane_limits(planes.fdr, recording.codebook)
    svg = drawing(
        f"The FDR space: {len(planes.rows):,} states and {recording.num_codes} codes with their cells.",
        cells(recording.codebook, limits),
        *(cloud(planes.fdr, coloring, limits, f"by-{color}") for color, coloring in colorings.items()),
        codes(recording.codebook, limits),
    )
    return _panel("a" if planes.tsne is not None else "", f"FDR space that {_made(recording)}", svg)


def _tsne(planes: Planes, tsne: NDArray[np.floating], colorings: dict[Color, Coloring]) -> Html:
    limits = square_around(tsne)
    svg = drawing(
        f"t-SNE of the features of the same {len(planes.rows):,} states.",
        *(cloud(tsne, coloring, limits, f"by-{color}") for color, coloring in colorings.items()),
    )
    return _panel("b" if planes.fdr is not None else "", "t-SNE of the features", svg)


def _panel(letter: str, title: str, svg: Html) -> Html:
    return element("div", element("h3", element("b", letter) if letter else None, " ", title), svg, class_="panel")


def _legend(color: Color, coloring: Coloring) -> Html:
    """Explain the colours: by entries, or by a colour bar from the 1st to the 99th percentile."""
    title = element("span", coloring.label, class_="legend-title")
    if coloring.entries:
        keys = [element("span", element("i", style=f"--c:{code}"), _entry(text)) for code, text in coloring.entries]
        return element("div", title, *keys, class_=f"legend by-{color}")
    low, high = np.percentile(coloring.colors, (1, 99)).tolist()
    stops = ",".join(to_hex(stop) for stop in colormaps[SEQUENTIAL](np.linspace(0, 1, STOPS)))
    bar = element("i", class_="bar", style=f"background:linear-gradient(90deg,{stops})")
    return element("div", title, f"{low:.3g}", bar, f"{high:.3g}", class_=f"legend by-{color}")


def _entry(text: str) -> Html:
    name, _, share = text.rpartition("  ")
    return element("span", element("b", name), " ", share)
