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
    """Why it is not available."""


class Column(TypedDict):
    """A column of the points, whose values are integers."""

    name: str
    dtype: Literal["uint8", "uint16", "uint32", "float32"]
    width: int
    low: NotRequired[float]
    """The value that 0 encodes; `high` is encoded by the type's largest integer. Absent if integers are the values."""
    high: NotRequired[float]
    levels: NotRequired[list[float]]
    """The values that the integers 0, 1, … encode."""
    num_unknown: NotRequired[int]
    """Number of points whose value is not finite; they get the lowest value."""
    unknown: NotRequired[int]
    """The integer of points whose value is not known."""
    title: NotRequired[str]
    """Name of what only this recording has: a part of the action, a column of its maker."""
    categories: NotRequired[list[str]]
    """The texts that the integers 0, 1, … stand for."""


class Agent(TypedDict):
    """What is known of the agent; null where nothing is."""

    name: str | None
    algorithm: str | None
    env: str
    layer: str | None
    """The recorded layer."""
    num_features: int
    """Numbers that the layer gives."""
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
    """A "show me" list that is available for the recording."""

    name: str
    title: str
    text: str


class ActionPart(TypedDict):
    """A number of an action that is no index, with its bounds if it has any."""

    name: str
    low: float | None
    high: float | None


class Meta(TypedDict):
    """The description of a recording that the page loads first."""

    id: str
    title: str
    name: str
    agent: Agent
    environment: Environment
    protocol: str | None
    num_states: int
    num_episodes: int
    num_shown: int
    """Number of points on the map."""
    sample_seed: int
    num_codes: int
    num_actions: int
    """Number of actions; 0 if an action is no index, but consists of parts, or if actions are not known."""
    action_names: list[str]
    action_signs: list[str]
    action_groups: list[str]
    """For each action a name, which actions that do the same share; empty if that is not known."""
    action_parts: list[ActionPart]
    """The first parts of an action; empty if it is an index."""
    num_action_parts: int
    observation_names: list[str]
    """Names of the first numbers of an observation, those of its vectors; empty if it is an image alone."""
    num_observation_numbers: int
    clusters_fitted: bool
    """Whether clusters and plane were fitted after the agent was trained."""
    codebook: Points
    colors: list[str]
    """The colour of each cluster."""
    inks: list[str]
    """The text colour that is legible on each of the colours: black or white."""
    uncertainty_scale: FloatOrNaN
    planes: list[Plane]
    columns: list[Column]
    lists: list[ListName]
    has_frames: bool
    """Whether there is anything to look at: pictures, or observations that are images."""
    has_pictures: bool
    frame_shape: tuple[int, int]
    """Height and width of a frame."""
    steps_per_second: float
    """Speed at which people see the environment."""
    frames: str
    """"all", or a sentence that says which states have frames in an export."""
    value_known: bool
    reward_known: bool
    success_known: bool
    level_word: str | None
    """The word for the number of an episode's level; null if there are no levels."""
    notes: list[str]
    warning: str | None
    """A warning that applies to everything on the page."""
    provenance: dict[str, Any]
    etag: str


class Export(TypedDict):
    """What an exported file says about itself."""

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
    level_seed: Integers | None
    """null if there are no levels."""
    end: list[Literal["terminated", "truncated"] | None]
    """null for episodes that did not end."""
    success: list[bool | None]
    """null for episodes that did not end, or if nothing counts as success."""


class EpisodeData(TypedDict):
    """One episode, its states as columns."""

    episode: int
    first_row: int
    length: int
    episode_return: float
    step: Integers
    action: Integers | None
    """null if an action is no index, or if actions are not known."""
    action_parts: FloatOrNaNTable
    """Of each of the parts in `Meta`, its course."""
    value: FloatsOrNaN | None
    """null if the agent estimates none."""
    reward: Floats
    cluster: Integers | None
    uncertainty: FloatsOrNaN | None
    planes: Annotated[dict[PlaneName, list[Any]], "Partial<Record<PlaneName, (Point | null)[]>>"]


class EpisodeNumbers(TypedDict):
    """The observations of an episode's states, as numbers."""

    numbers: FloatOrNaNTable
    """Of each name in `Meta`, its course."""


class Observations(TypedDict):
    """The observations of some states, as numbers."""

    numbers: FloatOrNaNTable
    """Of each state, the numbers that `Meta` names."""


class ClusterCard(TypedDict):
    cluster: int
    num_states: int
    share: float
    num_episodes: int
    num_visits: int
    mean_dwell: FloatOrNaN
    success: FloatOrNaN
    """Share of successes among the `num_ended` episodes that pass through the cluster and have ended."""
    num_ended: int
    actions: Floats
    """Empty if an action is no index, or if actions are not known."""
    values: Floats
    """Empty if the agent estimates none."""
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
    """Statistics of the states inside a selection, compared with the rest."""

    count: int
    of: int
    num_episodes: int
    num_levels: int | None
    actions: Floats
    actions_rest: Floats
    actions_low: FloatsOrNaN
    """Lower ends of the 95% intervals of the differences; `actions_high` holds the upper ends."""
    actions_high: FloatsOrNaN
    actions_effect: FloatOrNaN
    actions_effect_name: str
    parts: list[Difference]
    """Of each of the action's parts."""
    value: NotRequired[Difference]
    reward: NotRequired[Difference]
    progress: Difference
    success: NotRequired[Difference]
    dwell: Difference
    uncertainty: NotRequired[Difference]
    clusters: list[int]
    """Number of states of each cluster; empty if the agent has no clusters."""
    clusters_rest: list[int]
    examples: list[int]
    """Rows inside, each from a different episode."""
    note: NotRequired[str]
    """Which states the numbers cover, if not all."""


