"""Procgen's own options of a game: for training, evaluating and recording."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semantic_rl.cli import main
from semantic_rl.config import EnvConfig, TrainConfig
from semantic_rl.envs.procgen.games import OPTIONS
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
from semantic_rl.errors import UserError
from semantic_rl.recording.store import open_recording
from semantic_rl.training.resume_checks import check_same_settings, settings_of


def first_pictures(*options: str) -> np.ndarray:
    games = ProcgenVectorEnv(EnvConfig("coinrun", num_levels=1, start_level=5, env_args=options), 1, 0)
    try:
        for _ in range(6):
            games.act(np.array([7]))
            step = games.observe()
        return step.observation
    finally:
        games.close()


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("use_sequential_levels", "restrict_themes")])
def test_an_option_changes_what_the_agent_sees(name: str) -> None:
    assert (first_pictures(f"{name}={str(not OPTIONS[name]).lower()}") != first_pictures()).any()
    np.testing.assert_array_equal(first_pictures(f"{name}={str(OPTIONS[name]).lower()}"), first_pictures())


def test_equal_games_have_equal_settings() -> None:
    first = EnvConfig(env_args=("use_backgrounds=FALSE", "center_agent=true", "restrict_themes=true"))
    assert first == EnvConfig(env_args=("restrict_themes=true", "use_backgrounds=false"))
    assert first.options == {"use_backgrounds": False, "restrict_themes": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("use_background=false", "no option 'use_background'. Did you mean 'use_backgrounds'"),
        ("use_backgrounds=0", "got use_backgrounds=0, expected use_backgrounds=true or use_backgrounds=false"),
        ("use_backgrounds", "expected key=value"),
    ],
)
def test_a_wrong_option_is_refused(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "evaluate sppo-coinrun --episodes 1", "record sppo-coinrun --out r"):
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--env-args", text])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_a_run_of_an_earlier_version_goes_on_and_other_options_are_another_run() -> None:
    config = TrainConfig()
    before = settings_of(config)
    del before["env_args"]
    check_same_settings(Path("run"), {**before, "number of workers": 1}, config, 1)
    changed = TrainConfig(environment=EnvConfig(env_args=("use_backgrounds=false",)))
    with pytest.raises(UserError, match="env_args was '', is 'use_backgrounds=false'"):
        check_same_settings(Path("run"), {**before, "number of workers": 1}, changed, 1)


def test_options_of_training_and_recording_add_up_and_are_played_once_more(tmp_path: Path) -> None:
    few = "--num-envs 4 --num-steps 8 --num-minibatches 1 --num-epochs 1 --timesteps 32 --device cpu --num-threads 1"
    main(["train", *few.split(), "--env-args", "use_backgrounds=false", "--run-root", str(tmp_path)])
    (run,) = tmp_path.glob("sppo-*")
    written = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert written["config"]["env_args"] == "use_backgrounds=false"
    out = tmp_path / "recording"
    few = "--num-envs 2 --protocol explore --explore-steps 6 --frame-size 64"
    main(["record", str(run), *few.split(), "--env-args", "restrict_themes=true", "--out", str(out)])
    recording = open_recording(out)
    assert recording.spec.arguments["use_backgrounds"] is False
    assert recording.spec.arguments["restrict_themes"] is True
    environment = EnvConfig.from_settings(recording.description["environment"])
    assert environment.options == {"use_backgrounds": False, "restrict_themes": True}
    main(["evaluate", str(run), "--episodes", "1", "--env-args", "use_backgrounds=true", "--json"])


def test_an_agent_that_others_trained_plays_a_game(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    import gymnasium as gym

    class Still(gym.Env):
        observation_space = gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
        action_space = gym.spaces.Discrete(15)

    torch.manual_seed(0)
    sb3.PPO("CnnPolicy", Still(), n_steps=8, batch_size=8, device="cpu", seed=0).save(tmp_path / "ppo.zip")
    game = [str(tmp_path / "ppo.zip"), "--env", "fruitbot", "--num-levels", "3", "--env-args", "use_backgrounds=false"]
    out = tmp_path / "fruitbot"
    few = "--num-envs 3 --protocol explore --explore-steps 20 --frame-size 64 --keep-probability 1"
    main(["record", *game, *few.split(), "--out", str(out)])
    recording = open_recording(out)
    assert recording.num_states == 60
    assert recording.spec.id == "fruitbot"
    assert recording.features().shape == (60, 512)
    assert recording.has("level_seed")
    assert set(recording.table("level_seed")["level_seed"]) <= {0, 1, 2}
    capsys.readouterr()
    main(["evaluate", *game, "--episodes", "2", "--json", "--distribution-mode", "easy"])
    result = json.loads(capsys.readouterr().out)
    assert result["algorithm"] == "PPO"
    assert result["episodes"] == 2
    with pytest.raises(SystemExit):
        main(["record", *game, "--wrap", "frame-stack=4", "--out", str(tmp_path / "no")])
    assert "wrap: got ('frame-stack=4',), which Procgen's games do not have" in capsys.readouterr().err
