"""Advice names flags that the command which was called has, in its spelling: of all messages of the package."""

import ast
import re
from pathlib import Path

import pytest

from semantic_rl.called_flags import CLAUSE_END, FLAG, OTHER_COMMAND, CalledFlags, spell
from semantic_rl.cli import COMMANDS, FIGURES
from semantic_rl.commands.parse import make_parser
from semantic_rl.config import DemoConfig
from semantic_rl.envs.procgen.vector_env import missing_games
from train_procgen import enjoy_sppo, hover_clusters, single_graph
from train_procgen.command import SETTINGS

from .test_flags import NAMES, ORIGINAL, config_of

SOURCE = Path(__file__).resolve().parent.parent / "src"


def messages() -> list[str]:
    """Return every text of the sources that names a flag, with X for what is filled in."""
    found: list[str] = []
    for path in sorted((SOURCE / "semantic_rl").rglob("*.py")):
        if "arguments" in path.parts or "config" in path.parts or path.name == "cli.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (getattr(node.func, "id", "") in ("UserError", "print", "as_called")):
                for text in node.args:
                    if isinstance(text, ast.JoinedStr):
                        parts = [part.value if isinstance(part, ast.Constant) else "X" for part in text.values]
                        found.append("".join(map(str, parts)))
                    elif isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found.append(text.value)
    return [text for text in found if FLAG.search(text)]


MESSAGES = messages()


def called(name: str) -> CalledFlags:
    """Return the flags of a command as it sets them itself."""
    if name in ORIGINAL:
        flags = {flag.lstrip("-"): flag for action in ORIGINAL[name]().flags for flag in action.option_strings}
        flags |= {setting: flag for setting, flag in SETTINGS.items() if flag in flags.values()}
        return CalledFlags(flags, "semantic-rl train" if name.startswith("train_") else "")
    return CalledFlags({item.dest: item.option_strings[-1] for item in make_parser(config_of(name), name).flags})


def known_flags(name: str) -> set[str]:
    parser = ORIGINAL[name]() if name in ORIGINAL else make_parser(config_of(name), name)
    return {flag for action in parser.flags for flag in action.option_strings}


def test_there_are_messages_to_look_at() -> None:
    assert len(MESSAGES) > 30
    assert sum(bool(OTHER_COMMAND.search(message)) for message in MESSAGES) >= 3


@pytest.mark.parametrize("name", [*NAMES, *ORIGINAL])
def test_every_flag_that_a_message_names_is_one_of_the_command(name: str) -> None:
    flags, known = called(name), known_flags(name)
    for message in MESSAGES:
        said = OTHER_COMMAND.sub("", spell(message, flags))
        wrong = set(FLAG.findall(said)) - known
        assert not wrong, f"{name} is told of {wrong}: {message!r} became {said!r}"


@pytest.mark.parametrize("message", MESSAGES)
def test_every_other_command_that_a_message_quotes_has_its_flags(message: str) -> None:
    for quoted in OTHER_COMMAND.findall(message):
        words = quoted.strip("'").split()
        if words[:1] != ["semantic-rl"]:
            continue
        name = " ".join(words[1:3]) if words[1] == "figures" else words[1]
        assert name in NAMES
        assert set(re.findall(r"--[a-z-]+", quoted)) <= known_flags(name)


STATEMENTS = [
    message
    for message in MESSAGES
    if not message.startswith(("stopped", "--", "X --", "worker X"))  # the last is said in train alone
]


@pytest.mark.parametrize("message", STATEMENTS)
def test_what_is_wrong_is_said_whatever_flags_the_command_has(message: str) -> None:
    statement = CLAUSE_END.split(message)[0]
    if not statement.startswith(("X", "add")):
        return
    said = spell(message, CalledFlags({"none": "--none"}))
    assert said.startswith(statement[:20]), f"{message!r} became {said!r}"


TRAIN = CalledFlags(
    {"timesteps": "--timesteps_per_proc", "seed": "--rand_seed", "resume": "--resume"}, "semantic-rl train"
)
ENJOY = CalledFlags({"num_codes": "--num_embeddings", "mode": "--mode"})


@pytest.mark.parametrize(
    ("message", "flags", "said"),
    [
        ("timesteps: got 1, expected more.", TRAIN, "--timesteps_per_proc: got 1, expected more."),
        ("r exists already; add --resume, or choose another --seed.", TRAIN,
         "r exists already; add --resume, or choose another --rand_seed."),
        ("go on with --precision fp32.", TRAIN, "go on with semantic-rl train --precision fp32."),
        ("stopped. Continue with the same command and --resume.", ENJOY, "stopped. Continue with the same command."),
        ("cannot write to f: no space; choose another --out.", ENJOY, "cannot write to f: no space."),
        ("r exists; add --resume to complete it, or choose --mode 1.", ENJOY, "r exists; choose --mode 1."),
        ("Make one: semantic-rl record r --out o", ENJOY, "Make one: semantic-rl record r --out o"),
        ("nothing to mend here.", ENJOY, "nothing to mend here."),
    ],
)  # fmt: skip
def test_a_message_names_what_the_command_has(message: str, flags: CalledFlags, said: str) -> None:
    assert spell(message, flags) == said


def test_the_demo_has_no_resume_and_is_told_so() -> None:
    flags = CalledFlags({item.dest: item.option_strings[-1] for item in make_parser(DemoConfig, "demo").flags})
    said = spell("stopped; demo is not complete. Continue with the same command and --resume.", flags)
    assert said == "stopped; demo is not complete. Continue with the same command."


@pytest.mark.parametrize(
    ("python", "said", "unsaid"),
    [
        ((3, 13), "pip install 'procgen-gym", "Python 3.13"),
        ((3, 12), "only for CPython 3.13, and this is Python 3.12", "pip install"),
        ((3, 14), "only for CPython 3.13, and this is Python 3.14", "pip install"),
    ],
)
def test_where_the_games_are_missing_the_advice_is_right_for_this_python(
    python: tuple[int, int], said: str, unsaid: str
) -> None:
    assert said in missing_games(python)
    assert unsaid not in missing_games(python)


def test_all_commands_are_looked_at() -> None:
    assert set(NAMES) == {*(name for name in COMMANDS if name != "figures"), *(f"figures {name}" for name in FIGURES)}
    assert {module.__name__.rpartition(".")[2] for module in (enjoy_sppo, hover_clusters, single_graph)} <= set(
        ORIGINAL
    )
