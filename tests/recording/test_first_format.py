"""A recording in the first format, which knew Procgen alone, opens as before; `data/version-1` was written then."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from semantic_rl.analysis.clusters import compute_clusters
from semantic_rl.recording.store import Recording, open_recording

WRITTEN = Path(__file__).parent / "data" / "version-1"


@pytest.fixture
def first(tmp_path: Path) -> Recording:
    shutil.copytree(WRITTEN, tmp_path / "r")
    return open_recording(tmp_path / "r")


def test_everything_is_there(first: Recording) -> None:
    description = json.loads((WRITTEN / "recording.json").read_text(encoding="utf-8"))
    assert (description["version"], "env_spec" in description) == (1, False)
    assert (first.num_states, first.num_episodes, first.num_codes) == (len(first.states), 2, 3)
    assert first.features().dtype == np.float16
    assert all(map(first.has, ("value", "success", "level_seed", "log_prob", "action", "frames")))
    assert first.observation(0).shape == (64, 64, 3)
    assert first.frame(0).shape == (32, 32, 3)
    cluster = first.table("code_index")["code_index"].to_list()
    assert [int(first.observation(row)[0, 0, 0]) for row in range(len(cluster))] == [20 * code for code in cluster]


def test_it_says_which_game_it_is_of(first: Recording) -> None:
    assert first.spec.title == "coinrun (easy)"
    assert first.spec.action.name(7) == "right"
    assert (first.policy_kind, first.num_actions) == ("categorical", 15)


def test_it_is_analysed_as_before(first: Recording) -> None:
    found = compute_clusters(first, num_typical=1)
    assert sum(cluster.num_states for cluster in found.clusters) == first.num_states
    assert found.success == 0.5
