"""One recording behind the routes: answers all requests of the page as bytes or JSON values, and caches the answers."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.background_jobs import PATIENCE
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.description import describe, describe_plane
from semantic_rl.explorer.dataset.frame_reader import MOST_AT_ONCE, Frames
from semantic_rl.explorer.dataset.point_columns import Column, column_bytes, describe_columns
from semantic_rl.explorer.dataset.projections import PLANES, as_plane
from semantic_rl.explorer.dataset.small_frames import read_small_frames
from semantic_rl.explorer.encoding import to_json, to_png
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.queries.cluster_cards import Cards, make_cards, make_transitions
from semantic_rl.explorer.queries.cluster_matching import Side
from semantic_rl.explorer.queries.episode import describe_episode, list_episodes, list_numbers
from semantic_rl.explorer.queries.lookalikes import lookalikes
from semantic_rl.explorer.queries.nearest_states import NearQuery, copy_features, find_nearest
from semantic_rl.explorer.queries.playlists import (
    LISTS,
    LOOKALIKES,
    PLAYLISTS,
    Found,
    is_offered,
    list_names,
    moves,
    to_playlist,
)
from semantic_rl.explorer.queries.recording_diff import compare
from semantic_rl.explorer.selection.cache import Questions
from semantic_rl.explorer.selection.selection import passing_states, read_plane, read_within
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store.annotations import Annotations

LONGEST_LIST = 500


class RecordingView:
    """A recording and its cached results.

    The methods raise Refusal for things that the recording does not have, and Pending while a result is being computed.
    """

    def __init__(self, explored: Explored, author: str = "") -> None:
        self.explored = explored
        self.author = author
        """Name that signs notes if the page gives none."""
        self.frames = Frames(explored.recording)
        self.questions = Questions(explored, self.frames)
        recording = explored.recording
        self.annotations = Annotations(recording.notes_folder)
        self.tags = self.annotations if recording.notes_folder == recording.path else Annotations(recording.path)
        """Where the tags are: they are of states, which are the same whatever clustering is shown."""

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Return the descriptions of the points' columns, by name."""
        return {column.name: column for column in describe_columns(self.explored)}

    def meta(self) -> contract.Meta:
        """Return the description of the recording."""
        return describe(self.explored, list(self.columns.values()), list_names(self.explored))

    def plane(self, name: str, patience: float | None = PATIENCE) -> contract.Plane:
        """Return the description of a plane, with its limits."""
        known = as_plane(name)
        if known is None:
            raise Refusal(404, f"there is no plane '{name}'; there are {', '.join(PLANES)}.")
        if self.explored.why_not(known) is None:
            self.explored.plane(known, patience)
        return describe_plane(self.explored, known)

    def column(self, name: str, patience: float | None = PATIENCE) -> bytes:
        """Return a column of the points."""
        if name not in self.columns:
            raise Refusal(404, f"there is no column '{name}'; there are {', '.join(self.columns)}.")
        column = self.columns[name]
        known = as_plane(name)
        if known is not None:
            self.explored.plane(known, patience)
        key = ("column", name, len(self.explored.shown))  # an export may have fewer points
        return self.explored.jobs.get(key, lambda _: column_bytes(self.explored, column, None), None)

    def episodes(self) -> bytes:
        """Return the list of episodes, as JSON."""
        return self.explored.jobs.get("episodes", lambda _: to_json(list_episodes(self.explored)), None)

    def episode(self, number: int) -> contract.EpisodeData:
        """Return the states of an episode."""
        return describe_episode(self.explored, self._episode(number))

    def numbers(self, episode: int) -> contract.EpisodeNumbers:
        """Return the observations of an episode as numbers."""
        return list_numbers(self.explored, self.frames, self._episode(episode))

    def _episode(self, number: int) -> int:
        count = self.explored.recording.num_episodes
        if not 0 <= number < count:
            raise Refusal(404, f"there is no episode {number}; there are {count}, numbered from 0.")
        return number

    def frame(self, row: int) -> tuple[bytes, str]:
        """Return a state's picture and its media type."""
        with _frame_or_refusal():
            return self.frames.encoded(self._row(row))

    def observation(self, row: int) -> bytes:
        """Return a state's observation, as PNG."""
        with _frame_or_refusal():
            return to_png(self.frames.observation(self._row(row)))

    def frame_pack(self, first: int, count: int) -> bytes:
        """Return several pictures as one byte string."""
        if not 1 <= count <= MOST_AT_ONCE:
            raise Refusal(400, f"frames: got a count of {count}, expected 1 to {MOST_AT_ONCE}.")
        self._row(first)
        return self.frames.packed(range(first, min(first + count, self.explored.num_states)))

    def _row(self, row: int) -> int:
        if not 0 <= row < self.explored.num_states:
            raise Refusal(404, f"there is no state {row}; there are {self.explored.num_states}, numbered from 0.")
        return row

    def cards(self, patience: float | None = PATIENCE) -> Cards:
        """Return the cards of the clusters."""
        return self.explored.jobs.get("cards", lambda _: make_cards(self.explored, self.frames), patience)

    def mean(self, cluster: int, patience: float | None = PATIENCE) -> bytes:
        """Return a cluster's mean frame, as PNG."""
        exists = 0 <= cluster < self.explored.num_codes
        found = self.cards(patience).means[cluster] if exists else None
        if found is None:
            raise Refusal(404, f"cluster {cluster} has no mean frame: it is empty or does not exist.")
        return found

    def transitions(self, patience: float | None = PATIENCE) -> contract.Transitions:
        """Return the transitions between clusters."""
        return self.explored.jobs.get("transitions", lambda _: make_transitions(self.explored), patience)

    def playlist(
        self, name: str, limit: int, patience: float | None = PATIENCE, shown: NDArray[np.bool_] | None = None
    ) -> contract.Playlist:
        """Return a list of moments, only from the episodes `shown` [E], if given."""
        if name not in LISTS:
            raise Refusal(404, f"there is no list '{name}'; there are {', '.join(LISTS)}.")
        if not is_offered(self.explored.recording, LISTS[name]):
            raise Refusal(404, f"{name}: the recording does not have what this list needs.")

        def find(on_progress: OnProgress) -> Found:
            if name == LOOKALIKES:
                return lookalikes(self.explored, self.frames, on_progress)
            return PLAYLISTS[name](self.explored)

        return self._listed(name, self.explored.jobs.get(("playlist", name), find, patience), limit, shown)

    def moves(self, before: int, after: int, limit: int, shown: NDArray[np.bool_] | None = None) -> contract.Playlist:
        """Return the list of moves from one cluster to another."""
        count = self.explored.num_codes
        if not max(before, after) < count:
            raise Refusal(404, f"there is no move from {before} to {after}; there are {count} clusters.")
        return self._listed(f"transition/{before}/{after}", moves(self.explored, before, after), limit, shown)

    def _listed(self, name: str, found: Found, limit: int, shown: NDArray[np.bool_] | None) -> contract.Playlist:
        if not 1 <= limit <= LONGEST_LIST:
            raise Refusal(400, f"limit: got {limit}, expected 1 to {LONGEST_LIST}.")
        kept = None if shown is None else shown[self.explored.states.episode[found.row]]
        if kept is not None and shown is not None and found.other is not None:
            kept &= shown[self.explored.states.episode[found.other]]
        return to_playlist(self.explored, name, found, limit, kept)

    def inside(self, content: dict[str, Any], patience: float | None = PATIENCE) -> contract.Inside:
        """Return the statistics of a selection, which may be a saved one."""
        if "selection" in content:
            kept = self.annotations.read()["selections"]
            saved = next((entry for entry in kept if entry.get("id") == content["selection"]), None)
            if saved is None:
                raise Refusal(404, "there is no such selection; it may have been deleted.")
            content = {**saved, "within": content.get("within")}
        return self.questions.ask(content, patience)

    def near(self, content: dict[str, Any], patience: float | None = PATIENCE) -> contract.Near:
        """Return the states that are nearest to one."""
        explored, jobs = self.explored, self.explored.jobs
        query = self._near_query(content)
        within = read_within(explored, content.get("within"))
        features = small = None
        if query.plane is not None:
            explored.plane(query.plane, patience)
        elif query.by == "features":
            features = jobs.get("features", lambda report: copy_features(explored, report), patience)
        else:
            small = jobs.get("small frames", lambda report: read_small_frames(explored, self.frames, report), patience)

        def find(report: OnProgress) -> contract.Near:
            among = passing_states(explored, within) if within else None
            return find_nearest(explored, self.frames, query, among, report, features, small)

        key = ("near", query, hashlib.sha256(within.encode()).hexdigest())
        return jobs.get(key, find, patience, is_asked_once=True)

    def _near_query(self, content: dict[str, Any]) -> NearQuery:
        row, by, episodes = (content.get(name) for name in ("row", "by", "episodes"))
        if type(row) is not int:
            raise Refusal(400, "row: expected the number of a state.")
        self._row(row)
        if by not in ("features", "plane", "pixels"):
            raise Refusal(400, "by: expected features, plane or pixels.")
        if by == "pixels" and not self.explored.recording.has_frames:
            raise Refusal(404, "the recording has no frames that could be compared.")
        if episodes not in ("each", "others", "all"):
            raise Refusal(400, "episodes: expected each, others or all.")
        plane = read_plane(self.explored, content.get("plane")) if by == "plane" else None
        return NearQuery(row, by, plane, episodes)

    def pictures(self, rows: list[int]) -> bytes:
        """Return the pictures of some states as one byte string."""
        if not 1 <= len(rows) <= MOST_AT_ONCE:
            raise Refusal(400, f"rows: got {len(rows)}, expected 1 to {MOST_AT_ONCE}.")
        return self.frames.packed([self._row(row) for row in rows])

    def observations(self, rows: list[int]) -> contract.Observations:
        """Return the observations of some states as numbers."""
        if not 1 <= len(rows) <= MOST_AT_ONCE:
            raise Refusal(400, f"rows: got {len(rows)}, expected 1 to {MOST_AT_ONCE}.")
        return {"numbers": np.concatenate([self.frames.numbers(self._row(row), 1) for row in rows])}

    def read_annotations(self) -> contract.Annotations:
        """Return names, notes, selections and tags."""
        found = self.annotations.read()
        if self.tags is not self.annotations:
            other = self.tags.read()
            found |= {"tags": other["tags"], "version": found["version"] + other["version"]}
        return {**cast(contract.Annotations, found), "author": self.author}

    def annotations_signature(self) -> tuple[tuple[int, ...], ...]:
        """Return what changes whenever annotations do."""
        return self.annotations.signature(), self.tags.signature()

    def clip(self, key: str) -> Path:
        """Return the clips of a selection, titled with users' names of clusters if the annotations can be read."""
        try:
            annotations = self.annotations.read()
        except UserError:
            annotations: dict[str, Any] = {"clusters": {}, "selections": []}
        return self.questions.clip(key, annotations)


def compared(views: Sequence[RecordingView], patience: float | None = PATIENCE) -> contract.Comparison:
    """Compare two recordings."""
    if len(views) != 2:
        raise Refusal(404, "there is one recording only; name two to compare them.")
    sides = [Side(view.explored, view.frames) for view in views]
    return views[0].explored.jobs.get("compare", lambda _: compare(*sides), patience)


@contextmanager
def _frame_or_refusal() -> Generator[None]:
    try:
        yield
    except UserError as error:
        raise Refusal(404, f"this frame is missing: {error}") from error
