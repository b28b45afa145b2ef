"""What the rest of the package knows about an environment: its spaces, names of actions, success, levels, returns.

A recording carries its environment's `EnvSpec` in `recording.json`, so that whatever shows or measures a recording
needs neither the environment nor a table of environments.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject

Scalar = str | int | float | bool | None
ActionKind = Literal["discrete", "multi_discrete", "multi_binary", "continuous"]
ACTION_KINDS: tuple[ActionKind, ...] = ("discrete", "multi_discrete", "multi_binary", "continuous")
DTYPES = ("uint8", "int8", "int16", "int32", "int64", "float32", "float64", "bool")
"""Types of the numbers of an observation."""
MOST_DIMENSIONS, MOST_NAMES, MOST_PARTS = 8, 65_536, 1024
MOST_BYTES_OF_OBSERVATION = 4 * 1024**2
"""Largest accepted observation."""
DATA = "data"
"""The `family` of states that came without an environment."""
SEED_OF_RESET = "seed of the episode's reset"
"""The `level` of an environment that has no levels, but a seed for every episode."""


class ReturnRange(NamedTuple):
    """Returns of a trivial and of a perfect policy."""

    minimum: float
    maximum: float


@dataclass(frozen=True)
class ObservationPart:
    """An array of numbers: the whole observation, or one entry of a dictionary of them."""

    name: str
    """Key in the dictionary; empty for the whole observation."""
    shape: tuple[int, ...]
    dtype: str
    """One of `DTYPES`."""
    labels: tuple[str, ...] = ()
    """Names of the numbers of a vector, if they are known."""

    @property
    def is_image(self) -> bool:
        """Say whether this is an image: uint8 [H, W], or [H, W, C] with 1 or 3 channels, of at least 16×16 pixels."""
        height, width, *channels = (*self.shape, 0, 0)[:2] + self.shape[2:]
        return (
            self.dtype == "uint8"
            and len(self.shape) in (2, 3)
            and min(height, width) >= 16
            and (not channels or channels[0] in (1, 3))
        )


@dataclass(frozen=True)
class ActionSpec:
    """An action space."""

    kind: ActionKind
    sizes: tuple[int, ...]
    """discrete: (number of actions,); multi_discrete: number of choices of each part; multi_binary: a 2 for each
    switch; continuous: (number of dimensions,)."""
    names: tuple[str, ...]
    """discrete: a name for each action; otherwise a name for each part or dimension."""
    signs: tuple[str, ...] = ()
    """discrete: one or two characters for each action; empty if there are none."""
    low: tuple[float, ...] = ()
    """continuous: least value of each dimension."""
    high: tuple[float, ...] = ()
    """continuous: greatest value of each dimension."""
    groups: tuple[str, ...] = ()
    """discrete: a name for each action, which actions that do the same share; empty if that is not known."""

    @property
    def num_actions(self) -> int:
        """Return the number of actions of a discrete space; 0 for other spaces."""
        return self.sizes[0] if self.kind == "discrete" else 0

    @property
    def width(self) -> int:
        """Return how many numbers an action has: 0 for a discrete one, which is an index."""
        return {"discrete": 0, "continuous": self.sizes[0]}.get(self.kind, len(self.sizes))

    def name(self, action: int) -> str:
        """Return the name of a discrete action."""
        return self.names[action] if action < len(self.names) else str(action)

    def sign(self, action: int) -> str:
        """Return the sign of a discrete action; its index if it has none."""
        return self.signs[action] if action < len(self.signs) else str(action)


@dataclass(frozen=True)
class EnvSpec:
    """What commands and pages need to know about an environment."""

    id: str
    """What the user named: a Procgen game, a Gymnasium id, or `file.py:function`."""
    family: str
    """procgen, gymnasium, or DATA."""
    observation: tuple[ObservationPart, ...]
    action: ActionSpec
    arguments: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """What it was made with."""
    wrappers: tuple[str, ...] = ()
    """Names of the wrappers around it, the innermost first."""
    success: str | None = None
    """What counts as success; None if nothing does."""
    level: str | None = None
    """What the number of an episode's level is; None if it has none."""
    return_range: ReturnRange | None = None
    """Returns by which scores are normalised, if they are known."""
    greatest_return: float | None = None
    """The return of a perfect policy, as far as it is known."""
    is_endless: bool = False
    """Whether an episode goes on until the agent fails, so that the best ones are long."""
    steps_per_second: float = 15.0
    """Speed at which people see it played."""
    restores_exactly: bool = False
    """Whether its state can be saved and restored, so that only recorded states need to be rendered."""

    @property
    def title(self) -> str:
        """Return the environment's name with the difficulty, if it has one."""
        mode = self.arguments.get("distribution_mode")
        return self.id if mode is None else f"{self.id} ({mode})"

    @property
    def level_word(self) -> str | None:
        """Return the word for an episode's level: "level", or "seed" where it is only that; None if it has none."""
        return None if self.level is None else "seed" if self.level == SEED_OF_RESET else "level"

    @property
    def image(self) -> ObservationPart | None:
        """Return the part of the observation that people can look at as a picture; None if there is none."""
        return next((part for part in self.observation if part.is_image), None)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; `read_env_spec` reads them."""
        found = asdict(self)
        found["arguments"] = dict(self.arguments)
        if self.return_range is not None:
            found["return_range"] = list(self.return_range)
        return found


def as_typed(arguments: Mapping[str, Scalar]) -> str:
    """Return an environment's arguments as they are typed: gravity=-5 continuous=true."""
    return " ".join(f"{name}={_typed_value(value)}" for name, value in arguments.items())


