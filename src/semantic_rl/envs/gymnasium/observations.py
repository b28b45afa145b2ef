"""Reads observations of any space into arrays with a batch axis of 1, and checks them.

A Dict or a Tuple becomes a dictionary of arrays; nested parts are named `outer.inner`, and the parts of a Tuple are
numbered. Texts are left out.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple, NoReturn

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from semantic_rl.envs.spec import DTYPES, MOST_BYTES_OF_OBSERVATION
from semantic_rl.errors import UserError

Observation = NDArray[Any] | dict[str, NDArray[Any]]


class Leaf(NamedTuple):
    """An array in an observation."""

    name: str
    path: tuple[Any, ...]
    """Keys that lead to it."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_float: bool
    is_short_vector: bool
    """Whether it is a vector of at most `FEW` floats."""


FEW = 64


def find_leaves(space: gym.Space[Any], env: str) -> tuple[Leaf, ...]:
    """Return the arrays that observations of a space consist of; raises UserError if it has something else or none."""
    found = tuple(_leaves(space, (), env))
    if not found:
        raise UserError(f"{env}: its observations, {space}, have no numbers.")
    names = [leaf.name for leaf in found]
    twice = next((leaf for leaf in found if names.count(leaf.name) > 1), None)
    if twice is not None:
        raise UserError(
            f"{env}: two parts of its observations are both called '{twice.name}', as nested parts are named "
            "outer.inner; expected names that differ."
        )
    size = sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in found)
    if size > MOST_BYTES_OF_OBSERVATION:
        raise UserError(
            f"{env}: an observation has {size:,} bytes, expected at most {MOST_BYTES_OF_OBSERVATION:,}; wrap it, for "
            "example with resize=84."
        )
    return found


def _leaves(space: gym.Space[Any], path: tuple[Any, ...], env: str) -> list[Leaf]:
    if isinstance(space, spaces.Text) or getattr(space.dtype, "kind", "") == "U":  # MiniGrid's missions are no Text
        return []
    if isinstance(space, spaces.Dict):
        parts = list(space.spaces.items())
    elif isinstance(space, spaces.Tuple):
        parts = list(enumerate(space.spaces))
    else:
        known = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
        if not isinstance(space, known) or space.shape is None or np.dtype(space.dtype).name not in DTYPES:
            raise UserError(
                f"{env}: its observations, {space}, are not supported; expected Box, Discrete, MultiDiscrete or "
                f"MultiBinary of {', '.join(DTYPES)}, or a Dict or Tuple of these."
            )
        return [_leaf(path, space.shape, np.dtype(space.dtype))]
    return [leaf for key, part in parts for leaf in _leaves(part, (*path, key), env)]


def _leaf(path: tuple[Any, ...], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Leaf:
    is_float = dtype.kind == "f"
    is_short = is_float and len(shape) == 1 and shape[0] <= FEW
    return Leaf(".".join(map(str, path)), path, shape, dtype, is_float, is_short)


def as_array(value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a number, a list or an array of another type as an array of its own of the type that a space says.

    Raises ValueError, which says what is wrong, if its shape is another one or if the type does not hold its numbers.
    """
    try:
        copy = np.array(value, dtype)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"is a {type(value).__name__}") from None
    if copy.shape != shape:
        raise ValueError(f"has the shape {copy.shape}")
    if dtype.kind != "f" and (given := np.asarray(value)).dtype != dtype:
        if given.dtype.kind == "f":
            raise ValueError(f"has the type {given.dtype}")
        if not np.array_equal(copy, given):
            raise ValueError(f"has a number that {dtype.name} does not hold")
    return copy


Where = Callable[[], str]
"""Says which observation it is, in messages."""


class ObservationReader:
    """Copies observations into arrays of the caller's own; raises UserError if one is not what its space says."""

    def __init__(self, space: gym.Space[Any], env: str) -> None:
        self.leaves = find_leaves(space, env)
        self.is_dict = isinstance(space, spaces.Dict | spaces.Tuple)
        self._env = env
        self._only = None if self.is_dict else self.leaves[0]

    def read(self, observation: Any, where: Where) -> Observation:
        """Return the observation, [1, …]."""
        if self._only is not None:
            return self._copy(self._only, observation, where)
        return {leaf.name: self._copy(leaf, self._at(observation, leaf, where), where) for leaf in self.leaves}

    def _copy(self, leaf: Leaf, value: Any, where: Where) -> NDArray[Any]:
        # NumPy's own types of numbers are singletons; an equal type that is another object only takes longer.
        if type(value) is np.ndarray and value.dtype is leaf.dtype and value.shape == leaf.shape:
            copy = value.copy()
        else:
            try:
                copy = as_array(value, leaf.shape, leaf.dtype)
            except ValueError as error:
                self._wrong(leaf, where, str(error))
        if leaf.is_short_vector:
            # Python adds up a few numbers faster than NumPy looks at each.
            is_finite = isfinite(sum(copy.tolist())) or np.isfinite(copy).all()
        else:
            is_finite = not leaf.is_float or np.isfinite(copy).all()
        if not is_finite:
            self._wrong(leaf, where, "has a number that is not finite")
        return copy[None]

    def _at(self, observation: Any, leaf: Leaf, where: Where) -> Any:
        for key in leaf.path:
            try:
                observation = observation[key]
            except (KeyError, IndexError, TypeError):
                self._wrong(leaf, where, "is missing")
        return observation

    def _wrong(self, leaf: Leaf, where: Where, fault: str) -> NoReturn:
        name = f"'{leaf.name}' of the observation" if leaf.name else "the observation"
        raise UserError(
            f"{self._env}: {name} {where()} {fault}; its space says {leaf.dtype.name} of the shape {leaf.shape}."
        ) from None
