"""Assembles the page: a single file without external files, network access or scripts."""

from importlib.resources import files
from itertools import count
from typing import NamedTuple

from semantic_rl import __version__
from semantic_rl.analysis.clusters import Clusters
from semantic_rl.analysis.embedding import Planes
from semantic_rl.analysis.metrics import Metrics
from semantic_rl.analysis.transitions import Transitions
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.names import ClusterNote
from semantic_rl.report.about import About
from semantic_rl.report.agent import agent_section, head
from semantic_rl.report.clips import PageClips
from semantic_rl.report.clusters import clusters_section
from semantic_rl.report.embeddings import embeddings_section
from semantic_rl.report.html import Html, element, join
from semantic_rl.report.learning import Learning, learning_section
from semantic_rl.report.metrics import metrics_section
from semantic_rl.report.parts import note, section
from semantic_rl.report.provenance import making_section
from semantic_rl.report.transitions import transitions_section

GENERATOR = "semantic-rl report"
"""Marks a file as a report, which may be replaced."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Content security policy: a browser may load nothing but what is inside the page."""

TITLES = {
    "agent": "Agent",
    "learning": "Learning",
    "map": "Map",
    "clusters": "Clusters",
    "moves": "Moves",
    "metrics": "Metrics",
    "making": "Making",
}
"""Titles of the sections, by anchor."""


class Absent(NamedTuple):
    """A part of the page that is not available, and why."""

    why: str


class Content(NamedTuple):
    """The content of the page."""

    about: About
    recording: Recording
    learning: Learning | Absent
    planes: Planes | Absent
    perplexity: float
    clusters: Clusters | Absent
    transitions: Transitions | Absent
    metrics: Metrics | Absent
    clips: PageClips
    notes: dict[int, ClusterNote]
    """Users' names and notes for clusters."""


def page(content: Content) -> str:
    """Return the whole page."""
    about, recording = content.about, content.recording
    clusters = None if isinstance(content.clusters, Absent) else content.clusters
    body = element(
        "body",
        head(about, recording, clusters, TITLES),
        element("main", *_sections(content)),
        _foot(),
    )
    name = ", ".join(filter(None, (about.environment_id, about.algorithm)))
    title = f"{name}: what the agent takes for the same"
    return join(Html("<!doctype html>\n"), element("html", _head(title), body, lang="en"), Html("\n"))


def _sections(content: Content) -> list[Html]:
    """Return all sections in order; figures and tables are numbered consecutively, without the absent ones."""
    figures, tables = (f"Figure {number}" for number in count(1)), (f"Table {number}" for number in count(1))
    about, recording = content.about, content.recording
    sections = [agent_section(about, recording)]
    if isinstance(content.learning, Absent):
        sections.append(_absent("learning", content.learning))
    else:
        sections.append(learning_section(content.learning, next(figures)))
    if isinstance(content.planes, Absent):
        sections.append(_absent("map", content.planes))
    else:
        sections.append(embeddings_section(recording, content.planes, next(figures), content.perplexity, content.notes))
    if isinstance(content.clusters, Absent):
        sections.append(_absent("clusters", content.clusters))
    else:
        sections.append(clusters_section(recording, content.clusters, content.clips, content.notes))
    if isinstance(content.transitions, Absent):
        sections.append(_absent("moves", content.transitions))
    else:
        moves = transitions_section(recording, content.transitions, next(tables), next(figures), content.notes)
        sections.append(moves)
    if isinstance(content.metrics, Absent):
        sections.append(_absent("metrics", content.metrics))
    else:
        sections.append(metrics_section(content.metrics, next(tables)))
    return [*sections, making_section(about, recording)]


def _head(title: str) -> Html:
    style = files("semantic_rl.report").joinpath("style.css").read_text(encoding="utf-8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="generator", content=f"{GENERATOR} {__version__}"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )


def _absent(anchor: str, absent: Absent) -> Html:
    return section(anchor, TITLES[anchor], "Not in this report.", note(absent.why))


def _foot() -> Html:
    return element(
        "footer",
        f"Written by semantic-rl {__version__}. The method is that of Zhang, Lieffers and Pyarelal, Enhancing "
        "Interpretability in Deep Reinforcement Learning through Semantic Clustering (NeurIPS 2025, arXiv:2409.17411).",
        class_="foot",
    )
