"""Final scores as a text table, with notes on how reliable the intervals are, and as rows for CSV files."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from semantic_rl.analysis.scores import METRICS, Estimate, Metric, RunScore, Scores, SeriesScores
from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError
from semantic_rl.output_places import check_output_file

METRIC_NAMES: dict[Metric, str] = {
    "mean": "mean",
    "median": "median",
    "iqm": "IQM",
    "optimality_gap": "optimality gap",
}
COVERAGE = {2: 50, 3: 75, 4: 80, 5: 84, 6: 86, 7: 88, 8: 89, 9: 89}
"""Actual coverage in percent of a nominal 95% bootstrap interval of the mean, by the number of runs.

Simulated with normal scores in one game, over all possible resamples; the tests repeat the simulation.
"""
RUN_COLUMNS = (
    "env", "distribution_mode", "curve", "root", "algorithm", "num_levels", "start_level", "scored_on", "seed",
    "steps", "num_updates", "return", "normalized_score", "run",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "env", "distribution_mode", "curve", "root", "algorithm", "num_levels", "start_level", "scored_on", "metric",
    "num_games", "num_runs", "value", "low", "high",
)  # fmt: skip


def score_table(scores: Scores) -> str:
    """Return the scores of each game, and the aggregates of normalised scores, as text."""
    first = scores.games[0].runs[0][0]
    updates = sorted({run.num_updates for summary in scores.games for run in summary.runs[0]})
    span = f"{updates[0]}" if len(updates) == 1 else f"{updates[0]} to {updates[-1]}"
    parts = [
        f"final scores ({first.folder.name.distribution_mode}): mean return over the last {span} updates of each run",
        "",
        _game_table(scores.games),
    ]
    overall = [summary for summary in scores.overall if summary.normalized is not None]
    if overall:
        parts += ["", "normalised scores: 0 a trivial, 1 a perfect policy; over all games of a curve", ""]
        parts += [_overall_table(overall)]
    return "\n".join([*parts, "", *score_notes(scores)])


def _game_table(games: Sequence[SeriesScores]) -> str:
    rows = [("game", "curve", "runs", "steps", "mean", "95% interval", "each run (seed: mean return)")]
    for summary in games:
        runs = summary.runs[0]
        assert summary.mean_return is not None, "a single game has a mean return"
        steps = sorted(run.steps for run in runs)
        span = _millions(steps[0]) if steps[0] == steps[-1] else f"{_millions(steps[0])}–{_millions(steps[-1])}"
        each = "  ".join(f"{run.folder.name.seed}: {run.score:.2f}" for run in runs)
        mean = f"{summary.mean_return.value:.2f}"
        rows.append((summary.envs[0], summary.label, str(len(runs)), span, mean, _span(summary.mean_return, 2), each))
    return _align(rows, right=(2, 3, 4))


def _overall_table(overall: Sequence[SeriesScores]) -> str:
    rows = [("curve", "games", "runs", *METRIC_NAMES.values())]
    for summary in overall:
        assert summary.normalized is not None, "only summaries with a range"
        cells = [
            f"{summary.normalized[metric].value:.3f}  {_span(summary.normalized[metric], 3)}" for metric in METRICS
        ]
        rows.append((summary.label, str(len(summary.runs)), str(sum(summary.num_runs)), *cells))
    return _align(rows, right=(1, 2))


def score_notes(scores: Scores) -> list[str]:
    """Say how far the intervals can be trusted with so few runs, and which scores cannot be compared."""
    counts = sorted({count for summary in scores.games for count in summary.num_runs})
    notes: list[str] = []
    if counts[0] == 1:
        notes.append(
            "–: no interval where a game has a single run, which cannot tell how far other seeds would be from it."
        )
    if counts[-1] > 1:
        notes.append("Intervals: 95% percentile bootstrap over runs, which are drawn anew within each game.")
    few = [count for count in counts if count in COVERAGE]
    if few:
        worth = ", ".join(f"about {COVERAGE[n]} with {n} runs" for n in few)
        notes.append(f"With few runs they are too narrow: of 100 intervals of a game, {worth} hold its mean, not 95.")
    lengths = {env: {run.steps for s in scores.games if s.envs[0] == env for run in s.runs[0]} for env in _envs(scores)}
    uneven = [env for env, steps in lengths.items() if max(steps) > 1.05 * min(steps)]
    if uneven:
        shortest = min(min(lengths[env]) for env in uneven)
        notes.append(
            f"Runs of {', '.join(uneven)} differ in length, and each is scored at its own end; "
            f"--max-steps {shortest:.0f} compares them at the same number of steps."
        )
    if len({summary.envs for summary in scores.overall}) > 1:
        notes.append("The curves were not run on the same games, so their normalised scores cannot be compared.")
    return notes


def run_rows(scores: Scores) -> list[tuple[object, ...]]:
    """Return one row of `RUN_COLUMNS` per run."""
    return [
        (*_identity(summary, run), run.folder.name.seed, f"{run.steps:.0f}", run.num_updates, f"{run.score:.6g}",
         "" if run.normalized is None else f"{run.normalized:.6g}", run.folder.path.resolve().name)
        for summary in scores.games
        for run in summary.runs[0]
    ]  # fmt: skip


def summary_rows(scores: Scores) -> list[tuple[object, ...]]:
    """Return one row of `SUMMARY_COLUMNS` per number with an interval; `env` is "all" for several games together."""
    rows: list[tuple[object, ...]] = []
    for summary in (*scores.games, *(summary for summary in scores.overall if len(summary.runs) > 1)):
        estimates: list[tuple[str, Estimate]] = []
        if summary.mean_return is not None:
            estimates.append(("mean_return", summary.mean_return))
        if summary.normalized is not None:
            estimates += [(f"normalized_{metric}", summary.normalized[metric]) for metric in METRICS]
        env, *rest = _identity(summary, summary.runs[0][0])
        identity = ("all" if len(summary.runs) > 1 else env, *rest)
        for metric, found in estimates:
            numbers = ("" if value is None else f"{value:.6g}" for value in found)
            rows.append((*identity, metric, len(summary.runs), sum(summary.num_runs), *numbers))
    return rows


def check_csv_place(path: Path, columns: Sequence[str]) -> None:
    """Raise UserError if a CSV file cannot be written, or would replace one that has other columns."""
    head = (",".join(columns) + "\n").encode()
    check_output_file(path, "a table of scores of semantic-rl", lambda beginning: beginning.startswith(head))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV file atomically and return its path. Raises UserError as `check_csv_place` does."""
    check_csv_place(path, columns)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another --out.") from error
    return path


def _identity(summary: SeriesScores, run: RunScore) -> tuple[object, ...]:
    name, series = run.folder.name, summary.series
    scored_on = "held-out levels" if summary.held_out else "training levels"
    return (name.env, name.distribution_mode, summary.label, *series, scored_on)


def _envs(scores: Scores) -> list[str]:
    return sorted({summary.envs[0] for summary in scores.games})


def _span(found: Estimate, digits: int) -> str:
    if found.low is None or found.high is None:
        return "–"
    return f"{found.low:.{digits}f} to {found.high:.{digits}f}"


def _millions(steps: float) -> str:
    return f"{steps / 1e6:.1f}M" if steps >= 1e5 else f"{steps / 1e3:.1f}k"


def _align(rows: Sequence[Sequence[str]], right: Iterable[int]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
