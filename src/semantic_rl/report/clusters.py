"""The section on clusters: a card for each, with its clip, typical frames, actions, values and time."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.analysis.clusters import FRAMES_IN_MEAN, Cluster, Clusters
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.names import ClusterNote
from semantic_rl.report.charts import bars, histogram
from semantic_rl.report.clips import PageClips, show
from semantic_rl.report.html import Child, Html, element
from semantic_rl.report.parts import badge, color_style, counted, facts, percent, pixels, section, state

MAX_CARDS = 32
"""Most clusters with a card; beyond this, only the largest get one."""
TOP_ACTIONS = 2
NO_CLIP = "No clip: no dwell in this cluster fits the rule for clips."
PROGRESS_TICKS = ((0.0, "start"), (0.5, "half"), (1.0, "end"))

Where = Callable[[int], str]
"""Returns where in the recording a row is, as text."""


def clusters_section(recording: Recording, clusters: Clusters, clips: PageClips, notes: dict[int, ClusterNote]) -> Html:
    """Show every cluster, or the largest if there are very many, with users' names and notes."""
    by_size = sorted(clusters.clusters, key=lambda cluster: -cluster.num_states)
    shown = sorted(cluster.code_index for cluster in by_size[:MAX_CARDS])
    columns = recording.table("episode", "step", "level_seed")

    def where(row: int) -> str:
        episode, step, level = columns.row(row)
        known = f"episode {episode}, step {step}"
        return f"{known}, level {level}" if recording.has("level_seed") else known

    cards = [_card(recording, clusters, clusters.clusters[index], clips, where, notes.get(index)) for index in shown]
    rest = by_size[MAX_CARDS:]
    more = f"{len(rest)} smaller clusters, with {sum(each.share for each in rest):.1%} of all states, are not shown."
    places = [element("span", id=f"cluster-{cluster.code_index}") for cluster in rest]  # targets of links
    lead = "What does the agent see in a cluster, what does it do there, when, and what comes of it?"
    return section(
        "clusters",
        "Clusters",
        [lead, _explanations(clips)],
        _switch() if clips.clips else None,
        *cards,
        element("p", *places, more, class_="faint") if rest else None,
    )


def _explanations(clips: PageClips) -> Html:
    """Return the legend of the cards."""
    return element(
        "span",
        clips.about,
        element("span", "The medoid is the state nearest to all others of its cluster; typical states are of the half "
                "nearest to its middle, each of another episode and level. A mean is of all frames of its cluster, or "
                f"of {FRAMES_IN_MEAN} drawn at random."),
        element(
            "span",
            element("i", class_="key-mine"), "this cluster ",
            element("i", class_="key-all"), "all states",
            class_="chart-key",
        ),
        class_="explained",
    )  # fmt: skip


def _switch() -> Html:
    """Return the switch that stops the clips or, if the reader's system asks for reduced motion, plays them."""
    words = element("span", "Hold all clips still", class_="hold"), element("span", "Let all clips play", class_="play")
    box = element("input", type="checkbox", id="still")
    return element("p", box, element("label", *words, for_="still"), class_="switch")


def _card(
    recording: Recording,
    clusters: Clusters,
    cluster: Cluster,
    clips: PageClips,
    where: Where,
    note: ClusterNote | None,
) -> Html:
    index = cluster.code_index
    name = element("span", note.name, class_="name") if note and note.name else None
    share = element("span", f"{cluster.share:.1%}", element("small", " of states"), class_="share")
    number = element("span", f"Cluster {index}, ", class_="sr")
    head = element("h3", badge(index), number, element("span", name, share) if name else share)
    if cluster.medoid is None:
        return _article(index, head, element("p", "No recorded state is in it.", class_="faint"), _remark(note))
    clip = clips.clips.get(index)
    shown = (
        show(index, clip)
        if clip is not None
        else element("p", "No clip: no dwell in this cluster fits the rule for clips.")
    )
    return _article(
        index,
        head,
        _facts(recording, cluster),
        _remark(note),
        element("div", shown, class_="clip") if clips.clips else None,
        element("div", _frames(recording, cluster, where), _charts(recording, clusters, cluster), class_="details"),
    )


