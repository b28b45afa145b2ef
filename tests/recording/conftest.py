"""Agents and recordings that several tests look at."""

from pathlib import Path

import pytest
import torch

from semantic_rl.config import EnvConfig, RecordConfig
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record import record_policy
from semantic_rl.recording.store import Recording, open_recording

GAME = EnvConfig(env="fruitbot", num_levels=50, start_level=7)
"""A game in which episodes are short whoever plays."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def make_policy(num_codes: int = 8) -> SemanticPolicy:
    """Make an agent that has learned nothing."""
    torch.manual_seed(1)
    return SemanticPolicy(num_codes=num_codes).eval()


def config(out: Path, **settings: object) -> RecordConfig:
    """Settings of a small recording, exact on every machine."""
    few: dict[str, object] = {"num_envs": 6, "frame_size": 0, "precision": "fp32", "device": "cpu"}
    return RecordConfig(agent=Path("agent"), out=out, **{**few, **settings})  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """About 400 states with pictures."""
    out = tmp_path_factory.mktemp("recordings") / "small"
    record_policy(make_policy(), GAME, config(out, states=400, frame_size=128))
    return open_recording(out)
