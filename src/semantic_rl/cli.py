"""The command line: one subcommand each; what a command needs is imported when it runs.

A user's mistake ends with one line on stderr and exit code 2. Options and their help come from the dataclasses in
`config.py`.
"""

import contextlib
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from semantic_rl.errors import UserError, nearest


class Command(NamedTuple):
    """One subcommand: a line of help, and what runs it with the arguments behind its name."""

    help: str
    run: Callable[[list[str]], None]


def parse(config: type[Any], arguments: list[str], command: str) -> Any:
    """Make a config dataclass from command-line arguments.

    tyro prints help and usage errors and exits. What the config itself refuses is raised as the UserError that it is:
    tyro would draw it into a box and break its lines.
    """
    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                config,
                args=arguments,
                prog=f"semantic-rl {command}",
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
            )
    except SystemExit as leaving:
        cause = leaving.__context__
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        sys.stderr.write(said.getvalue())
        raise


def _train(arguments: list[str]) -> None:
    from semantic_rl.config import TrainConfig

    config: TrainConfig = parse(TrainConfig, arguments, "train")
    from semantic_rl.training.train import train

    train(config)


def _evaluate(arguments: list[str]) -> None:
    from semantic_rl.config import EvaluateConfig

    config: EvaluateConfig = parse(EvaluateConfig, arguments, "evaluate")
    import json

    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.evaluate import evaluate

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("playing", total=config.episodes)
        result = evaluate(config, lambda done, total: bars.update(task, completed=done, total=total))
    print(json.dumps(result.to_json()) if config.json else result.table())


def _import_original(arguments: list[str]) -> None:
    from semantic_rl.config import ImportOriginalConfig

    config: ImportOriginalConfig = parse(ImportOriginalConfig, arguments, "import-original")
    from semantic_rl.training.import_original import import_original

    print(import_original(config))


COMMANDS: dict[str, Command] = {
    "train": Command("train an agent with the semantic clustering module, or plain PPO", _train),
    "evaluate": Command("play whole episodes with an agent: mean return, success rate", _evaluate),
    "import-original": Command("make a run folder of a checkpoint written by the paper's code", _import_original),
}


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: semantic-rl COMMAND [OPTIONS]",
            "",
            "See what a reinforcement-learning agent has learned.",
            "",
            *lines,
            "",
            "semantic-rl COMMAND --help shows a command's options.",
        ]
    )


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage())
        return
    name, *rest = arguments
    if name == "--version":
        from semantic_rl import __version__

        print(f"semantic-rl {__version__}")
        return
    if name not in COMMANDS:
        raise UserError(f"unknown command '{name}'.{nearest(name, list(COMMANDS))} Commands: {', '.join(COMMANDS)}.")
    COMMANDS[name].run(rest)


def run_or_exit(program: str, action: Callable[[], None]) -> None:
    """Run `action`; exit with 2 and one line on stderr on a user's mistake, with 130 when interrupted."""
    try:
        action()
    except UserError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, with 2 on a user's mistake, with 130 when interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    run_or_exit("semantic-rl", lambda: _dispatch(given))


if __name__ == "__main__":
    main()
