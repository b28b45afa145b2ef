"""Environments that allow only some actions, and say in words what happened."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_rl.cli import main
from semantic_rl.recording.record.actions import random_actions
from semantic_rl.recording.store import open_recording

CORRIDOR = '''
import gymnasium as gym
import numpy as np


class Corridor(gym.Env):
    """At odd places only the upper half of the actions is allowed, at even places only the lower; others raise."""

    observation_space = gym.spaces.Box(0, 1, (8,), np.float32)
    action_space = gym.spaces.Discrete(4)

    def action_masks(self):
        return np.array([self.place % 2 == 0] * 2 + [self.place % 2 == 1] * 2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(3))
        return np.eye(8, dtype=np.float32)[self.place], {}

    def step(self, action):
        if not self.action_masks()[action]:
            raise ValueError(f"action {action} is not allowed at {self.place}")
        was = "odd" if self.place % 2 else "even"
        self.place += 1
        text = NUMBER if NUMBER and self.place == 5 else was
        return np.eye(8, dtype=np.float32)[self.place], float(action), self.place == 7, False, {"was": text}


NUMBER = 0


def make_env():
    return Corridor()


def make_changing_env():
    global NUMBER
    NUMBER = 5
    return Corridor()
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's file, and a MaskablePPO that has learned nothing."""
    contrib = pytest.importorskip("sb3_contrib")
    folder = tmp_path_factory.mktemp("masks")
    (folder / "corridor.py").write_text(CORRIDOR, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(CORRIDOR, names)
    contrib.MaskablePPO("MlpPolicy", names["make_env"](), seed=0, n_steps=8, device="cpu").save(folder / "agent.zip")
    return folder


@pytest.mark.parametrize("more", [(), ("--deterministic",), ("--protocol", "explore", "--explore-steps", "40")])
def test_only_allowed_actions_are_taken(folder: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    amount = () if "explore" in more else ("--states", "100")
    env = f"{folder / 'corridor.py'}:make_env"
    out = tmp_path / "out"
    command = [
        "record",
        str(folder / "agent.zip"),
        "--env",
        env,
        *amount,
        *more,
        "--num-envs",
        "3",
        "--frame-size",
        "0",
    ]
    main([*command, "--info", "was", "--out", str(out)])
    recording = open_recording(out)
    table = recording.table("action", "was", "log_prob")
    place = np.stack([recording.observation(row) for row in range(recording.num_states)]).argmax(1)
    assert len(set(place.tolist())) > 4
    np.testing.assert_array_equal(table["action"].to_numpy() >= 2, place % 2 == 1)
    assert table["was"].to_list() == ["odd" if at % 2 else "even" for at in place]
    probability = np.exp(np.stack(table["log_prob"].to_list()))
    np.testing.assert_allclose(probability[np.arange(len(place)), np.where(place % 2, 0, 3)], 0)


def test_evaluate_takes_only_allowed_actions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(folder / "agent.zip"), "--env", f"{folder / 'corridor.py'}:make_env", "--episodes", "3"])
    assert "mean length" in capsys.readouterr().out  # the environment raises on any other action


def test_a_key_that_is_a_text_and_a_number_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = f"{folder / 'corridor.py'}:make_changing_env"
    with pytest.raises(SystemExit) as stopped:
        main(["record", str(folder / "agent.zip"), "--env", env, "--states", "20", "--frame-size", "0", "--info", "was",
              "--out", str(tmp_path / "out")])  # fmt: skip
    assert stopped.value.code == 2
    assert "info: 'was' is '5' in step" in capsys.readouterr().err


def test_random_actions_are_allowed_ones(folder: Path) -> None:
    from semantic_rl.envs.spec import ActionSpec

    generator = np.random.default_rng(0)
    masks = np.array([[False, True, False, True, True]] * 200)
    drawn = random_actions(ActionSpec("multi_discrete", (2, 3), ("first", "second")), generator, 200, masks)
    assert set(drawn[:, 0]) == {1}
    assert set(drawn[:, 1]) == {1, 2}
    single = random_actions(ActionSpec("discrete", (5,), tuple("abcde")), generator, 200, masks)
    assert set(single) == {1, 3, 4}
