"""A view of a recording with fewer points on the map: for an export that is to be small."""

import copy

import numpy as np

from semantic_rl.analysis.embedding import sample_rows
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.recording_view import RecordingView


def with_fewer_points(view: RecordingView, num_points: int) -> RecordingView:
    """Return the view with a random sample of its points on the map; lists and counts still cover all states.

    What has been computed is shared with the view. Planes must have been computed.
    """
    explored = view.explored
    if num_points >= len(explored.shown):
        return view
    return RecordingView(_thinned(explored, num_points), view.author)


def _thinned(explored: Explored, num_points: int) -> Explored:
    thinned = copy.copy(explored)
    placed = explored.tsne_rows if explored.why_not("tsne") is None else np.zeros(0, np.int64)
    thinned.shown = explored.shown[sample_rows(len(explored.shown), num_points, explored.settings.seed)]
    thinned.tsne_rows = placed[np.isin(placed, thinned.shown)]
    return thinned