class Inside(InsideNumbers):
    """The same, with addresses of further data."""

    key: str
    mean: str | None
    """Address of the mean frame; null if there is none."""
    mean_rest: str | None
    num_frames: int
    """Number of frames that the mean averages; `num_frames_rest` is that for the rest."""
    num_frames_rest: int


class FilteredQuery(TypedDict):
    within: NotRequired[str]
    """The points that pass the page's filter: a bit each, the lowest first, as base64. Only they are compared."""


class PolygonQuery(FilteredQuery):
    plane: PlaneName
    polygon: Annotated[list[Point], "Point[]"]


class SelectionQuery(FilteredQuery):
    selection: str


class ClustersQuery(FilteredQuery):
    clusters: list[int]


type InsideQuery = PolygonQuery | SelectionQuery | ClustersQuery


class NearQuery(FilteredQuery):
    """Asks for the states that are nearest to one; only those that pass the page's filter are found."""

    row: int
    by: Literal["features", "plane", "pixels"]
    plane: PlaneName
    episodes: Literal["each", "others", "all"]
    """In which episodes: at most one state of each other, all others, or the state's own too."""


class Near(TypedDict):
    """The nearest states, the nearest first."""

    rows: Integers
    distances: Floats
    note: NotRequired[str]
    """How or among which states they were found, if that is not obvious."""


class ClusterNote(TypedDict):
    name: str
    note: str
    author: NotRequired[str]
    time: NotRequired[str]
    version: int


class Selection(TypedDict):
    id: str
    name: str
    note: NotRequired[str]
    plane: PlaneName
    polygon: Annotated[list[Point], "Point[]"]
    count: NotRequired[int]
    author: NotRequired[str]
    time: NotRequired[str]
    version: int


class Tag(TypedDict):
    """A tag, and which states have it."""

    states: list[tuple[int, int]]
    """Ranges of rows: first and last."""
    author: NotRequired[str]
    time: NotRequired[str]
    version: int


class TagChanged(TypedDict):
    """The answer to a change of a tag."""

    tag: str
    """As it is saved."""
    entry: Tag | None
    """null if no state has it any more."""


class Annotations(TypedDict):
    version: int
    clusters: dict[str, ClusterNote]
    """By the cluster's number."""
    selections: list[Selection]
    tags: dict[str, Tag]
    author: NotRequired[str]
    """Name that the server signs with if none is given."""


class ComparedNumber(TypedDict):
    """A number in two recordings, and the 95% interval of the difference b − a."""

    what: str
    group: Literal["play", "cluster", "action"]
    a: FloatOrNaN
    b: FloatOrNaN
    num_episodes_a: int
    """Number of episodes of a that contribute; `num_episodes_b` is that of b."""
    num_episodes_b: int
    difference: FloatOrNaN
    low: float | None
    high: float | None
    certain: bool
    """Whether the interval excludes zero."""
    is_share: bool
    """Whether the number is formatted as a percentage."""
    digits: int
    """Number of decimals."""
    text: str
    """The whole comparison in one line."""
    clusters: NotRequired[tuple[int, int]]
    """The cluster of each recording that the number refers to."""


class Comparison(TypedDict):
    match: list[tuple[int, int, float]]
    """Cluster of a, cluster of b, score of the match."""
    kind: Literal["same", "overlap", "distance", "none"]
    how: str
    differences: list[ComparedNumber]
    notes: list[str]


class Progress(TypedDict):
    """The answer while something is being computed."""

    progress: float | None
    """0 to 1; null if unknown."""


class ExportChoices(TypedDict):
    """What can be chosen of an export."""

    columns: dict[str, str]
    """Columns that may be left out: what people call them, by name."""
    frames: int
    """Number of frames that it has if nothing else is asked for."""


class ExportState(TypedDict):
    """How far an export is."""

    key: str
    progress: float
    """0 to 1."""
    what: str
    """What is being done, or what the file holds once it is there."""
    bytes: NotRequired[int]
    """Size of the file once it is there."""
    error: NotRequired[str]


class Failure(TypedDict):
    """The answer to a request that failed, as a sentence."""

    error: str
    current: NotRequired[Any]
    """If someone else has changed an entry in the meantime: its current content."""


class AnnotationsChanged(TypedDict):
    """The event that tells the page of changed annotations."""

    annotations: int | None
    """Version of the annotations; null while the file cannot be read."""
