"""Every flag of every command reaches the setting that it names and no other; one that would do nothing is refused."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.arguments import ArgumentParser
from semantic_rl.cli import COMMANDS, FIGURES
from semantic_rl.commands.parse import make_parser, parse
from semantic_rl.errors import UserError
from train_procgen import enjoy_sppo, hover_clusters, single_graph
from train_procgen.command import make_parser as make_training_parser

SOURCE = Path(__file__).resolve().parent.parent / "src"
NAN_AND_MORE = [
    "nan",
    "inf",
    "-inf",
    "-1e9",
    "1e308",
    "-1",
    "99999999999999999999",
    "9223372036854775807",
    "",
    "x",
    "1.5",
]


def config_of(command: str) -> type[Any]:
    """Return the config that a command parses, read from its module."""
    module = COMMANDS[command].module if command in COMMANDS else FIGURES[command.split()[1]].module
    text = (SOURCE / "semantic_rl" / "commands" / f"{module}.py").read_text(encoding="utf-8")
    found = re.search(r"parse\((\w+), arguments", text)
    assert found, f"{module}.py parses no config"
    import semantic_rl.config as configs

    return getattr(configs, found[1])


NAMES = [*(name for name in COMMANDS if name != "figures"), *(f"figures {name}" for name in FIGURES)]
VALUES: dict[str, str] = {
    "--distribution-mode": "hard", "--env": "ninja", "--games": "ninja", "--export": "p.html", "--host": "localhost",
    "--gamma": "0.5", "--gae-lambda": "0.5", "--reward-discount": "0.5", "--smoothing": "0.5", "--frame-size": "128",
    "--timesteps": "1e6", "--num-minibatches": "4", "--max-shot": "30", "--video-size": "128",
    "--animation-size": "128",
    "--random-action-probability": "0.5", "--keep-probability": "0.5", "--resamples": "200", "--ray": "local",
    "--num-envs": "32", "--seeds": "5", "--num-steps": "512", "--tsne-states": "20",
    "--keep-checkpoints": "4", "--num-epochs": "4", "--minibatch-size": "64", "--fit-states": "100",
    "--held-out": "0.5", "--judged-states": "100", "--env-args": "use_backgrounds=false",
}  # fmt: skip
"""Values that are right and no defaults, where 3 is none."""
BESIDE: dict[tuple[str, str], list[str]] = {
    ("train", "--start-level"): ["--num-levels", "9"],
    ("train", "--held-out-interval"): ["--num-levels", "9"],
    ("reproduce", "--start-level"): ["--num-levels", "9"],
    ("reproduce", "--held-out-interval"): ["--num-levels", "9"],
    ("explore", "--frames"): ["--export", "p.html"],
    ("explore", "--planes"): ["--export", "p.html"],
    ("explore", "--columns"): ["--export", "p.html"],
    ("record", "--explore-steps"): ["--protocol", "explore"],
    ("record", "--random-action-probability"): ["--protocol", "explore"],
    ("record", "--keep-probability"): ["--protocol", "explore"],
    ("metrics", "--perplexity"): ["--baselines"],
    ("metrics", "--device"): ["--against", "other"],
    ("metrics", "--precision"): ["--against", "other"],
    ("figures curves", "--seed"): ["--interval", "bootstrap"],
    ("fit", "--clustering"): ["--apply", "other"],
    ("fit", "--feature-dof"): ["--head", "linear"],
    ("explore", "--other-clustering"): ["other"],
    ("train", "--env-groups"): ["--num-envs", "9"],
    ("reproduce", "--env-groups"): ["--num-envs", "9"],
}
"""What a flag must stand beside to do something."""


def settings(config: object) -> dict[str, Any]:
    """Return all fields of a (nested) config by name."""
    flat: dict[str, Any] = {}
    for name, value in vars(config).items():
        flat.update(settings(value) if dataclasses.is_dataclass(value) else {name: value})
    return flat


def required(parser: ArgumentParser) -> list[str]:
    places = [f"place{number}" for number, action in enumerate(parser.places) if action.required]
    return [
        *places,
        *(word for action in parser.required_flags for word in (action.option_strings[-1], value_of(action))),
    ]


def value_of(action: Any) -> str:
    metavar = str(action.metavar)
    if metavar.startswith("{"):
        choices = metavar.partition("}")[0].strip("{").split(",")
        return next(choice for choice in reversed(choices) if choice != "auto")
    return VALUES.get(action.option_strings[-1], "3")


FLAGS = [
    (name, action.option_strings[-1])
    for name in NAMES
    for action in make_parser(config_of(name), name).flags
    if action.option_strings[-1] != "--help"
]


def words_of(name: str, flag: str) -> tuple[list[str], list[str]]:
    """Return the words of a command with what a flag needs, and the flag with a value."""
    parser = make_parser(config_of(name), name)
    (action,) = (action for action in parser.flags if action.option_strings[-1] == flag)
    base = [*required(parser), *BESIDE.get((name, flag), [])]
    if action.required:
        return base, [flag, "ninja" if flag == "--env" else "elsewhere"]
    return base, [flag] if action.nargs == 0 else [flag, value_of(action)]


@pytest.mark.parametrize(("name", "flag"), FLAGS)
def test_a_flag_reaches_the_setting_that_it_names_and_no_other(name: str, flag: str) -> None:
    config = config_of(name)
    base, given = words_of(name, flag)
    parser = make_parser(config, name)
    before = settings(parse(config, base, name))
    if flag in base:
        place = base.index(flag)
        base = base[:place] + base[place + 2 :]
        given = [flag, "maze" if flag == "--env" else "elsewhere"]
    after = settings(parse(config, [*base, *given], name))
    (dest,) = (action.dest for action in parser.flags if action.option_strings[-1] == flag)
    assert {key for key in after if after[key] != before[key]} == {dest}


@pytest.mark.parametrize(("name", "flag"), FLAGS)
def test_no_value_of_a_number_ends_otherwise_than_in_one_line(name: str, flag: str) -> None:
    base, given = words_of(name, flag)
    if len(given) < 2:
        return
    for value in NAN_AND_MORE:
        try:
            parse(config_of(name), [*base, f"{flag}={value}"], name)
        except UserError as error:
            said = str(error)
            assert said.count("\n") == 0
        else:
            (action,) = (action for action in make_parser(config_of(name), name).flags if flag in action.option_strings)
            number = action.metavar in ("N", "X")
            assert not (number and value in ("nan", "inf", "-inf", "1e308", "99999999999999999999", "", "x")), value
            assert not (number and value == "9223372036854775807"), f"{flag} takes 2^63 - 1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train", "--algorithm ppo --num-codes 5"),
        ("train", "--algorithm ppo --fdr-coef 5"),
        ("train", "--start-level 5"),
        ("train", "--held-out-interval 5"),
        ("train", "--device cpu --no-cuda-graphs"),
        ("train", "--resume --auto-resume"),
        ("reproduce", "--algorithms ppo --num-codes 5"),
        ("record", "a --out o --explore-steps 5"),
        ("record", "a --out o --keep-probability 0.5"),
        ("record", "a --out o --protocol explore --states 5"),
        ("record", "a --out o --num-levels 0 --start-level 5"),
        ("evaluate", "a --num-levels 0 --start-level 5"),
        ("clips", "a --out o --num-levels 0 --start-level 5"),
        ("clips", "a --out o --all-episodes --success-fraction 0.5"),
        ("clips", "a --out o --all-episodes --max-episode-steps 5"),
        ("clips", "a --out o --animation-size 0 --format gif"),
        ("clips", "a --out o --animation-size 0 --animation-frames 5"),
        ("explore", "a --frames 5"),
        ("explore", "a --export p.html --port 5"),
        ("explore", "a --export p.html --no-browser"),
        ("explore", "a --export p.html --host localhost"),
        ("explore", "a --export p.html --author me"),
        ("metrics", "a --perplexity 5"),
        ("metrics", "a --device cpu"),
        ("metrics", "a --precision fp32"),
        ("figures curves", "--seed 5"),
        ("report", "a --metrics m --no-baselines"),
    ],
)
def test_a_flag_that_would_do_nothing_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        parse(config_of(name), words.split(), name)
    assert "would do nothing" in str(error.value) or "expected none" in str(error.value)


ORIGINAL: dict[str, Callable[[], ArgumentParser]] = {
    "train_sppo": lambda: make_training_parser("sppo", "easy"),
    "train_ppo": lambda: make_training_parser("ppo", "hard"),
    "enjoy_sppo": enjoy_sppo.make_parser,
    "hover_clusters": hover_clusters.make_parser,
    "single_graph": single_graph.make_parser,
}


@pytest.mark.parametrize("name", ORIGINAL)
def test_a_flag_of_the_originals_commands_reaches_its_setting_and_no_other(name: str) -> None:
    parser = ORIGINAL[name]()
    before = vars(parser.parse_args([]))
    for action in parser.flags:
        flag = action.option_strings[-1]
        if flag == "--help":
            continue
        value = {"--mode": "0", "--restrict_training_set": "yes"}.get(flag, "3")
        after = vars(parser.parse_args([flag] if action.nargs == 0 else [flag, value]))
        assert {key for key in after if after[key] != before[key]} == {action.dest}