def _typed_value(value: Scalar) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def read_env_spec(content: JsonObject) -> EnvSpec:
    """Return the spec in a JSON object; raises UserError if a field is invalid."""
    parts = content.objects("observation")
    if not 0 < len(parts) <= MOST_PARTS:
        raise UserError(
            f"{content.path}: an observation has {len(parts):,} parts, expected 1 to {MOST_PARTS:,}; {content.way_out}"
        )
    return EnvSpec(
        id=content.text("id"),
        family=content.text("family"),
        observation=tuple(map(_part, parts)),
        action=_action(content.object("action")),
        arguments=_scalars(content.object("arguments")),
        wrappers=_texts(content, "wrappers"),
        success=_text_or_none(content, "success"),
        level=_text_or_none(content, "level"),
        return_range=_range(content),
        greatest_return=None if content.get("greatest_return") is None else content.number("greatest_return"),
        is_endless=content.flag("is_endless", False),
        steps_per_second=_above_zero(content, "steps_per_second"),
        restores_exactly=content.flag("restores_exactly", False),
    )


def _part(content: JsonObject) -> ObservationPart:
    shape = _sizes(content, "shape", 1, MOST_BYTES_OF_OBSERVATION)
    dtype = content.text("dtype")
    if dtype not in DTYPES:
        content.wrong("dtype", f"one of {', '.join(DTYPES)}")
    size = 1
    for side in shape:
        size *= side
    if len(shape) > MOST_DIMENSIONS or size > MOST_BYTES_OF_OBSERVATION:
        content.wrong("shape", f"at most {MOST_DIMENSIONS} sides and {MOST_BYTES_OF_OBSERVATION:,} numbers")
    return ObservationPart(content.text("name"), shape, dtype, _texts(content, "labels"))


def _action(content: JsonObject) -> ActionSpec:
    kind = content.text("kind")
    if kind not in ACTION_KINDS:
        content.wrong("kind", f"one of {', '.join(ACTION_KINDS)}")
    sizes = _sizes(content, "sizes", 1, MOST_NAMES)
    if not sizes or (kind in ("discrete", "continuous") and len(sizes) != 1):
        content.wrong("sizes", "one number" if kind in ("discrete", "continuous") else "at least one number")
    spec = ActionSpec(kind, sizes, _texts(content, "names"), _texts(content, "signs"), groups=_texts(content, "groups"))
    expected = spec.num_actions or spec.width
    for name in ("names", "signs", "groups"):
        if len(getattr(spec, name)) not in (0, expected):
            content.wrong(name, f"{expected} texts")
    return replace(spec, low=_numbers(content, "low"), high=_numbers(content, "high"))


def _sizes(content: JsonObject, name: str, least: int, most: int) -> tuple[int, ...]:
    found = content.array(name)
    if not all(type(side) is int and least <= side <= most for side in found):
        content.wrong(name, f"whole numbers from {least} to {most:,}")
    return tuple(found)


def _texts(content: JsonObject, name: str) -> tuple[str, ...]:
    found = content.array(name) if name in content else []
    if len(found) > MOST_NAMES or not all(isinstance(text, str) for text in found):
        content.wrong(name, "an array of texts")
    return tuple(found)


def _numbers(content: JsonObject, name: str) -> tuple[float, ...]:
    found = content.array(name) if name in content else []
    if not all(type(value) in (int, float) for value in found):
        content.wrong(name, "an array of numbers")
    return tuple(map(float, found))


def _text_or_none(content: JsonObject, name: str) -> str | None:
    return None if content.get(name) is None else content.text(name)


def _range(content: JsonObject) -> ReturnRange | None:
    if content.get("return_range") is None:
        return None
    found = _numbers(content, "return_range")
    if len(found) != 2:
        content.wrong("return_range", "two numbers")
    return ReturnRange(*found)


def _above_zero(content: JsonObject, name: str) -> float:
    value = content.number(name)
    return value if 0 < value <= 1000 else content.wrong(name, "a number above 0 and at most 1,000")


def _scalars(content: JsonObject) -> dict[str, Scalar]:
    for name, value in content.items():
        if isinstance(value, dict | list):
            content.wrong(name, "a text or a number")
    return dict(content)
