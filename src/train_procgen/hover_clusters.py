"""The original's `python -m train_procgen.hover_clusters`: states in the FDR space, with the frame under the pointer.

Names and defaults are the original's, and so are the places where it looks for agents. As in the original, states are
collected once and shown again the next time. Instead of a matplotlib window, the explorer opens in the browser.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from semantic_rl.arguments import ArgumentParser
from semantic_rl.artifacts import RECORDING_FILE
from semantic_rl.config import ExploreConfig, RecordConfig
from semantic_rl.errors import UserError
from train_procgen.command import AGENT_FLAGS, IGNORED_FLAGS, add_flag, add_flags, empty_parser, run_command
from train_procgen.enjoy_sppo import AGENT_FOLDERS, FIGURES_FOLDER, check_agent, find_agent, find_name

EPILOG = """\
The agent is looked for as train_procgen.enjoy_sppo does; where nothing was
trained, one that ships with semantic-rl is taken. It plays the levels
that it was trained on, in whole episodes, until there are as many states as
were asked for; they are kept as a recording in
train_procgen/figures/AGENT_clusters, below the working folder, and shown again
the next time. Delete that folder to play anew. The original left out states of
clusters that already had a fifth of all, and long episodes; here all are kept,
so that the shares of the clusters are the agent's own.
"""


def make_parser() -> ArgumentParser:
    """Make the parser of the command."""
    parser = empty_parser(
        "hover_clusters",
        "Point at states of a trained SPPO agent and see their frames, with the flags of the paper's implementation.",
        EPILOG,
    )

    add_flags(parser, AGENT_FLAGS)
    add_flag(parser.settings, "--total_states", 5_000, "states to have, at least")
    add_flags(parser, IGNORED_FLAGS)
    ours = parser.add_argument_group("beyond the original's")
    add_flag(ours, "--port", ExploreConfig.port, "port of the page")
    ours.add_argument("--no_browser", action="store_true", help="print the address instead of opening it")
    return parser


def find_recording(arguments: argparse.Namespace) -> Path:
    """Return the recording of the agent; it is made if it does not exist, and completed if it was interrupted."""
    name = find_name(arguments)
    folder = FIGURES_FOLDER / f"{name}_clusters"
    if _is_complete(folder):
        _note_differences(folder, name, arguments)
        return folder
    from semantic_rl.recording.record import record

    with tempfile.TemporaryDirectory() as temporary:
        run = find_agent(arguments, Path(temporary), name)
        check_agent(run, arguments)
        return record(
            RecordConfig(
                agent=run,
                out=folder,
                states=arguments.total_states,
                num_levels=arguments.num_levels,
                start_level=arguments.start_level if arguments.num_levels else None,
                seed=arguments.rand_seed,
                num_envs=arguments.num_envs,
                resume=os.path.isfile(folder / RECORDING_FILE),
            )
        )


def _is_complete(folder: Path) -> bool:
    from semantic_rl.recording.store.description import read_description

    return (folder / RECORDING_FILE).is_file() and read_description(folder).get("complete") is True


def _note_differences(folder: Path, name: str, arguments: argparse.Namespace) -> None:
    """Print how an existing recording differs from what would be recorded now."""
    from semantic_rl.recording.store.description import read_description
    from semantic_rl.training.checkpoint import find_checkpoint

    description = read_description(folder)
    differences: list[str] = []
    recorded = description["settings"].get("states")
    if recorded != arguments.total_states:
        differences.append(f"{recorded} states were asked for, not {arguments.total_states}")
    known = Path(description["agent"].get("path", "")).name
    for root in AGENT_FOLDERS:
        try:
            newest = find_checkpoint(root / name).name
        except UserError:
            continue
        if newest != known:
            differences.append(f"it is of {known}, and there is {newest} now")
        break
    if differences:
        print(f"note: {folder} is shown, but {' and '.join(differences)}; delete it to play anew.", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends with one line and exit code 2."""

    def look(parsed: argparse.Namespace) -> None:
        from semantic_rl.commands.explore import explore

        if parsed.total_states < 1:
            raise UserError(f"total_states: got {parsed.total_states}, expected a number of at least 1.")
        # Made before anything is played, so that an invalid port is reported at once.
        settings = ExploreConfig(Path(), port=parsed.port, browser=not parsed.no_browser)
        explore(replace(settings, recording=find_recording(parsed)))

    run_command(make_parser(), arguments, look)


if __name__ == "__main__":
    main()
