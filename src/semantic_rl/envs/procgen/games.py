"""The sixteen Procgen games: their distribution modes and the return ranges that normalise scores.

Source: Cobbe et al., "Leveraging Procedural Generation to Benchmark Reinforcement Learning" (2020), appendix C,
as the paper's implementation uses them; the modes of each game were read from the game library itself.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from semantic_rl.envs.spec import ReturnRange, Scalar
from semantic_rl.errors import UserError, nearest


class Game(NamedTuple):
    """What the rest of the package knows about one game."""

    easy: ReturnRange
    hard: ReturnRange
    modes: tuple[str, ...]


def _game(easy: tuple[float, float], hard: tuple[float, float], further_modes: tuple[str, ...] = ()) -> Game:
    return Game(ReturnRange(*easy), ReturnRange(*hard), ("easy", "hard", *further_modes))


GAMES: dict[str, Game] = {
    "bigfish": _game((1, 40), (0, 40)),
    "bossfight": _game((0.5, 13), (0.5, 13)),
    "caveflyer": _game((3.5, 12), (2, 13.4), ("memory", "exploration")),
    "chaser": _game((0.5, 13), (0.5, 14.2), ("extreme",)),
    "climber": _game((2, 12.6), (1, 12.6), ("exploration",)),
    "coinrun": _game((5, 10), (5, 10), ("exploration",)),
    "dodgeball": _game((1.5, 19), (1.5, 19), ("extreme", "memory")),
    "fruitbot": _game((-1.5, 32.4), (-0.5, 27.2)),
    "heist": _game((3.5, 10), (2, 10), ("memory", "exploration")),
    "jumper": _game((1, 10), (1, 10), ("memory", "exploration")),
    "leaper": _game((1.5, 10), (1.5, 10), ("extreme", "exploration")),
    "maze": _game((5, 10), (4, 10), ("memory", "exploration")),
    "miner": _game((1.5, 13), (1.5, 20), ("memory",)),
    "ninja": _game((3.5, 10), (2, 10), ("exploration",)),
    "plunder": _game((4.5, 30), (3, 30)),
    "starpilot": _game((2.5, 64), (1.5, 35), ("extreme",)),
}

ACTION_NAMES = (
    "left down",
    "left",
    "left up",
    "down",
    "none",
    "up",
    "right down",
    "right",
    "right up",
    "D",
    "A",
    "W",
    "S",
    "Q",
    "E",
)
"""The keys that each of Procgen's fifteen actions presses, by index."""
NUM_ACTIONS = len(ACTION_NAMES)
KEYS_WITHOUT_EFFECT: dict[str, str] = {
    "bossfight": "AWSQE",
    "caveflyer": "AWSQE",
    "dodgeball": "AWSQE",
    "fruitbot": "AWSQE",
    "plunder": "AWSQE",
    "ninja": "",
    "starpilot": "",
}
"""The letter keys that do nothing in a game; in games that are not named, none does anything."""
SAME_KEYS: dict[str, dict[str, str]] = {
    "ninja": {"Q": "D", "E": "D"},
    "starpilot": {"W": "D", "S": "D", "Q": "D", "E": "D"},
}
"""Letter keys that do what another one does."""
_NOT_DIAGONAL = {"left down": "left", "left up": "left", "right down": "right", "right up": "right"}
_NO_DOWN = {"left down": "left", "down": "none", "right down": "right"}
_SIDEWAYS_ONLY = {**_NOT_DIAGONAL, "down": "none", "up": "none"}
SAME_DIRECTIONS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("climber", "jumper", "ninja"), _NO_DOWN),
    **dict.fromkeys(("fruitbot", "plunder"), _SIDEWAYS_ONLY),
    **dict.fromkeys(("leaper", "maze", "miner"), _NOT_DIAGONAL),
}
"""Directions that do what another one does, or nothing; in games that are not named, each is its own."""
ACTION_SIGNS = ("↙", "←", "↖", "↓", "·", "↑", "↘", "→", "↗", "D", "A", "W", "S", "Q", "E")
"""One character for each action."""
DO_NOTHING = ACTION_SIGNS.index("·")
"""The action that presses no key."""
ENDLESS_GAMES = ("starpilot", "fruitbot")
"""Games that go on until the agent fails."""


def action_groups(game: str) -> tuple[str, ...]:
    """Return the group of each action of a game: actions of one group did the same in all states that were tried.

    `tests/envs/procgen` tries them: pictures and rewards of the next steps are equal. Empty for an unknown game.
    """
    if game not in GAMES:
        return ()
    same = dict.fromkeys(KEYS_WITHOUT_EFFECT.get(game, "DAWSQE"), "none")
    same |= SAME_KEYS.get(game, {}) | SAME_DIRECTIONS.get(game, {})
    return tuple(same.get(name, name) for name in ACTION_NAMES)


OBSERVATION_SHAPE = (64, 64, 3)
OPTIONS = {
    "center_agent": True,
    "use_backgrounds": True,
    "use_monochrome_assets": False,
    "restrict_themes": False,
    "use_generated_assets": False,
    "paint_vel_info": False,
    "use_sequential_levels": False,
}
"""Procgen's own options of a game, which go by these names in its documentation, with their defaults."""


def find_game(name: str) -> Game:
    """Return the game called `name`; raises UserError with the valid names and the nearest one."""
    if name not in GAMES:
        raise UserError(f"env: unknown game '{name}'.{nearest(name, list(GAMES))} Valid games: {', '.join(GAMES)}.")
    return GAMES[name]


def check_mode(name: str, mode: str) -> None:
    """Raise UserError unless the game `name` has the distribution mode `mode`."""
    modes = find_game(name).modes
    if mode not in modes:
        raise UserError(
            f"distribution_mode: {name} has no mode '{mode}'.{nearest(mode, modes)} Its modes: {', '.join(modes)}."
        )


def find_options(given: Mapping[str, Scalar]) -> dict[str, bool]:
    """Return those of a game's options that are not as by default; raises UserError for an unknown one or no bool."""
    for name, value in given.items():
        if name not in OPTIONS:
            raise UserError(
                f"env_args: Procgen's games have no option '{name}'.{nearest(name, list(OPTIONS))} Their options: "
                f"{', '.join(OPTIONS)}."
            )
        if not isinstance(value, bool):
            raise UserError(f"env_args: got {name}={value}, expected {name}=true or {name}=false.")
    return {name: bool(given[name]) for name in OPTIONS if given.get(name, OPTIONS[name]) != OPTIONS[name]}


def option_texts(options: Mapping[str, Scalar]) -> tuple[str, ...]:
    """Return options as they are typed: name=true or name=false."""
    return tuple(f"{name}={str(value).lower()}" for name, value in options.items())


def stored_option_texts(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the options in stored settings, as they are typed; earlier versions stored none."""
    return tuple(str(settings.get("env_args", "")).split())


def find_range(name: str, mode: str) -> ReturnRange:
    """Return the return range that normalises the scores of a game; raises UserError if none was published."""
    game = find_game(name)
    if mode not in ("easy", "hard"):
        raise UserError(
            f"distribution_mode: no range was published to normalise the scores of {name} ({mode}); only "
            "easy and hard have one."
        )
    return game.easy if mode == "easy" else game.hard
