"""Spaces as Stable-Baselines3 sees them, with the channels of images first, and the spaces that a zip describes."""

import json
import re
from collections import OrderedDict
from typing import Any, NamedTuple, cast

import gymnasium as gym
import numpy as np

from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import on_one_line


def policy_spaces(spaces: Spaces) -> Spaces:
    """Return the spaces that a policy of the library gets for an environment: it puts channels first."""
    return Spaces(_channels_first(spaces.observation), spaces.action)


def _channels_first(space: gym.Space[Any]) -> gym.Space[Any]:
    from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first

    if isinstance(space, gym.spaces.Dict):  # ordered, because a plain dict would be sorted, and the weights not
        parts = OrderedDict((name, _channels_first(part)) for name, part in space.spaces.items() if not _is_text(part))
        return gym.spaces.Dict(parts)
    if isinstance(space, gym.spaces.Box) and is_image_space(space) and not is_image_space_channels_first(space):
        height, width, channels = space.shape
        return gym.spaces.Box(0, 255, (channels, height, width), np.uint8)
    return space


def _is_text(space: gym.Space[Any]) -> bool:
    """Say whether a part of an observation is a text, which no policy of the library takes and no recording holds."""
    return isinstance(space, gym.spaces.Text) or type(space).__name__ == "MissionSpace"


def in_words(space: gym.Space[Any]) -> str:
    """Return a space in the words that `described_space` has for what stands in a zip."""
    match space:
        case gym.spaces.Discrete():
            return f"{space.n} choices"
        case gym.spaces.Box():
            return f"Box of shape {list(space.shape)}"
        case _:
            return on_one_line(str(space))[:200]


class DescribedSpace(NamedTuple):
    """What stands beside a pickled space."""

    text: str
    """In words; empty if nothing is known."""
    kind: str
    """Class name; empty if unknown."""
    shape: tuple[int, ...] | None
    num_choices: int
    """Of a discrete space; 0 if it is none."""
    dtype: str


def described_space(entry: Any) -> DescribedSpace:
    """Read what stands beside a pickled space; nothing is known of an entry in another form."""
    values = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    found = re.fullmatch(r"<class '[\w.]*?(\w+)'>", str(values.get(":type:", "")))
    kind = found[1] if found else ""
    shape = _shape(values.get("_shape", values.get("shape")))
    choices = str(values.get("n", ""))
    num_choices = int(choices) if kind == "Discrete" and re.fullmatch(r"\d{1,6}", choices) else 0
    dtype = str(values.get("dtype", ""))[:20]
    match kind:
        case "Discrete":
            text = f"{num_choices} choices" if num_choices else ""
        case "":
            text = ""
        case _:
            text = kind if shape is None else f"{kind} of shape {list(shape)}"
    return DescribedSpace(on_one_line(text), kind, shape, num_choices, dtype)


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, str) and len(value) < 200:
        try:
            value = json.loads(value.replace("(", "[").replace(",)", "]").replace(")", "]"))
        except ValueError:
            return None
    if not isinstance(value, list):
        return None
    lengths = cast(list[Any], value)
    if len(lengths) > 8 or not all(type(length) is int and 0 < length < 2**20 for length in lengths):
        return None
    return tuple(lengths)


def stand_in_spaces(observation: Any, action: Any) -> Spaces | None:
    """Return spaces of the described shapes, to list layers without an environment; None if a shape is unknown.

    Their bounds are invented, so nothing may be played with them.
    """
    found = [_stand_in(described_space(entry)) for entry in (observation, action)]
    first, second = found
    return None if first is None or second is None else Spaces(first, second)


def _stand_in(space: DescribedSpace) -> gym.Space[Any] | None:
    if space.num_choices:
        return gym.spaces.Discrete(space.num_choices)
    if space.kind == "Box" and space.shape is not None:
        if space.dtype == "uint8":
            return gym.spaces.Box(0, 255, space.shape, np.uint8)
        return gym.spaces.Box(-1.0, 1.0, space.shape, np.float32)
    return None
