"""The types of requests and responses between page and server; `frontend/generate.py` translates them to TypeScript.

Arrays are sent as lists, and numbers that are not finite as null (`encoding`). An annotation gives the TypeScript type
of a value that can have several types here.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.effect_sizes import Difference, FloatOrNaN

PlaneName = Literal["fdr", "tsne", "pca"]

type Integers = Annotated[NDArray[np.integer[Any]] | list[int], "number[]"]
type Floats = Annotated[NDArray[np.floating[Any]] | list[float], "number[]"]
type FloatsOrNaN = Annotated[NDArray[np.floating[Any]] | list[float | None], "(number | null)[]"]
type IntegerTable = Annotated[NDArray[np.integer[Any]] | list[list[int]], "number[][]"]
type FloatOrNaNTable = Annotated[NDArray[np.floating[Any]] | list[list[float]], "(number | null)[][]"]
type Points = Annotated[NDArray[np.floating[Any]] | list[Point], "Point[]"]
type PointsOrNaN = Annotated[NDArray[np.floating[Any]] | list[tuple[float, float]], "[number | null, number | null][]"]
type Point = tuple[float, float]
type Limits = tuple[float, float, float, float]
"""left, right, bottom, top of a square in the plane's own units."""


class Plane(TypedDict):
    name: PlaneName
    title: str
    limits: Limits | None
    ready: bool
    num_placed: int
    why_not: NotRequired[str]
    """Why it cannot be had."""


class Column(TypedDict):
    """A column of the points, whose values are whole numbers."""

    name: str
    dtype: Literal["uint8", "uint16", "uint32", "float32"]
    width: int
    low: NotRequired[float]
    """What 0 stands for, and `high` the largest number of the type; absent where numbers are what they are."""
    high: NotRequired[float]
    levels: NotRequired[list[float]]
    """What the numbers 0, 1, … stand for."""
    num_unknown: NotRequired[int]
    """Points whose value is not finite; they have the lowest."""


class Agent(TypedDict):
    name: str | None
    algorithm: str | None
    env: str | None
    distribution_mode: str | None
    timesteps: int | None
    seed: int | None
    sha256: str | None
    num_levels: int | None
    start_level: int | None


class Environment(TypedDict):
    num_levels: int | None
    start_level: int | None


class ListName(TypedDict):
    """A list of "show me" that the recording can have."""

    name: str
    title: str
    text: str


class Meta(TypedDict):
    """What the page is told of a recording before anything else."""

    id: str
    title: str
    name: str
    agent: Agent
    environment: Environment
    protocol: str | None
    num_states: int
    num_episodes: int
    num_shown: int
    """Points on the map."""
    sample_seed: int
    num_codes: int
    num_actions: int
    action_names: list[str]
    action_signs: list[str]
    codebook: Points
    colors: list[str]
    """Of each cluster."""
    inks: list[str]
    """Black or white, which reads on each of the colours."""
    uncertainty_scale: FloatOrNaN
    planes: list[Plane]
    columns: list[Column]
    lists: list[ListName]
    has_pictures: bool
    picture_size: int
    frames: str
    """"all", or the sentence that says of which states an export holds frames."""
    success_known: bool
    notes: list[str]
    warning: str | None
    """What must be known before anything on the page is believed."""
    provenance: dict[str, Any]
    etag: str


class Export(TypedDict):
    """What a file says of itself."""

    time: str
    versions: dict[str, str]
    frames_text: str


class Recordings(TypedDict):
    recordings: list[Meta]
    exported: NotRequired[Export]


class Episodes(TypedDict):
    """All episodes, as columns."""

    first_row: Integers
    num_rows: Integers
    length: Integers
    episode_return: Floats
    level_seed: Integers
    success: list[bool | None]
    """null where it did not end."""


class EpisodeData(TypedDict):
    """One episode, its states as columns."""

    episode: int
    first_row: int
    length: int
    episode_return: float
    level_seed: int
    step: Integers
    action: Integers
    value: FloatsOrNaN
    reward: Floats
    cluster: Integers | None
    uncertainty: FloatsOrNaN | None
    planes: Annotated[dict[PlaneName, list[Any]], "Partial<Record<PlaneName, (Point | null)[]>>"]


