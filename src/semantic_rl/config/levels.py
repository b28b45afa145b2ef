"""The levels that an agent plays: all of them, a range that starts at a seed, or a single level."""

from typing import NamedTuple

from semantic_rl.config.checks import require
from semantic_rl.errors import UserError

LARGEST_LEVEL = 2**31 - 1


class Levels(NamedTuple):
    """Levels in Procgen's terms: `num_levels` levels from the seed `start_level` on; 0 means all levels."""

    num_levels: int
    start_level: int


def check_levels(num_levels: int | None, start_level: int | None, level_seed: int | None) -> None:
    """Raise UserError for values outside the range of levels and for choices that exclude each other."""
    given = {"num_levels": num_levels, "start_level": start_level, "level_seed": level_seed}
    for name, value in given.items():
        require(value is None or 0 <= value <= LARGEST_LEVEL, name, value, f"a number from 0 to {LARGEST_LEVEL}")
    for name in ("num_levels", "start_level"):
        require(
            level_seed is None or given[name] is None,
            name,
            given[name],
            f"none beside --level-seed {level_seed}, which is that one level",
        )
    if num_levels == 0 and start_level:
        refuse_start_level(start_level)


def choose_levels(trained: Levels, num_levels: int | None, start_level: int | None, level_seed: int | None) -> Levels:
    """Return the levels to play: those that were asked for, otherwise those that the agent was trained on.

    Raises UserError if a first level is given although all levels are played, which have no order.
    """
    if level_seed is not None:
        return Levels(1, level_seed)
    number = trained.num_levels if num_levels is None else num_levels
    if number == 0:
        if start_level:
            refuse_start_level(start_level)
        return Levels(0, 0 if num_levels == 0 else trained.start_level)
    return Levels(number, trained.start_level if start_level is None else start_level)


def refuse_start_level(start_level: int) -> None:
    """Raise the UserError for a first level that would have no effect."""
    raise UserError(
        f"start_level: got {start_level}, but all levels are played, in no order, so it would do nothing; give "
        f"--level-seed {start_level} for this level alone, or --num-levels N for N levels from it."
    )
