"""Pictures made after the fact are those that would have been recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

from semantic_rl.config import EnvConfig
from semantic_rl.errors import UserError
from semantic_rl.recording.record import record_policy
from semantic_rl.recording.record.replay import render_states
from semantic_rl.recording.store import Recording, open_recording

from .conftest import GAME, config, make_policy


@pytest.mark.parametrize("env", ["fruitbot", "dodgeball", "starpilot"])
def test_pictures_made_afterwards_are_those_of_the_recorder(tmp_path: Path, env: str) -> None:
    """In dodgeball a level does not begin the same after every other; only the environment's whole history is exact."""
    game = EnvConfig(env=env, num_levels=20)
    for name, size in (("with", 64), ("without", 0)):
        record_policy(make_policy(), game, config(tmp_path / name, states=700, num_envs=4, frame_size=size))
    recorded, plain = open_recording(tmp_path / "with"), open_recording(tmp_path / "without")
    rows = list(range(3, plain.num_states, 31))
    told: list[tuple[int, int]] = []
    pictures = render_states(plain, rows, 64, lambda done, total: told.append((done, total)))
    assert pictures == {row: recorded.picture(row) for row in rows}
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_of_no_states_there_are_no_pictures(recording: Recording) -> None:
    assert render_states(recording, [], 64) == {}


def test_a_recording_with_gaps_cannot_be_played_again(tmp_path: Path) -> None:
    record_policy(make_policy(), GAME, config(tmp_path / "r", protocol="explore", explore_steps=5))
    with pytest.raises(UserError, match="--protocol explore', which leaves out steps"):
        render_states(open_recording(tmp_path / "r"), [0], 64)


def test_that_the_game_plays_out_differently_is_noticed(tmp_path: Path) -> None:
    record_policy(make_policy(), GAME, config(tmp_path / "r", states=60))
    file = tmp_path / "r" / "recording.json"
    description = json.loads(file.read_text())
    description["settings"]["seed"] += 1
    file.write_text(json.dumps(description))
    with pytest.raises(UserError, match="another frame in row"):
        render_states(open_recording(tmp_path / "r"), np.arange(10).tolist(), 64)
