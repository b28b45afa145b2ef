"""The head of the page and the agent's card: which agent this is, how well it plays, and what was recorded."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from semantic_rl.analysis.clusters import Clusters
from semantic_rl.analysis.metrics import Estimate
from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.config import MetricsConfig
from semantic_rl.recording.store import Recording
from semantic_rl.report.about import About
from semantic_rl.report.html import Child, Html, element
from semantic_rl.report.parts import color_style, counted, facts, section

LEAST_NAMED = 0.035
"""Smallest share for which a cluster's piece of the strip has room for its number."""


def head(about: About, recording: Recording, clusters: Clusters | None, titles: Mapping[str, str]) -> Html:
    """Return the title, an introduction of two sentences, an overview of the clusters, and the table of contents."""
    trained = "" if about.timesteps is None else f"After {about.timesteps:,} steps of training, "
    seen = f"{counted(recording.num_states, 'state')} of {counted(recording.num_episodes, 'episode')}"
    if clusters is not None:
        lead = (
            f"{trained}{_sorted(recording)}. Here are {seen}: where they "
            "lie, what the clusters hold, how the agent moves between them, and how well they hold together."
        )
    else:
        lead = f"{trained}this agent met the {seen} shown here. It has no semantic clustering module, so no clusters."
    links = [element("a", title, href=f"#{anchor}") for anchor, title in titles.items()]
    return element(
        "header",
        element("p", "semantic-rl report", class_="kicker"),
        element(
            "h1", about.environment_id, " ", element("span", ", ".join(filter(None, (about.algorithm, about.mode))))
        ),
        element("p", lead[0].upper(), lead[1:], class_="lead"),
        None if recording.clusters_note is None else element("p", recording.clusters_note, class_="note"),
        _strip(clusters) if clusters is not None else None,
        element("nav", *links, class_="contents", aria_label="Contents"),
        class_="top",
    )


def _sorted(recording: Recording) -> str:
    if recording.fitted is None:
        return f"this agent sorts what it sees into {recording.num_codes} clusters"
    return f"this agent met states that are sorted into {recording.num_codes} clusters by their features"


def _strip(clusters: Clusters) -> Html:
    """Return one bar with a piece for each cluster, proportional to its share and linked to its card."""
    pieces = [
        element(
            "a",
            element("span", cluster.code_index) if cluster.share >= LEAST_NAMED else None,
            style=f"{color_style(cluster.code_index)};flex-grow:{cluster.share:.4f}",
            href=f"#cluster-{cluster.code_index}",
            title=f"cluster {cluster.code_index}: {cluster.share:.1%} of states",
            aria_label=f"cluster {cluster.code_index}, {cluster.share:.1%} of states",
        )
        for cluster in clusters.clusters
        if cluster.num_states
    ]
    return element("nav", *pieces, class_="strip", aria_label="Clusters by share of states")


def agent_section(about: About, recording: Recording) -> Html:
    """Return the agent's card: facts and scores."""
    return section(
        "agent",
        "Agent",
        "Which agent is this, what was it trained on, and how well does it play?",
        element("div", _scores(about, recording), facts(_facts(about, recording)), class_="agent"),
    )


def _facts(about: About, recording: Recording) -> list[tuple[str, Child]]:
    settings = about.settings
    codes = f", {recording.num_codes} codes" if recording.num_codes and recording.fitted is None else ""
    rows: list[tuple[str, Child]] = [
        ("environment", ", ".join(filter(None, (about.environment_id, about.mode)))),
    ]
    if about.algorithm:
        rows.append(("algorithm", f"{about.algorithm}{codes}"))
    if about.layer is not None:
        rows.append(("layer", f"{about.layer}, {counted(about.num_features, 'number')}"))
    if about.timesteps is not None:
        rows.append(("training", f"{about.timesteps:,} steps"))
    if "seed" in settings:
        rows.append(("seed", str(settings["seed"])))
    if "num_levels" in settings:
        rows.append(("trained on", levels(settings)))
    if about.environment.get("num_levels") is not None:
        rows.append(("recorded on", levels(about.environment)))
    if about.name:
        rows.append(("name", element("code", about.name)))
    if about.sha256:
        rows.append(("weights, SHA-256", element("code", about.sha256[:16], title=about.sha256)))
    return rows


def levels(settings: dict[str, Any]) -> str:
    """Describe the levels that settings name."""
    count, start = settings.get("num_levels"), settings.get("start_level", 0)
    return "all levels" if count == 0 else f"{count} levels from {start}"


def _scores(about: About, recording: Recording) -> Html:
    ended = recording.episodes.filter(pl.col("terminated") | pl.col("truncated"))
    recorded = (
        _recorded(ended, recording) if len(ended) else [_tile("–", "mean return", "no recorded episode has ended")]
    )
    return element("div", *recorded, *_on_card(about.card), class_="tiles")


def _recorded(ended: pl.DataFrame, recording: Recording) -> list[Html]:
    """Return the scores of the recorded episodes, with intervals over episodes."""
    bootstrap = Bootstrap(np.arange(len(ended)), MetricsConfig.resamples, MetricsConfig.seed)

    def mean(name: str) -> Estimate:
        return bootstrap.ratio(bootstrap.sums(ended[name].to_numpy()), bootstrap.sizes)

    where = counted(len(ended), "recorded episode")
    return [
        *([_estimate("mean return", mean("return"), "{:.2f}", where)] if recording.has("reward") else []),
        *([_estimate("success", mean("success"), "{:.0%}", where)] if recording.has("success") else []),
        _estimate("mean length, steps", mean("length"), "{:.0f}", where),
        *([_estimate("ended by a time limit", mean("truncated"), "{:.0%}", where)] if ended["truncated"].any() else []),
    ]


def _estimate(name: str, estimate: Estimate, form: str, where: str) -> Html:
    interval = None
    if estimate.low is not None and estimate.high is not None:
        interval = f"95% interval {form.format(estimate.low)} to {form.format(estimate.high)}"
    return _tile(form.format(estimate.value), name, where, interval)


def _on_card(card: dict[str, Any] | None) -> list[Html]:
    """Return the score on the agent's card, if there is a readable one."""
    try:
        scores = (card or {})["scores"]
        low, high = scores["confidence_interval"]
        where, interval = f"{scores['episodes']:,} episodes, from its card", f"95% interval {low:.2f} to {high:.2f}"
        return [_tile(f"{scores['mean_return']:.2f}", "mean return, held out", where, interval)]
    except (KeyError, TypeError, ValueError):
        return []


def _tile(value: str, name: str, where: str, interval: str | None = None) -> Html:
    more = element("small", interval) if interval else None
    return element("div", element("b", value), element("span", name), element("small", where), more)
