"""The original's `python -m train_procgen.enjoy_sppo`: clips of clusters (mode 0) or embedding spaces (mode 1).

Names and defaults are the original's, and so are the places where it looks for agents and writes results. Mode 0 plays
the given levels; mode 1 plays levels with numbers higher by 200,000, with the original's protocol for exploring states.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from semantic_rl.arguments import ArgumentParser
from semantic_rl.arguments.values import one_of
from semantic_rl.artifacts import run_name
from semantic_rl.config import ClipsConfig, ClipSettings, EnvConfig, ImportOriginalConfig, RecordConfig
from semantic_rl.errors import UserError
from train_procgen.command import AGENT_FLAGS, IGNORED_FLAGS, add_flags, empty_parser, run_command

AGENT_FOLDERS = (Path("train_procgen/checkpoints"), Path("runs"))
FIGURES_FOLDER = Path("train_procgen/figures")
LEVELS_FURTHER_ON = 200_000
"""Offset that mode 1 adds to --start_level; with --num_levels 0 all levels are played anyway."""
LEGEND_WIDTH = 1.3
SPACES = ("feature", "fdr")
"""The embedding spaces that mode 1 draws."""

EPILOG = """\
The agent is looked for in train_procgen/checkpoints and in runs, below the
working folder, under sppo-ENV_MODE_LEVELS_START_SEED: a run folder of ours, of
which the last checkpoint is taken, or the original's file
checkpoints/TIMESTEPS, which is read as import-original does it. Where there is
neither, the newest run that differs in its seed alone is taken, and where there
is none either, an agent of these settings that ships with semantic-rl.

