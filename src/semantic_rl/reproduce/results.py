"""Results of many runs: curves and final scores, compared with those that the original published."""

from pathlib import Path
from typing import NamedTuple

from semantic_rl.analysis.curves import compute_curves
from semantic_rl.analysis.progress import Warn
from semantic_rl.analysis.runs import Run, find_runs, load_runs
from semantic_rl.analysis.scores import compute_scores
from semantic_rl.artifacts import PROGRESS_FILE
from semantic_rl.atomic_write import make_own_folder, whole_file
from semantic_rl.config import CurvesFigureConfig, TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.figures.curve_panels import write_curves
from semantic_rl.input_places import kind_of
from semantic_rl.original.published_curves import COMPARISON_COLUMNS, comparison, markdown_table, published_runs
from semantic_rl.reproduce.job import RESULTS_FOLDER, Job

SCORES_FILE = "scores.md"


class Results(NamedTuple):
    """The written files, and the text to print."""

    paths: list[Path]
    table: str
    """Final scores with intervals, as text; our runs and the original's are in separate rows."""
    comparison: str
    """Our scores beside the original's, in Markdown."""


def make_results(jobs: list[Job], warn: Warn) -> Results:
    """Draw the curves of the runs as far as they have got, and write the scores.

    Raises UserError if there is nothing to draw, or if the results cannot be written.
    """
    curves, config = CurvesFigureConfig(), jobs[0].config
    logs = [job.folder / PROGRESS_FILE for job in jobs]
    folders = [str(log.parent) for log in logs if kind_of(log, "a run's log") == "file"]
    if not folders:
        raise UserError("no run has come to its first update, so there is nothing to draw.")
    ours = load_runs(find_runs(folders, warn), warn, curves.skip_updates)
    runs = [*ours, *_published(config, ours, curves.skip_updates)]
    games = compute_curves(runs, curves.skip_updates, curves.smoothing, curves.normalize, curves.interval, curves.seed)
    scores = compute_scores(runs, curves.final_updates, curves.seed)
    text = markdown_table(COMPARISON_COLUMNS, comparison(scores))
    try:
        out = make_own_folder(config.run_root, RESULTS_FOLDER)
        paths, table = write_curves(games, scores, out)
        with whole_file(out / SCORES_FILE) as temporary:
            temporary.write_text(_page(jobs, text), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write to {config.run_root / RESULTS_FOLDER}: {error.strerror or error}.") from error
    paths.append(out / SCORES_FILE)
    return Results(paths, table, text)


def _published(config: TrainConfig, ours: list[Run], skip_updates: int) -> list[Run]:
    """Return the original's runs of our games and algorithms, cut to our length; none for unpublished settings."""
    levels = config.environment
    if (levels.distribution_mode, levels.num_levels, levels.start_level) != ("easy", 0, 0):
        return []
    names = [run.folder.name for run in ours]
    longest = max(run.training.steps[-1] for run in ours)
    return published_runs([n.env for n in names], [n.algorithm for n in names], longest, skip_updates)


def _page(jobs: list[Job], table: str) -> str:
    config = jobs[0].config
    unfinished = [f"{job.name} ({job.standing().steps:,} steps)" for job in jobs if not job.is_finished()]
    open_runs = f"\nNot finished: {', '.join(unfinished)}.\n" if unfinished else ""
    return (
        "# Final scores\n\n"
        f"Mean return over the last updates of each run (at most 100, at most a fifth of it), "
        f"{config.environment.distribution_mode}, {jobs[0].total_steps:,} steps; beside it the original's published "
        "runs, up to as many steps. The last column counts the seeds of ours that lie between the lowest and the "
        "highest of the original's: of runs that are drawn alike, with three seeds each, half do on average.\n\n"
        f"{table}{open_runs}"
    )
