"""Makes Gymnasium environments: from an id or a user's function, with arguments and wrappers."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from semantic_rl.envs.gymnasium.calls import WITHOUT_PICTURES, close
from semantic_rl.envs.gymnasium.ids import find_id, missing_package, newest_version
from semantic_rl.envs.gymnasium.rl_zoo import find_vec_normalize, find_zoo_folder, read_zoo_folder
from semantic_rl.envs.gymnasium.vec_normalize import VecNormalizeStatistics, read_vec_normalize
from semantic_rl.envs.gymnasium.wrappers import check_wrapper, wrap_env
from semantic_rl.envs.spec import Scalar
from semantic_rl.errors import UserError, nearest
from semantic_rl.input_places import shown_path
from semantic_rl.user_code import UserFunction, call_user_function, exception_in_words, user_function

NORMALIZE = "vec-normalize"
"""Name of the normalisation in a chain of wrappers, the outermost."""


@dataclass(frozen=True)
class EnvRecipe:
    """How an environment is made; can be pickled."""

    env: str
    """What the user named: an id, or `file.py:function`."""
    arguments: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    wrappers: tuple[str, ...] = ()
    """Wrappers as the user names them, the innermost first."""
    function: UserFunction | None = None
    """The user's function, with its file's whole path, if the user named one."""
    vec_normalize: Path | None = None
    """The file that normalises what the agent sees."""
    zoo_folder: Path | None = None
    """The folder of rl-baselines3-zoo that this comes from, if it does."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should read once."""

    def make(self, render: bool) -> gym.Env[Any, Any]:
        """Make the environment; with `render`, its `render` returns pictures.

        Raises UserError if it cannot be made, or draws no pictures.
        """
        env = self._from_function(render) if self.function is not None else self._from_id(render)
        if render and env.render_mode != "rgb_array":
            close(env)
            raise UserError(f"{self.env} draws no pictures (render_mode rgb_array); {WITHOUT_PICTURES}.")
        for wrapper in self.wrappers:
            env = wrap_env(env, wrapper)
        return env

    @property
    def wrapper_names(self) -> tuple[str, ...]:
        """The whole chain around the environment, the innermost first."""
        return self.wrappers if self.vec_normalize is None else (*self.wrappers, NORMALIZE)

    def normalizer(self) -> VecNormalizeStatistics | None:
        """Return what normalises the agent's observations; None if nothing does."""
        return None if self.vec_normalize is None else read_vec_normalize(self.vec_normalize)

    def _from_id(self, render: bool) -> gym.Env[Any, Any]:
        name = find_id(self.env)
        entry_point = gym.registry[name].entry_point
        # The recorder calls reset, step and render in their order and checks what they return.
        spec = replace(gym.registry[name], order_enforce=False, disable_env_checker=True)
        mode = {"render_mode": "rgb_array"} if render else {}
        try:
            return gym.make(spec, **mode, **dict(self.arguments))  # type: ignore[arg-type]
        except gym.error.DependencyNotInstalled as error:
            raise UserError(f"{self.env}: {missing_package(entry_point, error)}.") from error
        except Exception as error:  # whatever the environment's own code raises
            raise UserError(self._not_made(error, entry_point)) from error

    def _not_made(self, error: Exception, entry_point: Any) -> str:
        if isinstance(error, TypeError) and "unexpected keyword argument" in str(error):
            known = _argument_names(entry_point)
            wrong = [name for name in self.arguments if known and name not in known]
            if wrong:
                expected = ", ".join(sorted(known)) or "none"
                return (
                    f"env_args: {self.env} has no argument '{wrong[0]}', expected {expected}.{nearest(wrong[0], known)}"
                )
        newest = newest_version(self.env)
        if isinstance(error, ImportError) and newest not in (None, self.env):
            return f"env: got '{self.env}', which Gymnasium {gym.__version__} does not have; expected '{newest}'."
        with_arguments = f" with {dict(self.arguments)}" if self.arguments else ""
        return f"{self.env} cannot be made{with_arguments}: {exception_in_words(error)}"

    def _from_function(self, render: bool) -> gym.Env[Any, Any]:
        assert self.function is not None
        made = call_user_function(self.function, self.arguments, {"render_mode": "rgb_array" if render else None})
        if not isinstance(made, gym.Env):
            raise UserError(f"{self.env} returns a {type(made).__name__}, expected a gymnasium.Env.")
        return made  # pyright: ignore[reportUnknownVariableType]


def open_recipe(
    env: str, env_args: Mapping[str, Scalar], wrap: Sequence[str], agent_path: Path | None, vec_normalize: Path | None
) -> EnvRecipe:
    """Return the recipe of what a user names, with what an rl-zoo folder beside the agent's zip says.

    Arguments that the user names take precedence over those of the folder; wrappers replace all of the folder's. Raises
    UserError if there is no such environment or wrapper, or if a file cannot be read. The environment is not yet made.
    """
    function, notes = user_function(env), list[str]()
    if function is not None:
        function = UserFunction(function.path.resolve(), function.name)
        notes.append(f"{shown_path(function.path)} is run, as Python runs any program.")
    else:
        find_id(env)
    arguments, wrappers, zoo_folder = dict(env_args), tuple(wrap), None
    if agent_path is not None and agent_path.suffix == ".zip":
        zoo_folder = find_zoo_folder(agent_path, env)
        if zoo_folder is not None:
            zoo = read_zoo_folder(zoo_folder, not wrap)
            arguments, wrappers = zoo.arguments | arguments, wrappers or zoo.wrappers
            vec_normalize = vec_normalize or zoo.vec_normalize
            notes.append(f"How the environment is made comes from {shown_path(zoo_folder)}.")
        vec_normalize = vec_normalize or find_vec_normalize(agent_path)
    for wrapper in wrappers:
        check_wrapper(wrapper)
    if vec_normalize is not None:
        vec_normalize = vec_normalize.resolve()
        read_vec_normalize(vec_normalize)
        notes.append(f"The agent's observations are normalised by {shown_path(vec_normalize)}.")
    if any(name.partition("=")[0] == "atari" for name in wrappers) and _skips_frames(env, arguments):
        notes.append(
            f"{env} repeats each action itself, and 'atari' repeats it on top of that; with --env-args frameskip=1 it "
            "repeats nothing itself."
        )
    return EnvRecipe(env, arguments, wrappers, function, vec_normalize, zoo_folder, tuple(notes))


def _skips_frames(env: str, arguments: Mapping[str, Scalar]) -> bool:
    """Say whether a game of the Arcade Learning Environment repeats actions."""
    name = env.rpartition(":")[2]
    made_with = gym.registry[name].kwargs if name in gym.registry else {}
    return arguments.get("frameskip", made_with.get("frameskip", 1)) != 1


def _argument_names(entry_point: Any) -> list[str]:
    """Return the names of an environment's arguments; nothing if it accepts any."""
    try:
        creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
        parameters = inspect.signature(creator).parameters.values()
    except (ImportError, AttributeError, ValueError, TypeError):
        return []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return []
    return [parameter.name for parameter in parameters if parameter.name not in ("self", "render_mode")]
