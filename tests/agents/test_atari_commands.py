"""An agent of an Atari game from the zip to its clusters, by the commands that a user types."""

import io
from pathlib import Path

import pytest
from PIL import Image

from semantic_rl.cli import main
from semantic_rl.recording.record import make
from semantic_rl.recording.store import open_recording

ENV = ("--env", "ALE/Breakout-v5", "--env-args", "frameskip=1", "--wrap", "atari", "frame-stack=4")
STEPS = ("--protocol", "explore", "--explore-steps", "60", "--num-envs", "2", "--seed", "3")


@pytest.fixture(scope="module")
def zip_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent that has learned nothing, saved by the library."""
    pytest.importorskip("ale_py")
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    environments = VecFrameStack(make_atari_env("ALE/Breakout-v5", 1, env_kwargs={"frameskip": 1}), 4)
    path = tmp_path_factory.mktemp("atari") / "a2c.zip"
    sb3.A2C("CnnPolicy", environments, device="cpu", seed=0).save(path)
    environments.close()
    return path


def test_record_fit_and_figures_of_an_atari_agent(zip_: Path, tmp_path: Path) -> None:
    out = tmp_path / "breakout"
    main(["record", str(zip_), *ENV, *STEPS, "--out", str(out)])
    recording = open_recording(out)
    assert recording.observation(0).shape == (84, 84, 4)
    with Image.open(io.BytesIO(recording.picture(0))) as picture:
        assert picture.size == (160, 210)
    assert recording.features().shape == (recording.num_states, 512)
    assert recording.picture(0) != recording.picture(recording.num_states - 1)
    main(["fit", str(out), "--codes", "3", "--steps", "50"])
    main(["figures", "clusters", str(out), "--out", str(tmp_path / "figures")])
    assert list((tmp_path / "figures").glob("*.png"))


def test_pictures_taken_while_playing_are_those_of_playing_once_more(
    zip_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["record", str(zip_), *ENV, *STEPS, "--out", str(tmp_path / "playing")])
    monkeypatch.setattr(make, "_is_rendered_afterwards", lambda *_: True)
    main(["record", str(zip_), *ENV, *STEPS, "--out", str(tmp_path / "afterwards")])
    files = sorted(
        path.relative_to(tmp_path / "playing") for path in (tmp_path / "playing").rglob("*") if path.is_file()
    )
    assert Path("frames/pictures-00000.arrow") in files
    for file in files:
        assert (tmp_path / "playing" / file).read_bytes() == (tmp_path / "afterwards" / file).read_bytes(), file
