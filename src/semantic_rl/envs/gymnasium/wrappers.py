"""Wrappers by the names that users give them: `atari`, `frame-stack=4`."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import wrappers

from semantic_rl.envs.gymnasium.atari import DEFAULT_SKIP, AtariPreprocessing
from semantic_rl.envs.gymnasium.frame_stack import FrameStack
from semantic_rl.errors import UserError, nearest, on_one_line

Env = gym.Env[Any, Any]
MOST = 1_000_000_000
MINIGRID = ("minigrid.wrappers", "minigrid")


class Wrapping(NamedTuple):
    """A wrapper that a user can name."""

    wrap: Callable[[Env, int], Env]
    """Gets the environment and the number."""
    number: Literal["none", "needed", "optional"] = "none"
    default: int = 0


def _gymnasium(name: str, number_is: str = "", **arguments: Any) -> Callable[[Env, int], Env]:
    """Return a wrapper of Gymnasium, to which the number is given as the argument `number_is`."""

    def wrap(env: Env, number: int) -> Env:
        numbers = {number_is: number} if number_is else {}
        return getattr(wrappers, name)(env, **numbers, **arguments)

    return wrap


def _resize(env: Env, side: int) -> Env:
    return wrappers.ResizeObservation(env, (side, side))  # pyright: ignore[reportUnknownVariableType]


def _from(module: str, extra: str, name: str) -> Callable[[Env, int], Env]:
    """Return a wrapper of a package that one of our extras installs."""

    def wrap(env: Env, number: int) -> Env:
        try:
            found = import_module(module)
        except ImportError as error:
            raise UserError(f"wrap: {name} needs {module}: pip install 'semantic-rl[{extra}]'.") from error
        return getattr(found, name)(env)

    return wrap


class FrameSkip(gym.Wrapper[Any, Any, Any, Any]):
    """Repeats each action and adds up the rewards."""

    def __init__(self, env: Env, skip: int) -> None:
        super().__init__(env)
        self._skip = skip

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Repeat an action."""
        total = 0.0
        for _ in range(self._skip - 1):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                return observation, total, terminated, truncated, info
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, total + float(reward), terminated, truncated, info


WRAPPERS: dict[str, Wrapping] = {
    # general
    "frame-stack": Wrapping(FrameStack, "needed"),
    "frame-stack-first": Wrapping(_gymnasium("FrameStackObservation", "stack_size"), "needed"),
    "frame-skip": Wrapping(FrameSkip, "needed"),
    "time-limit": Wrapping(_gymnasium("TimeLimit", "max_episode_steps"), "needed"),
    "flatten": Wrapping(_gymnasium("FlattenObservation")),
    "time-aware": Wrapping(_gymnasium("TimeAwareObservation")),
    "time-feature": Wrapping(_from("sb3_contrib.common.wrappers", "sb3", "TimeFeatureWrapper")),
    "clip-action": Wrapping(_gymnasium("ClipAction")),
    "rescale-action": Wrapping(_gymnasium("RescaleAction", min_action=np.float32(-1), max_action=np.float32(1))),
    # images
    "grayscale": Wrapping(_gymnasium("GrayscaleObservation", keep_dim=True)),
    "resize": Wrapping(_resize, "needed"),
    "atari": Wrapping(AtariPreprocessing, "optional", DEFAULT_SKIP),
    # MiniGrid
    "image": Wrapping(_from(*MINIGRID, "ImgObsWrapper")),
    "flat": Wrapping(_from(*MINIGRID, "FlatObsWrapper")),
    "full-view": Wrapping(_from(*MINIGRID, "FullyObsWrapper")),
    "one-hot": Wrapping(_from(*MINIGRID, "OneHotPartialObsWrapper")),
    "pixels": Wrapping(_from(*MINIGRID, "RGBImgPartialObsWrapper")),
    "full-pixels": Wrapping(_from(*MINIGRID, "RGBImgObsWrapper")),
}
"""Wrappers by name. `frame-stack` stacks along the last axis, as Stable-Baselines3 does; `frame-stack-first` along a
new first one, as Gymnasium and CleanRL do. The number of `atari` is how often it repeats an action."""


def check_wrapper(text: str) -> tuple[Wrapping, int]:
    """Return the wrapper that a text such as frame-stack=4 names, and its number.

    Raises UserError if there is none of that name, with the nearest name, or if the number is missing or wrong.
    """
    name, equals, value = text.partition("=")
    if name not in WRAPPERS:
        raise UserError(f"wrap: got '{on_one_line(text)}', expected one of {', '.join(WRAPPERS)}."
                        f"{nearest(name, list(WRAPPERS))}")  # fmt: skip
    wrapping = WRAPPERS[name]
    if not equals:
        if wrapping.number == "needed":
            raise UserError(f"wrap: got '{name}', expected a number with it, such as {name}=4.")
        return wrapping, wrapping.default
    if wrapping.number == "none":
        raise UserError(f"wrap: got '{on_one_line(text)}', expected {name} without a number.")
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:12]) <= MOST):
        raise UserError(f"wrap: got '{on_one_line(text)}', expected a whole number above 0, such as {name}=4.")
    return wrapping, int(value)


def wrap_env(env: Env, text: str) -> Env:
    """Return an environment in the wrapper that a text names; raises UserError if that does not fit it."""
    wrapping, number = check_wrapper(text)
    try:
        return wrapping.wrap(env, number)
    except gym.error.DependencyNotInstalled as error:
        raise UserError(f"wrap: '{text}' needs OpenCV: pip install 'semantic-rl[atari]'.") from error
    except UserError:
        raise
    except Exception as error:  # wrappers check what they are given with assertions and errors of many types
        reason = on_one_line(str(error)) or type(error).__name__
        raise UserError(f"wrap: '{text}' does not fit {env.observation_space}: {reason}"[:400]) from error


def actions_repeated(texts: tuple[str, ...]) -> int:
    """Return how many steps of the bare environment a step takes inside these wrappers."""
    product = 1
    for text in texts:
        if text.partition("=")[0] in ("atari", "frame-skip"):
            product *= check_wrapper(text)[1]
    return product
