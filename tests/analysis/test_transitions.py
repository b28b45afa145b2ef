"""Moves between clusters, against counts made one by one."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from semantic_rl.analysis.transitions import compute_transitions
from semantic_rl.errors import UserError

from ..recording.synthetic import STAY, make_recording


def test_moves_are_counted_within_episodes(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=20)
    transitions = compute_transitions(recording)
    expected = np.zeros((4, 4), int)
    for episode in recording.episodes.iter_rows(named=True):
        codes = recording.states.slice(episode["first_row"], episode["num_rows"])["code_index"].to_list()
        for before, after in itertools.pairwise(codes):
            expected[before, after] += 1
    np.testing.assert_array_equal(transitions.counts, expected)
    np.testing.assert_allclose(np.diag(transitions.probabilities), STAY, atol=0.06)
    np.testing.assert_allclose(transitions.probabilities.sum(1), 1)
    np.testing.assert_allclose(np.nansum(transitions.leaving_probabilities, axis=1), 1)
    assert np.isnan(np.diag(transitions.leaving_probabilities)).all()
    # The made-up agent goes round and round.
    assert (np.roll(np.eye(4), 1, axis=1) * transitions.leaving_probabilities >= 0.95).sum() == 4


def test_centers_starts_and_ends(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=20)
    transitions = compute_transitions(recording)
    np.testing.assert_allclose(transitions.centers, recording.codebook, atol=0.1)
    first = [recording.states["code_index"][row] for row in recording.episodes["first_row"]]
    np.testing.assert_allclose(transitions.starts, np.bincount(first, minlength=4) / 20)
    visits_that_end = (
        transitions.ends * np.bincount(recording.states["code_index"], minlength=4) / transitions.mean_dwell
    )
    assert visits_that_end.sum() == pytest.approx(20)


def test_an_empty_cluster_has_no_moves(tmp_path: Path) -> None:
    transitions = compute_transitions(make_recording(tmp_path / "r", num_codes=3, num_unused=1))
    assert transitions.shares[3] == 0
    assert np.isnan(transitions.probabilities[3]).all()
    assert np.isnan(transitions.mean_dwell[3])


def test_an_agent_without_clusters_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no semantic clustering module"):
        compute_transitions(make_recording(tmp_path / "r", num_codes=0, num_episodes=2))
