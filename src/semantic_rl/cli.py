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


def _record(arguments: list[str]) -> None:
    from semantic_rl.config import RecordConfig

    config: RecordConfig = parse(RecordConfig, arguments, "record")
    from semantic_rl.recording.record import record
    from semantic_rl.recording.store import open_recording

    print(open_recording(record(config)).summary())


def _figures(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage("semantic-rl figures FIGURE", "Draw a recording.", FIGURES))
        return
    _run(FIGURES, arguments, "figure")


def _embeddings(arguments: list[str]) -> None:
    from semantic_rl.config import EmbeddingsFigureConfig

    config: EmbeddingsFigureConfig = parse(EmbeddingsFigureConfig, arguments, "figures embeddings")
    from semantic_rl.figures.embeddings import make_embeddings

    for path in make_embeddings(
        config.recording,
        config.out,
        color=config.color,
        max_states=config.max_states,
        perplexity=config.perplexity,
        seed=config.seed,
        num_threads=config.num_threads,
    ):
        print(path)


def _clusters(arguments: list[str]) -> None:
    from semantic_rl.config import ClustersFigureConfig

    config: ClustersFigureConfig = parse(ClustersFigureConfig, arguments, "figures clusters")
    from semantic_rl.figures.clusters import make_clusters

    for path in make_clusters(config.recording, config.out, config.seed):
        print(path)


def _transitions(arguments: list[str]) -> None:
    from semantic_rl.config import TransitionsFigureConfig

    config: TransitionsFigureConfig = parse(TransitionsFigureConfig, arguments, "figures transitions")
    from semantic_rl.figures.transitions import make_transitions

    for path in make_transitions(config.recording, config.out):
        print(path)


def _import_original(arguments: list[str]) -> None:
    from semantic_rl.config import ImportOriginalConfig

    config: ImportOriginalConfig = parse(ImportOriginalConfig, arguments, "import-original")
    from semantic_rl.training.import_original import import_original

    print(import_original(config))


COMMANDS: dict[str, Command] = {
    "train": Command("train an agent with the semantic clustering module, or plain PPO", _train),
    "evaluate": Command("play whole episodes with an agent: mean return, success rate", _evaluate),
    "record": Command("write the states that an agent meets, and what its network makes of them", _record),
    "figures": Command("draw a recording: figures embeddings | clusters | transitions", _figures),
    "import-original": Command("make a run folder of a checkpoint written by the paper's code", _import_original),
}


FIGURES: dict[str, Command] = {
    "embeddings": Command("the FDR space beside t-SNE of the features, coloured by cluster", _embeddings),
    "clusters": Command("a card for each cluster: frames, actions, values, when, and what comes of it", _clusters),
    "transitions": Command("how the agent moves between clusters: as a matrix, and over the FDR space", _transitions),
}


def _usage(program: str, purpose: str, commands: dict[str, Command]) -> str:
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in commands.items()]
    head, _, placeholder = program.rpartition(" ")
    return "\n".join(
        [
            f"usage: {program} [OPTIONS]",
            "",
            purpose,
            "",
            *lines,
            "",
            f"{head} {placeholder} --help shows a {placeholder.lower()}'s options.",
        ]
    )


def _run(commands: dict[str, Command], arguments: list[str], kind: str) -> None:
    name, *rest = arguments
    if name not in commands:
        raise UserError(
            f"unknown {kind} '{name}'.{nearest(name, list(commands))} {kind.capitalize()}s: {', '.join(commands)}."
        )
    commands[name].run(rest)


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage("semantic-rl COMMAND", "See what a reinforcement-learning agent has learned.", COMMANDS))
        return
    if arguments[0] == "--version":
        from semantic_rl import __version__

        print(f"semantic-rl {__version__}")
        return
    _run(COMMANDS, arguments, "command")


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
