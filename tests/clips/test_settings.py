"""Every flag of `clips` reaches its setting and no other; the defaults are the original's numbers."""

from pathlib import Path
from typing import Any

import pytest

from semantic_rl.commands.parse import parse
from semantic_rl.config import ClipsConfig, ClipSettings, to_dict

VALUES: dict[str, Any] = {
    "frames": 96,
    "frames_per_second": 12,
    "min_shot": 3,
    "max_shot": 30,
    "success_fraction": 0.5,
    "max_episode_steps": 100,
    "all_episodes": True,
    "overlay": True,
    "video_size": 128,
    "animation_size": 96,
    "animation_frames": 48,
    "format": "gif",
    "seed": 3,
    "max_steps": 5000,
    "distribution_mode": "hard",
    "num_levels": 7,
    "start_level": 9,
    "level_seed": 97,
    "num_envs": 5,
    "device": "cpu",
    "precision": "fp32",
    "num_threads": 2,
    "names": "recordings/named",
    "clustering": "mlp-8",
    "keep_recording": True,
    "resume": True,
}


def parsed(*words: str) -> dict[str, Any]:
    return to_dict(parse(ClipsConfig, ["agent", "--out", "folder", *words], "clips"))


def test_the_values_cover_every_setting() -> None:
    assert set(VALUES) == set(to_dict(ClipsConfig(Path("a"), Path("o")))) - {"source", "out"}


@pytest.mark.parametrize("name", VALUES)
def test_a_flag_reaches_its_setting_and_no_other(name: str) -> None:
    value = VALUES[name]
    flag = "--" + name.replace("_", "-")
    default = parsed()
    assert default[name] != value
    assert parsed(flag, *([] if value is True else [str(value)])) == {**default, name: value}


def test_the_numbers_are_the_originals() -> None:
    settings = ClipSettings()
    assert (settings.frames, settings.frames_per_second) == (480, 8)
    assert (settings.min_shot, settings.max_shot, settings.success_fraction) == (5, 20, 0.8)
    assert settings.video_size == 256