Mode 0 writes train_procgen/figures/ENV_skills/cluster_0.mp4 and so on (the
original: .avi) with an animated .webp beside each. Mode 1 writes
train_procgen/figures/ENV_LEVELS_feature_embeddings.png (t-SNE) and
ENV_LEVELS_fdr_embeddings.png, and both as .svg.
"""


def _read_mode(word: str) -> int:
    return int(one_of("0", "1")(word))


def make_parser() -> ArgumentParser:
    """Make the parser of the command."""
    parser = empty_parser(
        "enjoy_sppo",
        "Look at the clusters of a trained SPPO agent, with the flags of the paper's implementation.",
        EPILOG,
    )

    parser.settings.add_argument(
        "--mode", type=_read_mode, default=1, metavar="{0,1}",
        help="0: make a clip of each cluster; 1: plot the embedding spaces (default: 1)",
    )  # fmt: skip
    add_flags(parser, {**AGENT_FLAGS, **IGNORED_FLAGS})
    return parser


def find_name(arguments: argparse.Namespace) -> str:
    """Return the name of the run that the flags give, or of the newest run that differs from it only in the seed."""
    environment = EnvConfig(
        arguments.env_name, arguments.distribution_mode, arguments.num_levels, arguments.start_level
    )
    words = (environment.env, environment.distribution_mode, environment.num_levels, environment.start_level)
    name = run_name("sppo", *words, arguments.rand_seed)
    if any((root / name).is_dir() for root in AGENT_FOLDERS):
        return name
    begin = name.removesuffix(str(arguments.rand_seed))
    others = [
        (max(path.stat().st_mtime for path in checkpoints), folder.name)
        for root in AGENT_FOLDERS
        for folder in root.glob(f"{begin}*")
        if folder.name.removeprefix(begin).isdecimal() and (checkpoints := list(folder.glob("checkpoints/*")))
    ]
    if not others:
        return name
    newest = max(others)[1]
    said = f"note: {name} is not here; {newest} is taken, the newest run of this game and these levels."
    print(said, file=sys.stderr)
    return newest


def find_agent(arguments: argparse.Namespace, temporary: Path, name: str | None = None) -> Path:
    """Return the agent's run folder; if there is only an original checkpoint, make one from it in `temporary`.

    If there is neither, nor a run with another seed, a shipped agent with the same settings is used. `name` is the
    result of `find_name`, if it has been called already.
    """
    from semantic_rl.agents import shipped_agents

    name = name or find_name(arguments)
    for root in AGENT_FOLDERS:
        original = root / name / "checkpoints" / str(arguments.timesteps_per_proc)
        if original.is_file():
            return _imported(original, temporary / name, arguments, int(name.rpartition("_")[2]))
    for root in AGENT_FOLDERS:
        if (root / name).is_dir():
            return root / name
    for agent in shipped_agents():
        card = agent.card
        known = (card["env"], card["distribution_mode"], card["num_levels"], card["start_level"])
        if run_name(card["algorithm"], *known, card["seed"]) == name:
            print(f"note: {name} is not here; {agent.name}, which ships with semantic-rl, is taken.", file=sys.stderr)
            return agent.path
    raise UserError(
        f"there is no agent {name} in {' or '.join(map(str, AGENT_FOLDERS))}; train it with "
        "'python -m train_procgen.train_sppo', or give the flags that it was trained with."
    )


def _imported(file: Path, run: Path, arguments: argparse.Namespace, seed: int) -> Path:
    from semantic_rl.original.import_checkpoint import import_original

    print(
        import_original(
            ImportOriginalConfig(
                file=file,
                out=run,
                env=arguments.env_name,
                distribution_mode=arguments.distribution_mode,
                num_levels=arguments.num_levels,
                start_level=arguments.start_level,
                seed=seed,
            )
        ),
        file=sys.stderr,
    )
    return run


def check_agent(run: Path, arguments: argparse.Namespace) -> None:
    """Raise UserError unless the agent has the requested clusters; print a note if its training was shorter."""
    from semantic_rl.training.checkpoint import read_state

    state = read_state(run)
    num_codes = state["config"]["num_codes"] if state["config"]["algorithm"] == "sppo" else 0
    if num_codes == 0:
        raise UserError(f"{run}: the agent has no semantic clustering module (PPO), so there are no clusters to see.")
    if num_codes != arguments.num_embeddings:
        raise UserError(
            f"num_embeddings: got {arguments.num_embeddings}, but the agent {run} has {num_codes} clusters; give "
            f"--num_embeddings {num_codes}."
        )
    if state["timesteps"] not in (0, arguments.timesteps_per_proc):
        print(
            f"note: the last checkpoint of {run} is taken; it is from step {state['timesteps']:,}, not "
            f"{arguments.timesteps_per_proc:,} (--timesteps_per_proc).",
            file=sys.stderr,
        )


def make_clips(run: Path, arguments: argparse.Namespace) -> list[Path]:
    """Make a clip of each cluster; resumes if it was interrupted."""
    from semantic_rl.clips.make import PLAYING_FOLDER
    from semantic_rl.clips.play_agent import make, remove_played

    out = FIGURES_FOLDER / f"{arguments.env_name}_skills"

    def attempt(resume: bool) -> list[Path]:
        return make(
            ClipsConfig(run, out, ClipSettings(seed=arguments.rand_seed), num_envs=arguments.num_envs, resume=resume)
        )

    return _resumed(attempt, out / PLAYING_FOLDER, remove_played)


def make_embeddings(run: Path, arguments: argparse.Namespace) -> list[Path]:
    """Record states as the original does for its figures, and draw the two embedding spaces."""
    from semantic_rl.figures.style import check_figure_places
    from semantic_rl.recording.record import record
    from semantic_rl.recording.store.removal import remove_recording

    name = f"{arguments.env_name}_{arguments.num_levels}"
    folder = FIGURES_FOLDER / f"{name}_playing"

    def attempt(resume: bool) -> Path:
        return record(
            RecordConfig(
                agent=run,
                out=folder,
                protocol="explore",
                num_levels=arguments.num_levels,
                start_level=arguments.start_level + LEVELS_FURTHER_ON if arguments.num_levels else None,
                frame_size=0,
                seed=arguments.rand_seed,
                num_envs=arguments.num_envs,
                resume=resume,
            )
        )

    for space in SPACES:  # check the outputs before anything is played
        check_figure_places(FIGURES_FOLDER, f"{name}_{space}_embeddings")
    paths = draw_embeddings(_resumed(attempt, folder, remove_recording), FIGURES_FOLDER, name, arguments.rand_seed)
    remove_recording(folder)
    return paths


def _resumed[Result](attempt: Callable[[bool], Result], folder: Path, remove: Callable[[Path], None]) -> Result:
    """Resume what is in `folder`; start afresh if there is nothing, or if it was begun with other settings."""
    if folder.is_dir():
        try:
            return attempt(True)
        except UserError as error:
            if not str(error).startswith("resume:"):
                raise
            remove(folder)
    return attempt(False)


def draw_embeddings(recording: Path, out: Path, name: str, seed: int) -> list[Path]:
    """Draw t-SNE of the features and the FDR space of a recording in separate figures; return the paths of the PNGs."""
    from matplotlib.figure import Figure
    from rich.console import Console

    from semantic_rl.analysis.embedding import compute_planes
    from semantic_rl.figures.embeddings import caption, color_states, draw_fdr, draw_tsne, warn_of_untrained
    from semantic_rl.figures.style import (
        ABOVE_PANELS,
        BELOW_PANELS,
        PANEL_SIZE,
        PANEL_WIDTH,
        add_square_panels,
        paper_style,
        save_figure,
        write_caption,
    )
    from semantic_rl.recording.store import open_recording

    opened = open_recording(recording)
    warn_of_untrained(opened)
    with Console(stderr=True).status("t-SNE"):
        planes = compute_planes(opened, seed=seed)
    assert planes.fdr is not None, "its clusters were counted"
    coloring = color_states(opened, planes, "cluster")
    paths: list[Path] = []
    if planes.tsne is None:
        print(f"{recording}: drawing the FDR space alone: {planes.no_tsne}.", file=sys.stderr)
    for space, points in zip(SPACES, (planes.tsne, planes.fdr), strict=True):
        if points is None:
            continue
        with paper_style():
            figure = Figure((PANEL_WIDTH + LEGEND_WIDTH, BELOW_PANELS + PANEL_SIZE + ABOVE_PANELS))
            (ax,) = add_square_panels(figure, 1, BELOW_PANELS)
            if space == "fdr":
                draw_fdr(ax, points, opened.codebook, coloring)
                ax.set_title("The FDR space")
            else:
                draw_tsne(ax, points, coloring)
                ax.set_title("The t-SNE space of the features")
            marks = [ax.plot([], [], "o", markersize=6, color=color, label=text)[0] for color, text in coloring.entries]
            ax.legend(handles=marks, title=coloring.label, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
            write_caption(figure, caption(opened, len(planes.rows)))
        paths.append(save_figure(figure, out, f"{name}_{space}_embeddings")[0])
    return paths


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends with one line and exit code 2."""

    def look(parsed: argparse.Namespace) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            run = find_agent(parsed, Path(temporary))
            check_agent(run, parsed)
            for path in make_embeddings(run, parsed) if parsed.mode == 1 else make_clips(run, parsed):
                print(path)

    run_command(make_parser(), arguments, look)


if __name__ == "__main__":
    main()
