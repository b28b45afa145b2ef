"""Environments are made from an id or a user's function; what is wrong with a name is said with the way out."""

import pickle
import sys
from pathlib import Path

import pytest

from semantic_rl.envs.gymnasium.make import EnvRecipe, open_recipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.envs.spec import Scalar
from semantic_rl.errors import UserError

MINE = """
import gymnasium
from neighbour import NAME

def make_env(render_mode=None, **arguments):
    return gymnasium.make(NAME, render_mode=render_mode, **arguments)

def plain():
    return gymnasium.make(NAME)

def wrong():
    return 3

def broken():
    return gymnasium.make("Nothing-v0")
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    (tmp_path / "neighbour.py").write_text('NAME = "CartPole-v1"\n', encoding="utf-8")
    return path


def make(env: str, **arguments: Scalar) -> EnvRecipe:
    recipe = open_recipe(env, arguments, (), None, None)
    recipe.make(render=False).close()
    return recipe


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ("LunarLander-v2", "does not have; expected 'LunarLander-v3'"),
        ("LunrLander-v3", "Did you mean 'LunarLander-v3'"),
        ("CartPole", "expected 'CartPole-v1'"),
        ("ALE/Breakou-v5", "Did you mean 'ALE/Breakout-v5'"),
        ("MiniGrid-DorKey-5x5-v0", "Did you mean 'MiniGrid-DoorKey-5x5-v0'"),
        ("nowhere:CartPole-v1", "module 'nowhere' cannot be imported"),
        ("Hopper-v2", "does not have; expected 'Hopper-v5'"),
        ("", "the id of a Gymnasium environment"),
    ],
)
def test_an_unknown_environment_is_refused_with_the_nearest(env: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refusal:
        make(env)
    assert "\n" not in str(refusal.value)


def test_arguments_reach_the_environment() -> None:
    assert make("LunarLander-v3", continuous=True).make(render=False).action_space.shape == (2,)
    with pytest.raises(UserError, match=r"has no argument 'continous'.*Did you mean 'continuous'"):
        make("LunarLander-v3", continous=True)
    with pytest.raises(UserError, match=r"cannot be made with \{'gravity': 5\}"):
        make("LunarLander-v3", gravity=5)


@pytest.mark.parametrize(
    ("env", "package", "extra"),
    [
        ("LunarLander-v3", "Box2D", r"pip install 'semantic-rl\[box2d\]'"),
        ("ALE/Pong-v5", "ale_py", r"pip install 'semantic-rl\[atari\]'"),
        ("PongNoFrameskip-v4", "ale_py", r"pip install 'semantic-rl\[atari\]'"),
        ("MiniGrid-Empty-5x5-v0", "minigrid", r"pip install 'semantic-rl\[minigrid\]'"),
        ("Hopper-v5", "mujoco", r"pip install 'semantic-rl\[mujoco\]'"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    env: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("gymnasium.envs.box2d", "gymnasium.envs.mujoco"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=extra):
        make(env)


def test_a_function_of_the_users_own_is_run_and_it_is_said_once(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine.parent)
    recipe = open_recipe("mine.py:make_env", {"sutton_barto_reward": True}, (), None, None)
    assert [note for note in recipe.notes if "is run" in note] == list(recipe.notes)
    monkeypatch.chdir("/")
    again: EnvRecipe = pickle.loads(pickle.dumps(recipe))
    env = GymnasiumEnv(again, render=True)
    env.begin(0)
    assert env.frames().shape == (1, 400, 600, 3)
    assert env.spec.id == "mine.py:make_env"
    assert env.spec.action.names == ("push left", "push right")
    env.close()


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("make_enw", "has no function 'make_enw'. Did you mean 'make_env'"),
        ("wrong", "returns a int, expected a gymnasium.Env"),
        ("broken", "line 15 raised NameNotFound"),
    ],
)
def test_a_wrong_function_is_refused(mine: Path, function: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refusal:
        make(f"{mine}:{function}")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        make(f"{tmp_path}/none.py:make_env")


def test_an_environment_without_pictures_is_refused_only_where_they_are_wanted(mine: Path) -> None:
    recipe = make(f"{mine}:plain")
    with pytest.raises(UserError, match="--frame-size 0"):
        recipe.make(render=True)


def test_a_game_that_repeats_actions_itself_is_noted() -> None:
    assert any("frameskip=1" in note for note in open_recipe("ALE/Pong-v5", {}, ("atari",), None, None).notes)
    assert not open_recipe("ALE/Pong-v5", {"frameskip": 1}, ("atari",), None, None).notes
    assert not open_recipe("PongNoFrameskip-v4", {}, ("atari",), None, None).notes
