"""The command line: the names and help texts of the subcommands; each is a module of `commands`, imported when it runs.

A user's mistake ends with one line on stderr and exit code 2. Flags and their help come from the dataclasses in
`config`.
"""

import os
import select
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from semantic_rl.called_flags import as_called, set_called
from semantic_rl.errors import UserError, nearest
from semantic_rl.input_places import shown_path
from semantic_rl.terminal_signs import show_every_sign


class Command(NamedTuple):
    """One subcommand: the module of `commands` whose `run` takes its arguments, and a line of help."""

    module: str
    help: str


COMMANDS: dict[str, Command] = {
    "demo": Command("demo", "record an agent that ships with the package; make its figures, clips, metrics and report"),
    "train": Command("train", "train an agent, with the semantic clustering module (sppo) or without it (ppo)"),
    "reproduce": Command("reproduce", "train all runs of the paper's table, on this machine or on a Ray cluster"),
    "evaluate": Command("evaluate", "play whole episodes with an agent; print its mean return and success rate"),
    "record": Command("record", "record the states that an agent visits, and the outputs of its network for them"),
    "fit": Command("fit", "fit a plane and clusters to a recording of any agent; judge them on held-out episodes"),
    "figures": Command("", "draw a figure: embeddings, clusters, transitions or curves"),
    "agents": Command("agents", "list the trained agents that ship with the package"),
    "layers": Command("layers", "list the layers of an agent's network that can be recorded"),
    "pack": Command("pack", "pack an agent, with its scores, into a small folder that you can give away"),
    "clips": Command("clips", "make a video of each cluster that shows what the agent does while it is in the cluster"),
    "metrics": Command("metrics", "measure the quality of the plane and the clusters, with intervals"),
    "explore": Command("explore", "open an interactive page of a recording in the browser"),
    "report": Command("report", "write a single HTML file about a recorded agent"),
    "check": Command("check", "check whether a recording, run or agent is complete, and what can still be used"),
    "import-states": Command("import_states", "make a recording of states that exist already, without an agent"),
    "import-original": Command("import_original", "convert a checkpoint that the paper's code wrote into a run folder"),
}

FIGURES: dict[str, Command] = {
    "embeddings": Command("figures_embeddings", "the FDR space (the learned plane) beside t-SNE of the features"),
    "clusters": Command(
        "figures_clusters", "a card for each cluster: typical frames, actions, values, time in the episode, success"
    ),
    "transitions": Command("figures_transitions", "how the agent moves between clusters, as a matrix and as a flow"),
    "curves": Command("figures_curves", "learning curves of runs, and a table of their final scores"),
}

HELP = ("-h", "--help", "help")


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


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in HELP:
        print(_usage("semantic-rl COMMAND", "See what a reinforcement-learning agent has learned.", COMMANDS))
        return
    if arguments[0] == "--version":
        from semantic_rl import __version__

        print(f"semantic-rl {__version__}")
        return
    name, *rest = arguments
    if name != "figures":
        _run(COMMANDS, name, rest, "command")
    elif not rest or rest[0] in HELP:
        print(_usage("semantic-rl figures FIGURE", "Draw a recording, or the curves of runs.", FIGURES))
    else:
        _run(FIGURES, rest[0], rest[1:], "figure")


def _run(commands: dict[str, Command], name: str, arguments: list[str], kind: str) -> None:
    if name not in commands:
        raise UserError(
            f"unknown {kind} '{name}'.{nearest(name, list(commands))} {kind.capitalize()}s: {', '.join(commands)}."
        )
    import_module(f"semantic_rl.commands.{commands[name].module}").run(arguments)


def run_or_exit(program: str, action: Callable[[], None]) -> None:
    """Run a command; on a user's mistake exit with 2 and one line on stderr, when interrupted exit with 130.

    If the output goes to a program that stops reading, like `head`, exit with 141, as Unix tools do.
    """
    _let_threads_sleep()
    show_every_sign()
    try:
        try:
            action()
        finally:
            sys.stdout.flush()
    except UserError as error:
        print(f"{program}: error: {as_called(' '.join(str(error).splitlines()))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        if not _reader_has_left():
            raise
        sys.exit(141)
    except OSError as error:
        if not isinstance(error.filename, str):
            raise
        # The system refused a path of the user's that the command had not checked beforehand.
        said = f"{shown_path(Path(error.filename))}: {error.strerror}; make it accessible, or choose another place."
        print(f"{program}: error: {said}", file=sys.stderr)
        sys.exit(2)
    finally:
        set_called(None)


def _let_threads_sleep() -> None:
    """Make OpenMP's threads sleep while they wait, unless the user has set OMP_WAIT_POLICY.

    By default they spin. If another program uses the same cores, spinning threads keep the threads that they wait for
    off these cores: two t-SNEs on the same cores take several times as long as one after the other, two evaluations
    took thirteen times as long. Takes effect only if neither PyTorch nor scikit-learn has been imported yet.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _reader_has_left() -> bool:
    """Say whether the reader of the output has gone, as after `| head`; remaining output is dropped then."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        left = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # the call does not exist on Windows, or the output is not a file
        return False
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return left


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, with 2 on a user's mistake, or with 130 when interrupted."""
    given = [str(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    run_or_exit(_program(given), lambda: _dispatch(given))


def _program(arguments: list[str]) -> str:
    """Return the name for error messages: the program and its subcommand."""
    words = ["semantic-rl"]
    if arguments and arguments[0] in COMMANDS:
        words.append(arguments[0])
        if arguments[0] == "figures" and len(arguments) > 1 and arguments[1] in FIGURES:
            words.append(arguments[1])
    return " ".join(words)


if __name__ == "__main__":
    main()
