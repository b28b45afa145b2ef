"""The list of metrics: name, the question that each answers, and whether higher or lower is better."""

from typing import Literal, NamedTuple

Direction = Literal["higher", "lower", "none"]

NEIGHBOURS = (10, 30, 100)
"""k: how many nearest states count as a state's neighbours."""


class MetricInfo(NamedTuple):
    """A metric, apart from any recording."""

    name: str
    """Its name in metrics.json."""
    title: str
    group: str
    question: str
    """What it asks, for a reader who does not know it."""
    direction: Direction
    """Whether higher or lower is better; neither if the metric only serves as a reference for another one."""
    range: tuple[float | None, float | None]
    """Smallest and largest value possible; None where there is no bound."""


def _neighbourhoods() -> list[MetricInfo]:
    group = "Neighbourhoods: is near in the plane what is near in the features?"
    asked = (
        ("trustworthiness", "Trustworthiness", "are the {k} nearest states in the plane near in the features too?"),
        ("continuity", "Continuity", "are the {k} nearest states in the features near in the plane too?"),
        ("neighbour_overlap", "Neighbour overlap", "what share of a state's {k} nearest is the same in both?"),
    )
    return [
        MetricInfo(f"{name}_{k}", f"{title}, k = {k}", group, question.format(k=k), "higher", (0.0, 1.0))
        for name, title, question in asked
        for k in NEIGHBOURS
    ]


_SEPARATION = "Separation: do the clusters lie apart?"
_USE = "Use: are all clusters needed?"
_TIME = "Time: how long does the agent dwell in a cluster?"
_MEANING = "Meaning: what do the clusters go with?"
_AGREEMENT = "Agreement: does another agent sort the same states alike?"

CATALOGUE: tuple[MetricInfo, ...] = (
    *_neighbourhoods(),
    MetricInfo(
        "silhouette_2d", "Silhouette, plane", _SEPARATION,
        "are states nearer to their own cluster than to the next one, in the plane?", "higher", (-1.0, 1.0),
    ),
    MetricInfo(
        "silhouette_features", "Silhouette, features", _SEPARATION,
        "are states nearer to their own cluster than to the next one, in the features?", "higher", (-1.0, 1.0),
    ),
    MetricInfo(
        "davies_bouldin_2d", "Davies-Bouldin, plane", _SEPARATION,
        "how wide are clusters for the distance between them, in the plane?", "lower", (0.0, None),
    ),
    MetricInfo(
        "davies_bouldin_features", "Davies-Bouldin, features", _SEPARATION,
        "how wide are clusters for the distance between them, in the features?", "lower", (0.0, None),
    ),
    MetricInfo(
        "clusters_in_use", "Clusters in use", _USE, "how many clusters hold a state?", "higher", (1.0, None)
    ),
    MetricInfo(
        "perplexity", "Perplexity", _USE, "as how many clusters of equal size do they count?", "higher", (1.0, None)
    ),
    MetricInfo(
        "dwell", "Dwell time, steps", _TIME, "how long does a visit to a cluster last?", "none", (1.0, None)
    ),
    MetricInfo(
        "dwell_shuffled", "… in shuffled time", _TIME,
        "how long would it last if the states of an episode came in any order?", "none", (1.0, None),
    ),
    MetricInfo(
        "dwell_ratio", "Dwell over shuffled", _TIME,
        "how many times longer does a visit last than in shuffled time?", "higher", (0.0, None),
    ),
    MetricInfo(
        "self_transition", "Self-transition", _TIME,
        "how probable is it that the next state is in the same cluster?", "none", (0.0, 1.0),
    ),
    MetricInfo(
        "self_transition_shuffled", "… in shuffled time", _TIME,
        "how probable if the states of an episode came in any order?", "none", (0.0, 1.0),
    ),
    MetricInfo(
        "self_transition_gain", "Self-transition above shuffled", _TIME,
        "how much more probable is it than in shuffled time?", "higher", (-1.0, 1.0),
    ),
    MetricInfo(
        "ami_action", "Shared with action", _MEANING,
        "does the cluster tell the action? (adjusted mutual information)", "higher", (None, 1.0),
    ),
    MetricInfo(
        "ami_value", "Shared with value", _MEANING,
        "does the cluster tell how much reward the agent expects, by value decile?", "higher", (None, 1.0),
    ),
    MetricInfo(
        "ami_level", "Shared with level", _MEANING,
        "does the cluster tell the level? It should not: behaviour, not scenery", "lower", (None, 1.0),
    ),
    MetricInfo(
        "agreement_ami", "Agreement of clusters", _AGREEMENT,
        "do both agents put the same states together? (adjusted mutual information)", "higher", (None, 1.0),
    ),
    MetricInfo(
        "agreement_procrustes", "Procrustes distance of planes", _AGREEMENT,
        "how far apart are the planes once shifted, turned and scaled onto each other?", "lower", (0.0, 1.0),
    ),
)  # fmt: skip
"""All metrics, in the order of the table."""
