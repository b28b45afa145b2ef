"""The description of an environment that a recording carries."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart, ReturnRange, read_env_spec
from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject

COINRUN = procgen_spec({"env": "coinrun", "distribution_mode": "easy", "num_levels": 0, "start_level": 0})
WALKER = EnvSpec(
    "BipedalWalker-v3",
    "gymnasium",
    (ObservationPart("", (24,), "float32"),),
    ActionSpec("continuous", (2,), ("hip", "knee"), low=(-1.0, -1.0), high=(1.0, 1.0)),
    arguments={"hardcore": False},
    wrappers=("TimeLimit",),
    steps_per_second=50.0,
)


def read(content: Any) -> EnvSpec:
    return read_env_spec(JsonObject(content, Path("recording.json"), "record again."))


@pytest.mark.parametrize("spec", [COINRUN, WALKER], ids=["coinrun", "walker"])
def test_what_is_written_is_read(spec: EnvSpec) -> None:
    assert read(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_game_of_procgen_has_names_signs_and_a_range() -> None:
    assert COINRUN.title == "coinrun (easy)"
    assert (COINRUN.action.name(7), COINRUN.action.sign(7), COINRUN.action.num_actions) == ("right", "→", 15)
    assert COINRUN.return_range == ReturnRange(5, 10)
    assert COINRUN.image == ObservationPart("", (64, 64, 3), "uint8")
    assert not COINRUN.is_endless
    assert procgen_spec({"env": "fruitbot", "distribution_mode": "hard"}).is_endless


def test_actions_that_are_no_index_have_a_width() -> None:
    assert (WALKER.action.num_actions, WALKER.action.width, WALKER.title) == (0, 2, "BipedalWalker-v3")
    assert ActionSpec("multi_discrete", (3, 5), ("a", "b")).width == 2


@pytest.mark.parametrize(
    ("shape", "dtype", "is_image"),
    [((80, 80), "uint8", True), ((84, 84, 4), "uint8", False), ((84, 84, 1), "uint8", True), ((8,), "uint8", False),
     ((64, 64, 3), "float32", False), ((7, 7, 3), "uint8", False)],
)  # fmt: skip
def test_an_image_is_of_bytes_and_large_enough_to_see(shape: tuple[int, ...], dtype: str, is_image: bool) -> None:
    assert ObservationPart("", shape, dtype).is_image == is_image


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("action", "kind"), "strange", "'action.kind' is 'strange', expected one of discrete"),
        (("action", "sizes"), [3, 4], "'action.sizes' is \\[3, 4\\], expected one number"),
        (("action", "names"), ["a"], "'action.names' .*expected 15 texts"),
        (("observation", 0, "dtype"), "object", "'observation\\[0\\].dtype' is 'object'"),
        (("observation", 0, "shape"), [10**6, 10**6], "shape"),
        (("return_range",), [1], "'return_range' is \\[1\\], expected two numbers"),
        (("steps_per_second",), 0, "'steps_per_second' is 0, expected a number above 0"),
        (("arguments",), {"a": []}, "'arguments.a' is \\[\\], expected a text or a number"),
    ],
)
def test_an_invalid_field_is_named(where: tuple[Any, ...], value: Any, said: str) -> None:
    content = json.loads(json.dumps(replace(COINRUN, wrappers=("TimeLimit",)).to_json()))
    inner = content
    for name in where[:-1]:
        inner = inner[name]
    inner[where[-1]] = value
    with pytest.raises(UserError, match=said):
        read(content)
