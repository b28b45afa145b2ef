"""The `EnvSpec` of a Gymnasium environment, read from its spaces, its metadata and a first step."""

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from semantic_rl.envs.gymnasium import calls
from semantic_rl.envs.gymnasium.make import EnvRecipe
from semantic_rl.envs.gymnasium.names import continuous_names, discrete_names, is_minigrid, number_labels
from semantic_rl.envs.gymnasium.observations import Leaf, find_leaves
from semantic_rl.envs.gymnasium.wrappers import actions_repeated
from semantic_rl.envs.spec import SEED_OF_RESET, ActionSpec, EnvSpec, ObservationPart
from semantic_rl.errors import UserError

SUCCESS_KEYS = ("is_success", "success")
"""Keys of `info` in which environments say whether the goal was reached."""
MINIGRID_SUCCESS = "the mission was fulfilled (the last reward is above 0)"
DEFAULT_STEPS_PER_SECOND = 15.0
ATARI_FRAMES_PER_SECOND = 60.0
DEFAULT_ATARI_FRAME_SKIP = 4
MOST_PROBED_STEPS = 100
"""Random steps in which an environment may show that it says in the last step alone whether the goal was reached."""
NEVER_SAY = ("gymnasium.envs.", "ale_py.")
"""Modules whose environments are known not to say it, so that they need not be played."""


def gymnasium_spec(env: gym.Env[Any, Any], recipe: EnvRecipe) -> EnvSpec:
    """Return the spec of an environment that `recipe` made; plays at most MOST_PROBED_STEPS, in another one.

    Raises UserError if the environment's spaces are not supported, or if it cannot be played.
    """
    return _spec(env, recipe, _success(recipe))


def spec_of_made(env: gym.Env[Any, Any]) -> EnvSpec:
    """Return the spec of an environment that a user has made; nothing is played, so success is not known.

    Raises UserError if the environment's spaces are not supported.
    """
    name = type(env.unwrapped).__name__ if env.spec is None else env.spec.id
    kwargs = {} if env.spec is None else env.spec.kwargs
    arguments = {key: value for key, value in kwargs.items() if isinstance(value, str | int | float | bool | None)}
    return _spec(env, EnvRecipe(name, arguments), None)


def _spec(env: gym.Env[Any, Any], recipe: EnvRecipe, success: str | None) -> EnvSpec:
    base = _base(env, recipe)
    leaves = find_leaves(env.observation_space, recipe.env)
    return EnvSpec(
        id=_without_folder(recipe.env),
        family="gymnasium",
        observation=tuple(_part(leaf, base, env.unwrapped) for leaf in leaves),
        action=_action(env, base, recipe.env),
        arguments={
            name: _without_folder(value) if isinstance(value, str) else value
            for name, value in recipe.arguments.items()
        },
        wrappers=recipe.wrapper_names,
        success=success,
        level=SEED_OF_RESET,
        steps_per_second=_steps_per_second(env, recipe),
    )


def _without_folder(text: str) -> str:
    """Return the name alone of a file that is named by its whole path: a recording says nothing of the machine."""
    kinds = (PurePosixPath(text), PureWindowsPath(text))
    is_whole = text.startswith("~") or any(path.is_absolute() for path in kinds)
    return (text.replace("\\", "/").rstrip("/").rpartition("/")[2] or text) if is_whole else text


def success_key(spec: EnvSpec) -> str | None:
    """Return the key of `info` that says whether an episode succeeded; None if none does."""
    return next((key for key in SUCCESS_KEYS if spec.success == _says(key)), None)


def _base(env: gym.Env[Any, Any], recipe: EnvRecipe) -> str:
    """Return the id without version and namespace; the name of the class where there is no id."""
    spec = env.spec
    return type(env.unwrapped).__name__ if spec is None else (spec.name or recipe.env)


def _part(leaf: Leaf, base: str, unwrapped: Any) -> ObservationPart:
    labels = number_labels(base, unwrapped, leaf.shape[0]) if len(leaf.shape) == 1 and not leaf.name else ()
    return ObservationPart(leaf.name, leaf.shape, leaf.dtype.name, labels)


