"""What is written down of the games is what the library and the paper say."""

import sys

import pytest

from semantic_rl.envs.procgen.games import GAMES, ReturnRange, check_mode, find_game
from semantic_rl.errors import UserError


def test_the_sixteen_games_are_the_librarys() -> None:
    if sys.version_info < (3, 13):
        pytest.skip("needs Python 3.13 for the games")
    from procgen_gym.env import ENV_NAMES

    assert set(GAMES) == set(ENV_NAMES)
    assert len(GAMES) == 16


def test_ranges_of_the_papers_four_games() -> None:
    assert find_game("coinrun").easy == ReturnRange(5, 10)
    assert find_game("fruitbot").easy == ReturnRange(-1.5, 32.4)
    assert find_game("fruitbot").hard == ReturnRange(-0.5, 27.2)
    assert find_game("jumper").easy == ReturnRange(1, 10)
    assert find_game("ninja").hard == ReturnRange(2, 10)


def test_every_game_has_easy_and_hard_first_and_a_range_above_nothing() -> None:
    for game in GAMES.values():
        assert game.modes[:2] == ("easy", "hard")
        assert len(set(game.modes)) == len(game.modes)
        for scale in (game.easy, game.hard):
            assert scale.minimum < scale.maximum


def test_an_unknown_game_or_mode_is_refused_with_the_nearest_and_all() -> None:
    with pytest.raises(UserError, match=r"'ninjas'\. Did you mean 'ninja'\? Valid games: bigfish, .*, starpilot\."):
        find_game("ninjas")
    with pytest.raises(UserError, match=r"jumper has no mode 'memry'\. Did you mean 'memory'\?"):
        check_mode("jumper", "memry")
    with pytest.raises(UserError, match=r"plunder has no mode 'extreme'\. Its modes: easy, hard\."):
        check_mode("plunder", "extreme")
