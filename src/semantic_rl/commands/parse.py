"""Makes a config from command-line arguments."""

import inspect
from typing import Any

from semantic_rl.arguments import ArgumentParser, add_settings, make_config
from semantic_rl.called_flags import CalledFlags, set_called
from semantic_rl.config import TrainConfig


def make_parser(config: type[Any], command: str) -> ArgumentParser:
    """Make the parser of a subcommand, with a flag for each setting of its config."""
    program = f"semantic-rl {command}"
    parser = ArgumentParser(program, program, inspect.getdoc(config) or "")
    add_settings(parser, config)
    places = [action.metavar if action.required else f"[{action.metavar}]" for action in parser.places]
    required = [f"{action.option_strings[-1]} {action.metavar}" for action in parser.required_flags]
    parser.usage = " ".join([program, *map(str, places), *required, "[FLAGS]"])
    return parser


def parse[Config](config: type[Config], arguments: list[str], command: str) -> Config:
    """Make a config dataclass from command-line arguments; prints the help and exits if that is requested.

    Raises UserError of one sentence: UsageError for invalid words, the config's own error for invalid values.
    """
    parser = make_parser(config, command)
    given = vars(parser.parse_args(arguments))
    set_called(CalledFlags({item.dest: item.option_strings[-1] for item in parser.flags}))
    made = make_config(config, given)
    _check_effects(made)
    return made


def _check_effects(config: object) -> None:
    if isinstance(config, TrainConfig):
        config.check_effects()
