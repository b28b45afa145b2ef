"""t-SNE of a recording's features: computed once, the same every time, refused where it cannot be."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from semantic_rl.analysis.embedding import compute_planes, fitting_perplexity, sample_rows, tsne_of
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

from ..recording.synthetic import make_recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=8)


def test_planes_hold_the_same_states(recording: Recording) -> None:
    planes = compute_planes(recording, max_states=200, perplexity=10, num_threads=1)
    assert planes.fdr is not None
    assert planes.code_index is not None
    assert len(planes.rows) == len(planes.fdr) == len(planes.tsne) == len(planes.code_index) == 200
    states = recording.states[planes.rows]
    np.testing.assert_array_equal(planes.fdr[:, 0], states["embedding_x"])
    np.testing.assert_array_equal(planes.code_index, states["code_index"])


def test_shares_count_all_states_not_only_those_drawn(recording: Recording) -> None:
    planes = compute_planes(recording, max_states=200, perplexity=10, num_threads=1)
    assert planes.code_counts is not None
    assert planes.code_counts.sum() == recording.num_states


def test_tsne_keeps_neighbours_together(recording: Recording) -> None:
    planes = compute_planes(recording, perplexity=15, num_threads=1)
    assert planes.code_index is not None
    distances = np.linalg.norm(planes.tsne[:, None] - planes.tsne, axis=2)
    np.fill_diagonal(distances, np.inf)
    same = planes.code_index[distances.argmin(1)] == planes.code_index
    assert same.mean() > 0.9


@pytest.mark.parametrize(
    ("wanted", "num_states", "expected"), [(30.0, 91, 30.0), (30.0, 90, 29.0), (30.0, 4, 1.0), (30.0, 2, 1.0)]
)
def test_a_perplexity_is_lowered_to_the_largest_that_so_few_states_allow(
    wanted: float, num_states: int, expected: float
) -> None:
    assert fitting_perplexity(wanted, num_states) == expected


def test_tsne_is_computed_once_and_reports_how_far_it_is(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=4)
    rows = np.arange(recording.num_states)
    reports: list[tuple[int, int]] = []
    first = tsne_of(recording, rows, 10.0, 0, 1, lambda done, total: reports.append((done, total)))
    assert reports[0] == (0, 750)
    assert reports[-1] == (750, 750)
    reports.clear()
    again = tsne_of(recording, rows, 10.0, 0, 1, lambda done, total: reports.append((done, total)))
    np.testing.assert_array_equal(first, again)
    assert not reports
    assert not np.array_equal(first, tsne_of(recording, rows, 12.0, 0, 1))
    assert not np.array_equal(first, tsne_of(recording, rows, 10.0, 1, 1))
    assert len(list((recording.path / "derived").glob("tsne-*.parquet"))) == 3


def test_the_same_seed_gives_the_same_plane(tmp_path: Path) -> None:
    planes = []
    for name in ("a", "b"):
        recording = make_recording(tmp_path / name, num_episodes=4)
        planes.append(tsne_of(recording, np.arange(recording.num_states), 10.0, 0, 1))
    np.testing.assert_array_equal(planes[0], planes[1])


def test_a_damaged_kept_plane_is_computed_again(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=4)
    rows = np.arange(recording.num_states)
    first = tsne_of(recording, rows, 10.0, 0, 1)
    kept = next((recording.path / "derived").iterdir())
    kept.write_bytes(b"PAR1 but not for long")
    np.testing.assert_array_equal(tsne_of(recording, rows, 10.0, 0, 1), first)
    assert pl.read_parquet(kept).height == len(rows)


def test_a_recording_that_cannot_be_written_to_is_drawn_all_the_same(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=4)
    (recording.path / "derived").write_text("in the way")
    assert len(tsne_of(recording, np.arange(recording.num_states), 10.0, 0, 1)) == recording.num_states


def test_too_few_states_for_the_perplexity_is_a_user_error(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=1)
    with pytest.raises(UserError, match=r"needs at least 91 states, and there are \d+.*--perplexity 1\d or less"):
        compute_planes(recording)
    assert not os.path.exists(recording.path / "derived")


def test_an_agent_without_codes_has_no_fdr_plane(tmp_path: Path) -> None:
    planes = compute_planes(make_recording(tmp_path / "r", num_codes=0), perplexity=10, num_threads=1)
    assert planes.fdr is None
    assert planes.code_index is None
    assert np.isfinite(planes.tsne).all()


def test_a_sample_is_drawn_without_repetition_and_ascends() -> None:
    rows = sample_rows(1000, 100, seed=3)
    assert len(set(rows.tolist())) == 100
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(sample_rows(50, 100, 3), np.arange(50))
