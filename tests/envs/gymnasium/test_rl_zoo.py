"""What an rl-zoo folder says of an environment is read without executing what its YAML asks for."""

from pathlib import Path

import pytest

from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.gymnasium.rl_zoo import read_zoo_folder
from semantic_rl.errors import UserError

ATARI = """
!!python/object/apply:collections.OrderedDict
- - - batch_size
    - 256
  - - env_wrapper
    - - stable_baselines3.common.atari_wrappers.AtariWrapper
  - - frame_stack
    - 4
  - - policy
    - CnnPolicy
"""
ARGUMENTS = """
!!python/object/apply:collections.OrderedDict
- - - algo
    - ppo
  - - env_kwargs
    - frameskip: 1
  - - log_folder
    - !!python/object/apply:pathlib.PosixPath
      - logs
"""


def zoo(folder: Path, config: str, arguments: str = "", name: str = "ALE-Breakout-v5") -> Path:
    """Write a folder as rl-baselines3-zoo does and return the path of the agent beside it."""
    made = folder / name
    made.mkdir(exist_ok=True)
    (made / "config.yml").write_text(config, encoding="utf-8")
    if arguments:
        (made / "args.yml").write_text(arguments, encoding="utf-8")
    return folder / f"{name}.zip"


def test_the_wrappers_and_arguments_come_from_the_folder_beside_the_zip(tmp_path: Path) -> None:
    agent = zoo(tmp_path, ATARI, ARGUMENTS)
    recipe = open_recipe("ALE/Breakout-v5", {}, (), agent, None)
    assert recipe.wrapper_names == ("atari", "frame-stack=4")
    assert dict(recipe.arguments) == {"frameskip": 1}
    assert recipe.zoo_folder == tmp_path / "ALE-Breakout-v5"
    assert any("ALE-Breakout-v5" in note for note in recipe.notes)
    assert recipe.make(render=False).observation_space.shape == (84, 84, 4)


def test_what_the_user_names_goes_first(tmp_path: Path) -> None:
    agent = zoo(tmp_path, ATARI, ARGUMENTS)
    recipe = open_recipe("ALE/Breakout-v5", {"frameskip": 2}, ("grayscale",), agent, None)
    assert recipe.wrappers == ("grayscale",)
    assert dict(recipe.arguments) == {"frameskip": 2}


def test_a_zip_in_the_folder_itself_and_a_plain_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(
        "env_wrapper:\n- minigrid.wrappers.FlatObsWrapper\n- rl_zoo3.wrappers.FrameSkip:\n    skip: 2\n",
        encoding="utf-8",
    )
    (tmp_path / "env_kwargs.yml").write_text("agent_view_size: 5\n", encoding="utf-8")
    recipe = open_recipe("MiniGrid-Empty-5x5-v0", {}, (), tmp_path / "best_model.zip", None)
    assert recipe.wrappers == ("flat", "frame-skip=2")
    assert dict(recipe.arguments) == {"agent_view_size": 5}


def test_without_a_folder_nothing_is_added(tmp_path: Path) -> None:
    recipe = open_recipe("CartPole-v1", {}, (), tmp_path / "ppo.zip", None)
    assert (recipe.wrapper_names, recipe.zoo_folder, recipe.notes) == ((), None, ())


def test_an_unknown_wrapper_is_named_with_the_way_out(tmp_path: Path) -> None:
    agent = zoo(tmp_path, "env_wrapper: rl_zoo3.wrappers.MaskVelocityWrapper\n", name="CartPole-v1")
    with pytest.raises(UserError, match=r"rl_zoo3\.wrappers\.MaskVelocityWrapper.*--wrap"):
        open_recipe("CartPole-v1", {}, (), agent, None)
    assert open_recipe("CartPole-v1", {}, ("flatten",), agent, None).wrappers == ("flatten",)


@pytest.mark.parametrize(
    ("normalize", "is_missing"),
    [
        ("true", True),
        ("'{''norm_obs'': True, ''norm_reward'': False}'", True),
        ("'{''norm_obs'': False, ''norm_reward'': True}'", False),
        ("{norm_obs: false}", False),
        ("false", False),
    ],
)
def test_statistics_that_are_missing_are_asked_for(tmp_path: Path, normalize: str, is_missing: bool) -> None:
    zoo(tmp_path, f"normalize: {normalize}\n", name="Pendulum-v1")
    if is_missing:
        with pytest.raises(UserError, match="--vec-normalize"):
            read_zoo_folder(tmp_path / "Pendulum-v1", True)
    else:
        assert read_zoo_folder(tmp_path / "Pendulum-v1", True).vec_normalize is None


@pytest.mark.parametrize(
    "crime",
    [
        "!!python/object/apply:os.system\n- touch {trace}\n",
        "env_wrapper: !!python/object/apply:os.system [touch {trace}]\n",
        "env_wrapper: !!python/object/new:os.system [touch {trace}]\n",
        "? !!python/object/apply:os.system [touch {trace}]\n: 1\n",
        "env_wrapper: [unclosed\n",
        "a: &a [1\n",
        "- " * 3000 + "1\n",
        "\x00",
        "env_wrapper: [{{}}]",
        "frame_stack: [4]\n",
    ],
)
def test_nothing_is_executed_and_a_damaged_file_ends_in_one_line(tmp_path: Path, crime: str) -> None:
    trace = tmp_path / "trace"
    agent = zoo(tmp_path, crime.format(trace=trace), name="CartPole-v1")
    try:
        open_recipe("CartPole-v1", {}, (), agent, None)
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017
    assert not trace.exists()
