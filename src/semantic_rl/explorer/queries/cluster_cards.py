"""The cluster cards and the transitions between clusters, as the page shows them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import Clusters, compute_clusters
from semantic_rl.analysis.transitions import compute_transitions
from semantic_rl.clips.choose import Shot, Shots, choose_shots, find_shots
from semantic_rl.clips.footage import Footage, episodes_that_count
from semantic_rl.config.clips import ClipSettings
from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames, WithGaps
from semantic_rl.explorer.dataset.row_group_sample import standing_for_all
from semantic_rl.explorer.encoding import to_png

CLIP = ClipSettings(frames=96)
"""Settings of the clips on the cards: as in `semantic-rl clips`, but at most twelve seconds long."""
NUM_TYPICAL = 5


_NO_CARDS = contract.Cards(clusters=[], value_edges=[], progress_edges=[], all=None)
_NO_TRANSITIONS = contract.Transitions(
    counts=[], probabilities=[], leaving=[], mean_dwell=[], centers=[], shares=[], starts=[], ends=[]
)


class Cards(NamedTuple):
    """The cards, as JSON values, and the mean frame of each cluster as PNG."""

    content: contract.Cards
    means: list[bytes | None]


def make_cards(explored: Explored, frames: Frames) -> Cards:
    """Summarise all clusters; empty if the agent has no clusters."""
    if not explored.num_codes or not explored.num_states:
        return Cards(_NO_CARDS, [None] * explored.num_codes)
    recording, seed = explored.recording, explored.settings.seed
    among = standing_for_all(recording, seed, explored.states.code_index)
    if explored.missing.observations.num_states:
        with_gaps = WithGaps(recording.path, recording.content)
        found = compute_clusters(with_gaps, NUM_TYPICAL, seed=seed, among=among)
        means = [_mean_of_cluster(explored, frames, index) for index in range(explored.num_codes)]
    else:
        found = compute_clusters(recording, NUM_TYPICAL, seed=seed, among=among)
        means = [_png(cluster.mean_frame) for cluster in found.clusters]
    return Cards(_to_json(found, choose_card_clips(explored), recording.has("value")), means)


def _to_json(found: Clusters, clips: list[list[Shot]], has_values: bool) -> contract.Cards:
    clusters: list[contract.ClusterCard] = [
        {
            "cluster": cluster.code_index,
            "num_states": cluster.num_states,
            "share": cluster.share,
            "num_episodes": cluster.num_episodes,
            "num_visits": cluster.num_visits,
            "mean_dwell": cluster.mean_dwell,
            "success": cluster.success,
            "num_ended": cluster.num_ended,
            "actions": cluster.actions,
            "values": cluster.values if has_values else [],
            "progress": cluster.progress,
            "medoid": cluster.medoid,
            "typical": cluster.typical,
            "clip": to_clip(clip),
        }
        for cluster, clip in zip(found.clusters, clips, strict=True)
    ]
    everything: contract.AllStates = {
        "actions": found.actions,
        "values": found.values if has_values else [],
        "progress": found.progress,
        "success": found.success,
    }
    return {
        "clusters": clusters,
        "value_edges": found.value_edges,
        "progress_edges": found.progress_edges,
        "all": everything,
    }


def to_clip(shots: list[Shot]) -> list[tuple[int, int]]:
    """Return a clip in the form that the page gets: first state and number of states of each piece."""
    return [(shot.first_row, shot.num_frames) for shot in shots]


def _png(mean: NDArray[np.float64] | None) -> bytes | None:
    return None if mean is None else to_png(np.rint(mean).astype(np.uint8))


def choose_card_clips(explored: Explored, allowed: NDArray[np.bool_] | None = None) -> list[list[Shot]]:
    """Choose the shots in the clip of each cluster by the usual rule, relaxed step by step if it gives none.

    `allowed` [E] says which episodes may be shown.
    """
    assert explored.states.code_index is not None, "there are clusters"
    shots = all_shots(explored)
    if allowed is not None:
        shots = shots.where(allowed[shots.episode])
    counts = _that_count(explored, shots)
    length = shots.num_frames
    usual = (length >= CLIP.min_shot) & (length <= CLIP.max_shot)
    chosen: list[list[Shot]] = []
    for cluster in range(explored.num_codes):
        mine = shots.code_index == cluster
        rules = (mine & usual & counts[shots.episode], mine & usual, mine & (length >= CLIP.min_shot), mine)
        rule = next((rule for rule in rules if rule.any()), mine)
        rng = np.random.default_rng([explored.settings.seed, cluster])
        chosen.append(choose_shots(not_too_long(shots.where(rule)), CLIP.frames, CLIP.min_shot, rng))
    return chosen


def all_shots(explored: Explored, labels: NDArray[np.integer] | None = None) -> Shots:
    """Cut all states into unbroken shots of one cluster or, if `labels` [B] are given, of one label."""
    states = explored.states
    labels = states.code_index if labels is None else labels
    assert labels is not None, "there are clusters or labels"
    level = explored.episodes.level_seed[states.episode]
    return find_shots(states.episode, states.step, level, labels)


def not_too_long(shots: Shots) -> Shots:
    """Cut shots down to the longest shot that a clip shows."""
    return shots._replace(num_frames=np.minimum(shots.num_frames, CLIP.max_shot))


def _that_count(explored: Explored, shots: Shots) -> NDArray[np.bool_]:
    """Say for each episode whether the usual rule counts it as successful; in an unknown game none is."""
    episodes = explored.episodes
    footage = Footage(
        [explored.recording],
        np.zeros(1, np.int64),
        explored.states.action,
        shots,
        episodes.episode_return,
        episodes.length,
        episodes.ended,
        episodes.success if explored.recording.has("success") else None,
    )
    try:
        return episodes_that_count(footage, CLIP)
    except UserError:
        return np.zeros(len(episodes.length), np.bool_)


def make_transitions(explored: Explored) -> contract.Transitions:
    """Return the transitions between clusters as JSON values; empty without clusters."""
    if not explored.num_codes or not explored.num_states:
        return _NO_TRANSITIONS
    found = compute_transitions(explored.recording)
    return {
        "counts": found.counts,
        "probabilities": found.probabilities,
        "leaving": found.leaving_probabilities,
        "mean_dwell": found.mean_dwell,
        "centers": found.centers,
        "shares": found.shares,
        "starts": found.starts,
        "ends": found.ends,
    }


def _mean_of_cluster(explored: Explored, frames: Frames, cluster: int) -> bytes | None:
    """Return the mean of a cluster's available frames, as PNG; None if there are none."""
    assert explored.states.code_index is not None, "there are clusters"
    mean = frames.mean(np.flatnonzero(explored.states.code_index == cluster))
    return None if mean is None else to_png(mean)
