"""Calls an environment's own code, and turns whatever it raises into one UserError.

The code is somebody else's and may raise anything.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from semantic_rl.envs.gymnasium.ids import missing_package
from semantic_rl.errors import UserError
from semantic_rl.user_code import exception_in_words

WITHOUT_PICTURES = "--frame-size 0 records without pictures"


def reset(env: gym.Env[Any, Any], seed: int, name: str) -> tuple[Any, dict[str, Any]]:
    """Begin an episode; `name` says in messages which environment it is.

    Raises UserError if the environment does not accept a seed, does not return an observation with its `info`, or
    raises an exception.
    """
    try:
        found: Any = env.reset(seed=seed)
    except Exception as error:
        if not _accepts_seeds(env):
            raise UserError(
                f"{name}: its reset does not accept a seed, so no episode could be replayed; give it the "
                "arguments of Gymnasium's reset(*, seed=None, options=None)."
            ) from error
        raise UserError(f"{name}: its reset with seed {seed} failed: {exception_in_words(error)}") from error
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)):  # type: ignore[arg-type]
        raise UserError(f"{name}: its reset returns {_kind(found)}, expected (observation, info), as in Gymnasium.")
    return found  # pyright: ignore[reportReturnType]


def step(env: gym.Env[Any, Any], action: Any, name: str, where: Callable[[], str]) -> tuple[Any, Any, bool, bool, Any]:
    """Take a step; raises UserError, which says `where`, if the environment raises or returns something else."""
    try:
        found: Any = env.step(action)
    except Exception as error:
        raise UserError(f"{name}: its step failed {where()}: {exception_in_words(error)}") from error
    if type(found) is not tuple or len(found) != 5:  # type: ignore[arg-type]
        raise UserError(
            f"{name}: its step returns {_kind(found)}, expected (observation, reward, terminated, truncated, info), as "
            "in Gymnasium."
        )
    if not isinstance(found[4], dict):
        raise UserError(f"{name}: the info that its step returns is a {type(found[4]).__name__}, expected a dict.")
    if found[2].__class__ is bool and found[3].__class__ is bool:
        return found  # pyright: ignore[reportReturnType]
    ends = (as_flag(found[index], name, kind, where) for index, kind in ((2, "terminated"), (3, "truncated")))
    return *found[:2], *ends, found[4]  # pyright: ignore[reportReturnType]


def as_flag(value: Any, name: str, kind: str, where: Callable[[], str]) -> bool:
    """Return a truth value, a number or an array of one of them as a bool; nothing and NaN are False.

    `kind` says what it is; raises UserError if it is something else.
    """
    array = np.asarray(False if value is None else value)
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise UserError(f"{name}: {kind} {where()} is {str(value)[:40]!r}, expected True or False.")
    number = array.item()
    return number == number and bool(number)  # NaN differs from itself


def close(env: gym.Env[Any, Any]) -> None:
    """Free an environment that is no longer needed; what it raises then changes nothing that it has played."""
    with suppress(Exception):
        env.close()


def has_action_masks(env: gym.Env[Any, Any]) -> bool:
    """Say whether an environment, or a wrapper around it, has a method `action_masks`, as in sb3-contrib."""
    if isinstance(env.action_space, spaces.Box):  # it has no choices
        return False
    try:
        return callable(env.get_wrapper_attr("action_masks"))
    except AttributeError:
        return False


def num_choices(space: gym.Space[Any]) -> int:
    """Return how many choices a discrete, multi-discrete or binary action has in all its parts."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(space.nvec.sum()) if isinstance(space, spaces.MultiDiscrete) else 2 * int(np.prod(space.shape or ()))


def action_masks(env: gym.Env[Any, Any], count: int, name: str, where: Callable[[], str]) -> NDArray[np.bool_]:
    """Return which actions are allowed: a mark for each of the `count` choices of its action; see `num_choices`."""
    try:
        masks = np.asarray(env.get_wrapper_attr("action_masks")(), np.bool_).ravel()
    except Exception as error:
        raise UserError(f"{name}: its action_masks failed {where()}: {exception_in_words(error)}") from error
    if len(masks) != count:
        raise UserError(
            f"{name}: its action_masks return {len(masks)} marks {where()}, expected {count}, one for each choice of "
            "its action."
        )
    if not masks.any():
        raise UserError(f"{name}: its action_masks allow no action {where()}.")
    return masks


def render(env: gym.Env[Any, Any], name: str) -> Any:
    """Return what an environment draws; raises UserError if it cannot."""
    try:
        return env.render()
    except gym.error.DependencyNotInstalled as error:
        reason = missing_package(type(env.unwrapped), error)
        raise UserError(f"{name} cannot be drawn: {reason}; {WITHOUT_PICTURES}.") from error
    except Exception as error:
        raise UserError(f"{name} cannot be drawn: {exception_in_words(error)}; {WITHOUT_PICTURES}.") from error


def _accepts_seeds(env: gym.Env[Any, Any]) -> bool:
    parameters = inspect.signature(env.unwrapped.reset).parameters
    return "seed" in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def _kind(value: Any) -> str:
    return f"{len(value)} values" if isinstance(value, tuple) else f"a {type(value).__name__}"  # type: ignore[arg-type]