class ClusterCard(TypedDict):
    cluster: int
    num_states: int
    share: float
    num_episodes: int
    num_visits: int
    mean_dwell: FloatOrNaN
    success: FloatOrNaN
    actions: Floats
    values: Floats
    progress: Floats
    medoid: int | None
    typical: list[int]
    clip: list[tuple[int, int]]
    """First state and number of states of each piece."""


class AllStates(TypedDict):
    actions: Floats
    values: Floats
    progress: Floats
    success: FloatOrNaN


class Cards(TypedDict):
    clusters: list[ClusterCard]
    value_edges: Floats
    progress_edges: Floats
    all: AllStates | None


class Transitions(TypedDict):
    counts: IntegerTable
    probabilities: FloatOrNaNTable
    leaving: FloatOrNaNTable
    mean_dwell: FloatsOrNaN
    centers: PointsOrNaN
    shares: Floats
    starts: Floats
    ends: FloatsOrNaN


class PlaylistItem(TypedDict):
    episode: int
    row: int
    first: int
    last: int
    text: str
    other: NotRequired[int]


class Playlist(TypedDict):
    name: str
    title: str
    total: int
    items: list[PlaylistItem]
    note: NotRequired[str]


class InsideNumbers(TypedDict):
    """What is inside a selection, against the rest."""

    count: int
    of: int
    num_episodes: int
    num_levels: int
    actions: Floats
    actions_rest: Floats
    actions_low: FloatsOrNaN
    """95% interval of the differences, and `actions_high`."""
    actions_high: FloatsOrNaN
    actions_effect: FloatOrNaN
    actions_effect_name: str
    value: Difference
    reward: Difference
    progress: Difference
    success: Difference
    dwell: Difference
    uncertainty: NotRequired[Difference]
    clusters: list[int]
    """States of each cluster; empty if the agent has none."""
    clusters_rest: list[int]
    examples: list[int]
    """Rows inside, each of another episode."""
    note: NotRequired[str]
    """Of what states the numbers are, where not of all."""


class Inside(InsideNumbers):
    """The same, and where more of it can be had."""

    key: str
    mean: str | None
    """Address of the mean frame; null where there is none."""
    mean_rest: str | None
    num_frames: int
    """Frames that the mean is of, and `num_frames_rest`."""
    num_frames_rest: int


class PolygonQuery(TypedDict):
    plane: PlaneName
    polygon: Annotated[list[Point], "Point[]"]


class SelectionQuery(TypedDict):
    selection: str


class ClustersQuery(TypedDict):
    clusters: list[int]


type InsideQuery = PolygonQuery | SelectionQuery | ClustersQuery


class ClusterNote(TypedDict):
    name: str
    note: str
    author: NotRequired[str]
    time: NotRequired[str]
    version: int


class Selection(TypedDict):
    id: str
    name: str
    plane: PlaneName
    polygon: Annotated[list[Point], "Point[]"]
    count: NotRequired[int]
    author: NotRequired[str]
    time: NotRequired[str]
    version: int


class Annotations(TypedDict):
    version: int
    clusters: dict[str, ClusterNote]
    """By the cluster's number."""
    selections: list[Selection]
    author: NotRequired[str]
    """With whose name the server signs where none is given."""


class ComparedNumber(TypedDict):
    """A number in two recordings, and the 95% interval of the difference b − a."""

    what: str
    group: Literal["play", "cluster", "action"]
    a: FloatOrNaN
    b: FloatOrNaN
    difference: FloatOrNaN
    low: float | None
    high: float | None
    certain: bool
    """Whether the interval leaves out zero."""
    is_share: bool
    """Whether it is written as a percentage."""
    digits: int
    """Decimals with which it is written."""
    text: str
    """All of it in a line."""
    clusters: NotRequired[tuple[int, int]]
    """The cluster of each recording that it is of."""


class Comparison(TypedDict):
    match: list[tuple[int, int, float]]
    """Cluster of a, cluster of b, and how well they match."""
    kind: Literal["same", "overlap", "distance", "none"]
    how: str
    differences: list[ComparedNumber]
    notes: list[str]


class Progress(TypedDict):
    """The answer while something is being computed."""

    progress: float | None
    """0 to 1; null while it is not known."""


class Failure(TypedDict):
    """The answer where there is none, as a sentence."""

    error: str
    current: NotRequired[Any]
    """Where someone else changed an entry in the meantime: what it is now."""


class AnnotationsChanged(TypedDict):
    """What the page hears of the annotations."""

    annotations: int | None
    """Their version; null while the file is being mended."""
