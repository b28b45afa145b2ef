"""What another agent makes of recorded states: what its network says, once, and kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

from semantic_rl.analysis.metrics import OtherAgent, compute_metrics
from semantic_rl.config import EnvConfig, TrainConfig, to_dict
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record import relabel as module
from semantic_rl.recording.record.relabel import relabel
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint

from .conftest import GAME


def agent(folder: Path, seed: int, num_codes: int = 8, game: str = GAME.env) -> tuple[Path, SemanticPolicy]:
    """Save an agent that has learned nothing."""
    torch.manual_seed(seed)
    policy = SemanticPolicy(num_codes=num_codes).eval()
    config = to_dict(TrainConfig(algorithm="sppo" if num_codes else "ppo", environment=EnvConfig(env=game)))
    state = {"update": 1, "config": config, "versions": {}}
    save_checkpoint(folder, Checkpoint(policy.state_dict(), None, None, state), 1)
    return folder, policy


@pytest.fixture
def copy(recording: Recording, tmp_path: Path) -> Recording:
    """The shared recording in a folder of its own, in which something may be kept."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in recording.path.iterdir():
        if path.name != "derived":
            (folder / path.name).symlink_to(path)
    return open_recording(folder)


def test_says_what_the_network_says_of_the_recorded_observations(copy: Recording, tmp_path: Path) -> None:
    path, policy = agent(tmp_path / "agent", seed=5)
    rows = np.arange(3, copy.num_states, 3)
    found = relabel(copy, path, rows, "cpu", "fp32")
    with torch.no_grad():
        output = policy(torch.from_numpy(np.stack([copy.observation(row) for row in rows.tolist()])))
    assert output.embedding is not None
    np.testing.assert_allclose(found.features, output.features, atol=2e-3)
    np.testing.assert_allclose(found.embedding, output.embedding, atol=1e-5)
    np.testing.assert_array_equal(found.code_index, output.code_index)


def test_the_agent_that_was_recorded_says_what_it_said(copy: Recording, tmp_path: Path) -> None:
    path, _ = agent(tmp_path / "agent", seed=1)
    found = relabel(copy, path, np.arange(copy.num_states), "cpu", "fp32")
    np.testing.assert_allclose(found.features, copy.features(), atol=2e-3)
    np.testing.assert_allclose(found.embedding, copy.states.select("embedding_x", "embedding_y"), atol=1e-5)
    assert (found.code_index == copy.states["code_index"].to_numpy()).mean() > 0.99


def test_is_computed_once_and_again_for_another_agent_or_other_states(
    copy: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = agent(tmp_path / "agent", seed=5)
    rows = np.arange(50)
    reports: list[tuple[int, int]] = []
    first = relabel(copy, path, rows, "cpu", "fp32", lambda done, total: reports.append((done, total)))
    assert reports[0] == (0, 50)
    assert reports[-1] == (50, 50)
    kept = list((copy.path / "derived").iterdir())
    assert len(kept) == 1
    with monkeypatch.context() as without_network:
        without_network.setattr(module, "load_policy", None)
        again = relabel(copy, path, rows, "cpu", "fp32")
    assert again.agent_sha256 == first.agent_sha256
    for before, after in zip(first[1:], again[1:], strict=True):
        np.testing.assert_array_equal(before, after)
    other, _ = agent(tmp_path / "other", seed=6)
    assert not np.array_equal(relabel(copy, other, rows, "cpu", "fp32").features, first.features)
    assert len(relabel(copy, path, rows[:7], "cpu", "fp32").features) == 7
    assert len(list((copy.path / "derived").iterdir())) == 3
    kept[0].write_bytes(b"PAR1 but not for long")
    np.testing.assert_array_equal(relabel(copy, path, rows, "cpu", "fp32").features, first.features)


def test_where_nothing_can_be_kept_it_is_computed_all_the_same(copy: Recording, tmp_path: Path) -> None:
    (copy.path / "derived").write_text("in the way")
    path, _ = agent(tmp_path / "agent", seed=5)
    assert len(relabel(copy, path, np.arange(9), "cpu", "fp32").features) == 9


def test_an_agent_without_clusters_has_features_alone(copy: Recording, tmp_path: Path) -> None:
    path, _ = agent(tmp_path / "agent", seed=5, num_codes=0)
    for _ in range(2):
        found = relabel(copy, path, np.arange(20), "cpu", "fp32")
        assert found.features.shape == (20, 256)
        assert found.embedding is None
        assert found.code_index is None


def test_an_agent_of_another_game_is_refused(copy: Recording, tmp_path: Path) -> None:
    path, _ = agent(tmp_path / "agent", seed=5, game="ninja")
    with pytest.raises(UserError, match=r"plays ninja, and .* is of fruitbot; give an agent of the same game"):
        relabel(copy, path, np.arange(9))


def test_two_agents_are_compared_on_the_same_states(copy: Recording, tmp_path: Path) -> None:
    path, _ = agent(tmp_path / "agent", seed=1)
    rows = np.arange(copy.num_states)
    found = relabel(copy, path, rows, "cpu", "fp32")
    other = OtherAgent(str(path), found.agent_sha256, rows, found.features, found.embedding, found.code_index)
    measured = compute_metrics(copy, against=other, num_resamples=100)
    assert measured.estimate("agreement_ami").value == pytest.approx(1, abs=0.02)
    assert measured.estimate("agreement_procrustes").value == pytest.approx(0, abs=1e-6)