def _action(env: gym.Env[Any, Any], base: str, name: str) -> ActionSpec:
    space = env.action_space
    match space:
        case spaces.Discrete():
            count = int(space.n)
            names, signs = discrete_names(base, env.unwrapped, count)
            return ActionSpec("discrete", (count,), names, signs)
        case spaces.MultiDiscrete():
            sizes = tuple(int(size) for size in space.nvec.ravel())
            return ActionSpec("multi_discrete", sizes, tuple(f"action {index}" for index in range(len(sizes))))
        case spaces.MultiBinary():
            count = int(np.prod(space.shape))
            return ActionSpec("multi_binary", (2,) * count, tuple(f"switch {index}" for index in range(count)))
        case spaces.Box():
            count = int(np.prod(space.shape))
            names = continuous_names(base, env.unwrapped, count)
            low, high = (tuple(map(float, bound.ravel())) for bound in (space.low, space.high))
            bounds = (low, high) if np.isfinite([low, high]).all() else ((), ())
            return ActionSpec("continuous", (count,), names, (), *bounds)
        case _:
            raise UserError(
                f"{name}: its actions, {space}, are not supported; expected Discrete, MultiDiscrete, MultiBinary or "
                "Box."
            )


def _in_the_first_step() -> str:
    return "in the first step"


def _sample(env: gym.Env[Any, Any], name: str) -> Any:
    """Return a random action; one that is allowed, if the environment says which are."""
    space = env.action_space
    if not calls.has_action_masks(env):
        return space.sample()
    masks = calls.action_masks(env, calls.num_choices(space), name, _in_the_first_step)
    if isinstance(space, spaces.Discrete):
        return space.start + np.flatnonzero(masks)[0]
    sizes = space.nvec.ravel() if isinstance(space, spaces.MultiDiscrete) else [2] * int(np.prod(space.shape or ()))
    chosen = np.array([part.argmax() for part in np.split(masks, np.cumsum(sizes)[:-1])], space.dtype)
    return chosen.reshape(space.shape or ()) + (space.start if isinstance(space, spaces.MultiDiscrete) else 0)


def _success(recipe: EnvRecipe) -> str | None:
    """Return what counts as success, as the environment itself says.

    A separate environment is made for this, since in some (Box2D) earlier episodes affect later ones.
    """
    env = recipe.make(render=False)
    try:
        if is_minigrid(env.unwrapped):
            return MINIGRID_SUCCESS
        _, info = calls.reset(env, 0, recipe.env)
        env.action_space.seed(0)
        is_over, later = _random_step(env, recipe.env)
        found = _success_in({**info, **later})
        is_known = type(env.unwrapped).__module__.startswith(NEVER_SAY)
        return found if found or is_over or is_known else _success_at_the_end(env, recipe.env)
    finally:
        calls.close(env)


def _random_step(env: gym.Env[Any, Any], name: str) -> tuple[bool, dict[str, Any]]:
    """Take a random step; return whether the episode has ended, and the step's info."""
    _, _, terminated, truncated, info = calls.step(env, _sample(env, name), name, _in_the_first_step)
    return terminated or truncated, info


def _success_at_the_end(env: gym.Env[Any, Any], name: str) -> str | None:
    """Play on, and return what the last step of the episode says of success, if it comes soon enough."""
    for _ in range(MOST_PROBED_STEPS):
        try:
            is_over, info = _random_step(env, name)
        except UserError:  # the environment does not stand random actions, which the agent will not take
            return None
        if is_over:
            return _success_in(info)
    return None


def _success_in(info: dict[str, Any]) -> str | None:
    """Return what an environment's info says of success."""
    return next((_says(key) for key in SUCCESS_KEYS if key in info), None)


def _says(key: str) -> str:
    return f"info['{key}']"


def _steps_per_second(env: gym.Env[Any, Any], recipe: EnvRecipe) -> float:
    metadata: Any = env.metadata
    frames: Any = metadata.get("render_fps") if isinstance(metadata, dict) else None  # pyright: ignore
    is_rate = isinstance(frames, int | float) and 0 < frames < np.inf
    rate = float(frames) if is_rate else DEFAULT_STEPS_PER_SECOND
    if hasattr(env.unwrapped, "ale"):
        skip = {} if env.spec is None else env.spec.kwargs
        rate = ATARI_FRAMES_PER_SECOND / float(np.mean(skip.get("frameskip", DEFAULT_ATARI_FRAME_SKIP)))
    return min(max(rate / actions_repeated(recipe.wrappers), 0.1), 1000.0)