def _remark(note: ClusterNote | None) -> Html | None:
    """Show a user's note on the cluster, with author and date."""
    if note is None:
        return None
    said = "named by" if note.name and not note.note else ""
    signed = ", ".join(part for part in (note.author, note.date) if part)
    by = element("small", " ".join(part for part in (said, signed) if part)) if signed else None
    return element("div", element("p", note.note) if note.note else None, by, class_="remark")


def _article(index: int, *content: Child) -> Html:
    return element("article", *content, id=f"cluster-{index}", class_="card", style=color_style(index))


def _facts(recording: Recording, cluster: Cluster) -> Html:
    most = np.argsort(-cluster.actions, kind="stable")[:TOP_ACTIONS]
    name = recording.spec.action.name
    often = ", ".join(f"{name(action)} {cluster.actions[action]:.0%}" for action in most.tolist())
    rows = [
        ("mean dwell", f"{cluster.mean_dwell:.1f} steps"),
        ("passed through", f"{cluster.num_episodes:,} of {counted(recording.num_episodes, 'episode')}"),
    ]
    if recording.has("success"):
        ended = f" of {cluster.num_ended:,} that ended" if cluster.num_ended else ""
        rows.append(("success of these", f"{percent(cluster.success)}{ended}"))
    if recording.num_known_actions:
        rows.append(("most often", often))
    return facts(rows)


def _frames(recording: Recording, cluster: Cluster, where: Where) -> Html:
    assert cluster.medoid is not None, "an empty cluster has no frames"
    if cluster.mean_frame is None:
        return element("p", "The recording has no frames to look at.", class_="faint")
    index = cluster.code_index
    mean = np.clip(cluster.mean_frame.round(), 0, 255).astype(np.uint8)
    shown = [
        element(
            "figure",
            pixels(_enlarged(mean), f"Mean of what the agent saw in cluster {index}."),
            element("figcaption", "mean"),
        ),
        element(
            "figure",
            state(recording, cluster.medoid, f"The medoid of cluster {index}: {where(cluster.medoid)}.",
                  where(cluster.medoid)),
            element("figcaption", "medoid"),
        ),
    ]  # fmt: skip
    for position, row in enumerate(cluster.typical):
        image = state(recording, row, f"A typical state of cluster {index}: {where(row)}.", where(row))
        words = element("figcaption", "typical") if position == 0 else None
        shown.append(element("figure", image, words))
    return element("div", *shown, class_="frames")


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge a mean frame with interpolation, since it is smooth."""
    small = Image.fromarray(image)
    return np.asarray(small.resize((3 * small.width, 3 * small.height), Image.Resampling.BICUBIC))


def _charts(recording: Recording, clusters: Clusters, cluster: Cluster) -> Html:
    index = cluster.code_index
    low, high = float(clusters.value_edges[0]), float(clusters.value_edges[-1])
    value_ticks = [(0.0, f"{low:.2g}"), (0.5, f"{(low + high) / 2:.2g}"), (1.0, f"{high:.2g}")]
    value = f"Values in cluster {index}, from {low:.2g} to {high:.2g}."
    time = f"When in the episode the agent is in cluster {index}."
    charts = [("time in the episode", histogram(time, cluster.progress, clusters.progress, PROGRESS_TICKS))]
    if recording.has("value"):
        charts.insert(0, ("value", histogram(value, cluster.values, clusters.values, value_ticks)))
    if recording.num_known_actions:
        spec, actions = recording.spec.action, range(recording.num_known_actions)
        names, signs = [spec.name(action) for action in actions], tuple(spec.sign(action) for action in actions)
        most = int(cluster.actions.argmax())
        action = f"Actions in cluster {index}; most often {names[most]}, {cluster.actions[most]:.0%}."
        charts.insert(0, ("action", bars(action, cluster.actions, clusters.actions, signs, names)))
    return element("div", *(element("div", element("h4", title), chart) for title, chart in charts), class_="charts")
