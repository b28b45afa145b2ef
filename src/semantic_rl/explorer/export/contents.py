"""Selects what an export contains: all data on the points, and the frames of some whole episodes."""

import base64
import struct
from collections.abc import Collection
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semantic_rl import __version__
from semantic_rl.analysis.effect_sizes import draws_of
from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import pack, recompressed
from semantic_rl.explorer.dataset.projections import PLANES
from semantic_rl.explorer.export.episode_sample import choose_episodes
from semantic_rl.explorer.queries.cluster_cards import choose_card_clips, to_clip
from semantic_rl.explorer.queries.playlists import LOOKALIKES, PLAYLISTS, list_names
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.progress_bar import OnProgress

LIST_LENGTH = 20
MOST_MOVES = 200
"""Number of pairs of clusters, the most frequent ones, whose list of moves is in the file."""
FRAME_SIZE, FRAME_QUALITY = 256, 75
ONLY_SHOWN = "Of the episodes whose frames are in this file."
NOT_COMPUTED = "it had not been computed when this file was made"
NOT_WANTED = "it was left out of this file"


class Exported:
    """The content of an export."""

    def __init__(
        self,
        view: RecordingView,
        num_frames: int,
        planes: Collection[PlaneName] = PLANES,
        left_out: Collection[str] = (),
    ) -> None:
        """At most `num_frames` states get frames and the numbers of their observations.

        Of `planes`, those that have not been computed are left out. `left_out` are names of columns
        that are `optional_columns`.
        """
        self.view = view
        self._num_frames = num_frames
        self._left_out = frozenset(left_out)
        explored = view.explored
        self._planes = [name for name in PLANES if name in planes and explored.is_ready(name)]

    @property
    def _explored(self) -> Explored:
        return self.view.explored

    @property
    def _has_frames(self) -> bool:
        return self._num_frames > 0 and self._explored.recording.has_frames

    @cached_property
    def chosen(self) -> NDArray[np.int64]:
        """Return the episodes whose frames are all in the file, ascending."""
        return choose_episodes(self._explored, self._num_frames) if self._num_frames else np.zeros(0, np.int64)

    @cached_property
    def _shown(self) -> NDArray[np.bool_] | None:
        """[E]: whether an episode's frames are in the file; None if no frames are, so that lists cover all episodes."""
        if not self._has_frames:
            return None
        shown = np.zeros(len(self._explored.episodes.length), np.bool_)
        shown[self.chosen] = True
        return shown

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Return the states whose frames are in the file, ascending: of the chosen episodes and on the cards."""
        if not self._has_frames:
            return np.zeros(0, np.int64)
        episodes = self._explored.episodes
        rows = [
            np.arange(first, first + count)
            for first, count in zip(episodes.first_row[self.chosen], episodes.num_rows[self.chosen], strict=True)
        ]
        cards = self.view.cards(None).content["clusters"]
        on_cards = [row for card in cards for row in (card["medoid"], *card["typical"]) if row is not None]
        return np.unique(np.concatenate([*rows, np.array(on_cards, np.int64)]))

    @property
    def frames_text(self) -> str:
        """Say which states' frames are in the file."""
        total = self._explored.num_states
        if not self._explored.recording.has_frames:
            return "The recording has no frames."
        if not self._num_frames:
            return f"This file holds no frames of its {total:,} states."
        if len(self.rows) == total:
            return f"This file holds the frames of all {total:,} states."
        return (
            f"This file holds the frames of {len(self.rows):,} of {total:,} states: of {len(self.chosen):,} whole "
            "episodes, evenly chosen over return and cluster, and on the cards."
        )

    def meta(self) -> contract.Meta:
        """Return the description of the recording, restricted to what is in the file."""
        content = self.view.meta()
        content["frames"] = self.frames_text
        content["lists"] = [known for known in content["lists"] if known["name"] in self._list_names()]
        content["columns"] = [column for column in content["columns"] if column["name"] in self.column_names()]
        for plane in content["planes"]:
            if plane["name"] not in self._planes and "why_not" not in plane:
                why_not = NOT_WANTED if self._explored.is_ready(plane["name"]) else NOT_COMPUTED
                plane.update({"ready": False, "num_placed": 0, "why_not": why_not})
        return content

    def column_names(self) -> list[str]:
        """Return the names of the columns in the file; columns that follow from the list of episodes are left out."""
        explored = self._explored
        follows = {"episode", "row"} if len(explored.shown) == explored.num_states else set[str]()
        left_out = follows | self._left_out | {name for name in PLANES if name not in self._planes}
        return [name for name in self.view.columns if name not in left_out]

    def first_columns(self) -> list[str]:
        """Return the names of the columns that the page needs to draw its first map."""
        names = self.column_names()
        plane = next((name for name in PLANES if name in names), None)
        return [name for name in ("row", plane, "cluster") if name in names]

    def cards(self) -> contract.Cards:
        """Return the cluster cards; their clips use only frames that are in the file."""
        content = self.view.cards(None).content
        if self._shown is None or not content["clusters"]:
            return content
        clips = choose_card_clips(self._explored, self._shown)
        cards: list[contract.ClusterCard] = [
            {**card, "clip": to_clip(clip)} for card, clip in zip(content["clusters"], clips, strict=True)
        ]
        return {**content, "clusters": cards}

    def means(self) -> dict[str, str]:
        """Return the mean frame of each cluster that has one, as base64-encoded PNG."""
        means = self.view.cards(None).means
        return {str(index): base64.b64encode(mean).decode() for index, mean in enumerate(means) if mean is not None}

    def _list_names(self) -> list[str]:
        names = [*PLAYLISTS, *([LOOKALIKES] if self._has_frames else [])]
        offered = {known["name"] for known in list_names(self._explored)}
        return [name for name in names if name in offered]

    def playlists(self) -> dict[str, contract.Playlist]:
        """Return the lists of moments, restricted to episodes whose frames are in the file."""
        found = {name: self.view.playlist(name, LIST_LENGTH, None, self._shown) for name in self._list_names()}
        return found if self._shown is None else {name: {**one, "note": ONLY_SHOWN} for name, one in found.items()}

    def moves(self) -> dict[str, contract.Playlist]:
        """Return the lists of moves between clusters, with the same restriction, by 'from-to'."""
        counts = np.array(self.view.transitions(None)["counts"])
        if not counts.size:
            return {}
        order = np.argsort(-counts, axis=None, kind="stable")[:MOST_MOVES]
        pairs = [divmod(int(place), len(counts)) for place in order if counts.flat[place]]
        return {f"{i}-{j}": self.view.moves(i, j, LIST_LENGTH, self._shown) for i, j in pairs}

    def details(self) -> dict[str, contract.EpisodeData]:
        """Return the states of each chosen episode."""
        return {str(episode): self.view.episode(episode) for episode in self.chosen.tolist()}

    def numbers(self) -> dict[str, contract.EpisodeNumbers]:
        """Return the observations of each chosen episode as numbers, if they have any."""
        if not self.view.meta()["observation_names"]:
            return {}
        return {str(episode): self.view.numbers(episode) for episode in self.chosen.tolist()}

    def draws(self) -> bytes:
        """Return the bootstrap draws of episodes that all intervals use.

        They are the numbers of units (U) and draws (R), the unit of each episode [E], and how often each unit is drawn
        [R, U], a byte each.
        """
        episodes = self._explored.episodes
        bootstrap = draws_of(len(episodes.length), self._explored.settings.seed)
        head = struct.pack("<II", bootstrap.num_units, bootstrap.num_resamples)
        return head + bootstrap.unit.astype(np.uint8).tobytes() + bootstrap.counts.astype(np.uint8).tobytes()

    def frames(self, on_progress: OnProgress = lambda done, total: None) -> bytes | None:
        """Return the frames as bytes: their number, their rows, their sizes, the frames; None if there are none."""
        if not len(self.rows):
            return None
        pictures: list[bytes] = []
        for index, row in enumerate(self.rows.tolist()):
            pictures.append(self._frame(row))
            on_progress(index + 1, len(self.rows))
        packed = pack(pictures)
        return packed[:4] + struct.pack(f"<{len(pictures)}I", *self.rows.tolist()) + packed[4:]

    def _frame(self, row: int) -> bytes:
        """Return a frame as it is stored in the file; 0 bytes if it is missing."""
        frames = self.view.frames
        try:
            if self._explored.recording.has_pictures:
                return recompressed(frames.picture(row), FRAME_SIZE, FRAME_QUALITY)
            return frames.encoded(row)[0]
        except UserError:
            return b""

    def versions(self) -> dict[str, str]:
        """Return the versions of the software that made the file."""
        return {"semantic-rl": __version__}
