"""What a recording says of its agent: how long it was trained, not how long that was planned."""

from pathlib import Path
from typing import Any

import pytest

from semantic_rl.recording.store.agent_info import agent_info

from .synthetic import make_recording

PLAN = {"timesteps": 25_000_000, "num_envs": 64, "num_steps": 256}


@pytest.mark.parametrize(
    ("agent", "timesteps"),
    [
        ({"timesteps": 1_409_024, "update": 43}, 1_409_024),  # two workers: twice 43 updates of 64 times 256 steps
        ({"update": 86}, 86 * 64 * 256),
        ({"path": "run/checkpoints/update-86"}, 86 * 64 * 256),
        ({"path": "sppo-ninja"}, None),
        ({"timesteps": 0, "update": 0}, None),  # imported: its file does not say
        ({"update": 0}, None),
    ],
)
def test_the_steps_are_those_that_were_trained(tmp_path: Path, agent: dict[str, Any], timesteps: int | None) -> None:
    recording = make_recording(tmp_path / "r", num_episodes=1, **{"config": PLAN, **agent})
    assert agent_info(recording).timesteps == timesteps


@pytest.mark.parametrize(("said", "layer"), [("fc.2", "fc.2"), ("", None), (7, None)])
def test_a_layer_without_a_name_is_not_known(tmp_path: Path, said: object, layer: str | None) -> None:
    assert agent_info(make_recording(tmp_path / "r", num_episodes=1, layer=said)).layer == layer
