"""A recording in the explorer: the columns of all states, the sample of them shown as points, and the projections.

At most `max_points` states, drawn at random, are shown as points; every query still covers all states.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.embedding import ALIKE, are_alike, sample_rows
from semantic_rl.artifacts import STATES_FILE
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.explorer.background_jobs import Jobs
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.frame_reader import NOTHING_MISSING, Missing
from semantic_rl.explorer.dataset.projections import LEAST_FOR_TSNE, Placed, place_by_pca, place_by_tsne
from semantic_rl.explorer.dataset.state_table import Episodes, States, read_episodes, read_states
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording


class Settings(NamedTuple):
    """Settings of how a recording is shown; their defaults are in `config.explore`."""

    max_points: int
    tsne_states: int
    perplexity: float
    seed: int


class Explored:
    """One recording that is open in the explorer."""

    def __init__(
        self,
        recording: Recording,
        settings: Settings,
        id: str = "a",
        missing: Missing = NOTHING_MISSING,
        on_progress: OnProgress = lambda done, total: None,
    ) -> None:
        self.id = id
        self.recording = recording
        self.settings = settings
        self.missing = missing
        self.jobs = Jobs()
        self.tsne_threads = max(1, num_cores() - 1)
        """Threads that t-SNE uses; by default one core is left for the server."""
        self._limits: dict[PlaneName, tuple[float, float, float, float]] = {}
        self.states: States = read_states(recording, on_progress)
        self.episodes: Episodes = read_episodes(recording)
        self.shown: NDArray[np.int64] = sample_rows(recording.num_states, settings.max_points, settings.seed)
        """[P], ascending: the states that are points on the map."""

    @property
    def num_states(self) -> int:
        """Return the number of states of the recording."""
        return self.recording.num_states

    @property
    def num_codes(self) -> int:
        """Return the number of clusters; 0 if the agent has none."""
        return self.recording.num_codes

    @cached_property
    def etag(self) -> str:
        """Return a tag that identifies recording and settings, so that the browser's cache never serves other data."""
        file = (self.recording.path / STATES_FILE).stat()
        key = self.recording.clustering_key
        parts = [
            self.recording.description,
            file.st_size,
            file.st_mtime_ns,
            self.settings,
            str(self.recording.path),
            key,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]

    @cached_property
    def tsne_rows(self) -> NDArray[np.int64]:
        """[P]: rows of the points that t-SNE embeds; with fewer than a million states, the same as in the figures."""
        return self.shown[sample_rows(len(self.shown), self.settings.tsne_states, self.settings.seed)]

    def why_not(self, name: PlaneName) -> str | None:
        """Return why a plane is not available; None if it is."""
        if not self.num_states:
            return "the recording has no states"
        if name == "fdr" and not self.num_codes:
            return "the agent has no semantic clustering module, so it has no plane of its own"
        if name == "tsne" and len(self.tsne_rows) < LEAST_FOR_TSNE:
            return f"t-SNE needs at least {LEAST_FOR_TSNE} states, and there are {len(self.tsne_rows)}"
        if name == "tsne" and self._are_alike:
            return ALIKE
        return None

    @cached_property
    def _are_alike(self) -> bool:
        """Say whether all states that t-SNE would embed have equal features; stops reading as soon as two differ."""
        first: NDArray[np.float16] | None = None
        try:
            for start, features in self.recording.feature_groups(self.tsne_rows):
                low, high = np.searchsorted(self.tsne_rows, (start, start + len(features))).tolist()
                here = features[self.tsne_rows[low:high] - start]
                first = here[:1] if first is None else first
                if not are_alike(np.concatenate([first, here])):
                    return False
        except UserError:  # a damaged table: reported when a plane is requested
            return False
        return True

    def is_ready(self, name: PlaneName) -> bool:
        """Say whether a plane is available without further computation."""
        return self.why_not(name) is None and (name == "fdr" or self.jobs.is_ready(name))

    def plane(self, name: PlaneName, patience: float | None = None) -> Placed:
        """Return a plane; raises Pending if it takes longer than `patience` seconds (None: wait for it).

        May be called only if `why_not` returns None.
        """
        if name == "fdr":
            assert self.states.embedding is not None, "the agent has a plane"
            return Placed(None, self.states.embedding)
        return self.jobs.get(name, self._place_by(name), patience)

    def _place_by(self, name: PlaneName) -> Callable[[OnProgress], Placed]:
        settings = self.settings
        if name == "pca":
            return lambda on_progress: place_by_pca(self.recording, settings.seed, on_progress)
        threads = self.tsne_threads
        return lambda on_progress: place_by_tsne(
            self.recording, self.tsne_rows, settings.perplexity, settings.seed, threads, on_progress
        )

    def limits(self, name: PlaneName) -> tuple[float, float, float, float]:
        """Return (left, right, bottom, top) of the square that contains a plane."""
        if name not in self._limits:
            self._limits[name] = self.plane(name).limits
        return self._limits[name]

    def success_of(self, episodes: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return for each of the given episodes 1 for success, 0 for failure, 255 if it has not ended."""
        known = self.episodes.ended & self.recording.has("success")
        success = np.where(known, self.episodes.success, 255).astype(np.uint8)
        return success[episodes]

    @property
    def progress(self) -> NDArray[np.float32]:
        """[B], 0 to 1: step in the episode / last step of the episode."""
        last = np.maximum(self.episodes.length - 1, 1)
        return (self.states.step / last[self.states.episode]).astype(np.float32)

    def rows_of_episode(self, episode: int) -> slice:
        """Return the rows of an episode's states."""
        first = int(self.episodes.first_row[episode])
        return slice(first, first + int(self.episodes.num_rows[episode]))
