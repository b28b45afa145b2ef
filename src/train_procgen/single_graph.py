"""The original's `python -m train_procgen.single_graph`: SPPO against PPO in one game, over environment steps.

It can also be run inside the folder, as in the original's README: `cd src/train_procgen; python single_graph.py`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from semantic_rl.analysis.curves import compute_curves
from semantic_rl.analysis.runs import RunFolder, find_runs, load_runs, select_runs
from semantic_rl.arguments import ArgumentParser
from semantic_rl.arguments.values import path, text, whole_number
from semantic_rl.called_flags import as_called
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.envs.procgen.games import GAMES, find_game
from semantic_rl.errors import UserError
from semantic_rl.figures.curve_panels import curves_figure
from semantic_rl.figures.style import save_figure
from train_procgen.command import empty_parser, run_command

TRAINING_LEVELS = {"easy": 200, "hard": 500}
"""Number of training levels of a run with a restricted training set."""
ORIGINAL_WORKERS = {"easy": 1, "hard": 4}
"""Number of training workers that the original assumes for its runs; their logs count the steps of one worker."""
TRUE, FALSE = ("yes", "true", "t", "y", "1"), ("no", "false", "f", "n", "0")
HOME = "train_procgen"

EPILOG = """\
Runs are looked for in train_procgen/checkpoints, then in runs, under the
working directory; the figure goes to train_procgen/figures. Inside a folder
train_procgen these are checkpoints, then ../runs and ../../runs, and figures.
All settings, several games, and a table of scores: semantic-rl figures curves
"""


def parse_bool(text: str) -> bool:
    """Parse a truth value as the original does; raises ArgumentTypeError for anything else."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise argparse.ArgumentTypeError(f"got '{text}', expected True or False")


def make_parser() -> ArgumentParser:
    """Make the parser, with the original's flags and defaults."""
    parser = empty_parser(
        "single_graph",
        "Draw return over environment steps, SPPO against PPO, with the flags of the paper's code.",
        EPILOG,
    )
    add = parser.settings.add_argument
    add("--env_name", type=text, default="coinrun", metavar="GAME", help=f"{', '.join(GAMES)} (default: %(default)s)")
    add("--distribution_mode", type=text, default="easy", metavar="MODE", help="easy or hard (default: %(default)s)")
    add("--normalize_and_reduce", action="store_true", help="normalise scores: 0 is a trivial policy, 1 a perfect one")
    add("--restrict_training_set", type=parse_bool, default=False, metavar="BOOL",
        help="draw runs on 200 levels (hard: 500), with their scores on all levels (default: %(default)s)")  # fmt: skip
    add("--save", action="store_false",
        help="show the figure and do not save it; the name is misleading, as in the original")  # fmt: skip
    ours = parser.add_argument_group("beyond the original's")
    ours.add_argument("--run_root", type=path, metavar="DIR", help="folder of the run folders (default: see below)")
    ours.add_argument(
        "--skip_updates",
        type=whole_number,
        default=CurvesFigureConfig.skip_updates,
        metavar="N",
        help="number of updates at the beginning that are not drawn (default: %(default)s)",
    )
    return parser


def find_game_runs(env: str, mode: str, num_levels: int, run_root: Path | None = None) -> list[RunFolder]:
    """Return the runs of a game in `run_root`, or in the first of the usual places that has any.

    Raises UserError that names the places and the runs in them.
    """
    inside = Path.cwd().name == HOME
    usual = ("checkpoints", "../runs", "../../runs") if inside else (f"{HOME}/checkpoints", "runs")
    reasons: list[str] = []
    for root in usual if run_root is None else (str(run_root),):
        if run_root is None and not Path(root).is_dir():
            continue
        try:
            return select_runs(find_runs([root], _warn), [env], mode, num_levels)
        except UserError as error:
            if run_root is not None:
                raise
            reasons.append(f"In {root}: {error}")
    raise UserError(
        f"no run of {env} found in {', '.join(usual)} under {Path.cwd()}; --run_root says where they are. "
        + " ".join(reasons)
    )


def _warn(text: str) -> None:
    print(f"note: {as_called(text)}", file=sys.stderr)


def has_window() -> bool:
    """Say whether matplotlib can open a window here."""
    from matplotlib import pyplot
    from matplotlib.backends.registry import BackendFilter, backend_registry

    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return pyplot.get_backend().lower() in (name.lower() for name in interactive)


def draw(arguments: argparse.Namespace) -> None:
    """Draw the figure, print the paths of the written files, and show it if there is a display."""
    env, mode = arguments.env_name, arguments.distribution_mode
    find_game(env)
    if mode not in TRAINING_LEVELS:
        raise UserError(f"distribution_mode: got '{mode}', expected easy or hard.")
    if arguments.skip_updates < 0:
        raise UserError(f"skip_updates: got {arguments.skip_updates}, expected a number of at least 0.")
    shown = has_window()
    if not (arguments.save or shown):
        raise UserError("save: there is no display to show the figure on; leave out --save, which turns saving off.")
    num_levels = TRAINING_LEVELS[mode] if arguments.restrict_training_set else 0
    folders = find_game_runs(env, mode, num_levels, arguments.run_root)
    runs = load_runs(folders, _warn, arguments.skip_updates, original_workers=ORIGINAL_WORKERS[mode])
    games = compute_curves(runs, arguments.skip_updates, normalized=arguments.normalize_and_reduce)
    if shown:
        from matplotlib import pyplot

        figure = pyplot.figure()
    else:
        figure = Figure()
    curves_figure(games, figure=figure)
    if arguments.save:
        name = f"{env}_{mode}_{num_levels}{'-mean' if arguments.normalize_and_reduce else ''}"
        out = Path("figures") if Path.cwd().name == HOME else Path(HOME, "figures")
        for written in save_figure(figure, out, name):
            print(written)
    if shown:
        from matplotlib import pyplot

        pyplot.show()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends with one line and exit code 2."""
    run_command(make_parser(), arguments, draw)


if __name__ == "__main__":
    main()
