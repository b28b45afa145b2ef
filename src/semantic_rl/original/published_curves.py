"""The original's published runs: returns of SPPO and PPO on four games, three seeds each, 25 million steps.

`published_returns.csv.gz` holds `eprewmean` of every update of the 24 runs that Zhang, Lieffers and Pyarelal (2025)
published with their code (easy, all levels), one column per run.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from semantic_rl.analysis.curves import Series
from semantic_rl.analysis.progress import STEP_COLUMN, Progress
from semantic_rl.analysis.runs import Run, RunFolder, parse_run_name
from semantic_rl.analysis.scores import Scores, SeriesScores
from semantic_rl.errors import UserError

ORIGINAL = "original"
DATA_FILE = "published_returns.csv.gz"
COMPARISON_COLUMNS = ("game", "algorithm", "ours, each seed", "mean", "original, each seed", "mean", "within its seeds")


def published_runs(
    envs: Sequence[str], algorithms: Sequence[str], max_steps: float | None = None, skip_updates: int = 0
) -> list[Run]:
    """Return the original's runs of games and algorithms, up to `max_steps`; none if it published none."""
    text = gzip.decompress((files("semantic_rl.original") / DATA_FILE).read_bytes()).decode()
    header, *rows = csv.reader(io.StringIO(text))
    table = np.array(rows, np.float64)
    steps = table[:, header.index(STEP_COLUMN)]
    runs: list[Run] = []
    for column, text_name in enumerate(header):
        name = parse_run_name(text_name)
        if name is None or name.env not in envs or name.algorithm not in algorithms:
            continue
        folder = RunFolder(Path(ORIGINAL) / text_name, ORIGINAL, name)
        try:
            progress = Progress(steps, table[:, column]).until(max_steps, skip_updates, folder.path)
        except UserError:
            continue  # our run is too short to be compared
        runs.append(Run(folder, progress, None))
    return runs


def comparison(scores: Scores) -> list[tuple[str, ...]]:
    """Return one row of `COMPARISON_COLUMNS` per game and algorithm of ours, with our and the original's scores."""
    games = [summary for summary in scores.games if not summary.held_out]
    published = {(*summary.envs, summary.series.algorithm): summary for summary in games if _is_published(summary)}
    rows: list[tuple[str, ...]] = []
    for summary in games:
        if not _is_published(summary):
            other = published.get((*summary.envs, summary.series.algorithm))
            ours = [run.score for run in summary.runs[0]]
            theirs = [run.score for run in other.runs[0]] if other else []
            inside = f"{sum(min(theirs) <= score <= max(theirs) for score in ours)} of {len(ours)}" if theirs else "–"
            name = (summary.envs[0], summary.series.algorithm.upper())
            rows.append((*name, *_scores(ours), *_scores(theirs), inside))
    return rows


def _is_published(summary: SeriesScores) -> bool:
    series: Series = summary.series
    return series.root == ORIGINAL


def _scores(scores: Sequence[float]) -> tuple[str, str]:
    if not scores:
        return "–", "–"
    return " ".join(f"{score:.2f}" for score in scores), f"{sum(scores) / len(scores):.2f}"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table as Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
