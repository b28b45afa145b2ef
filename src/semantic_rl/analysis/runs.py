"""Finds run folders, ours or the original's, and reads their scores over environment steps.

The folder's name and its `progress.csv` suffice, so the original's published folders can be read as they are.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from semantic_rl.analysis.progress import Progress, Warn, read_held_out, read_progress
from semantic_rl.artifacts import CONFIG_FILE, PROGRESS_FILE, held_out_logs, run_name
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.errors import UserError
from semantic_rl.json_files import read_json_object

EXAMPLE_NAME = "sppo-coinrun_easy_0_0_2021"

_NAME = re.compile(r"(.+)-([a-z]+)_([a-z]+)_(\d+)_(\d+)_(\d+)")


class RunName(NamedTuple):
    """The parts of a run folder's name: algorithm-game_mode_levels_startlevel_seed."""

    algorithm: str
    env: str
    distribution_mode: str
    num_levels: int
    """0: all levels."""
    start_level: int
    seed: int


class RunFolder(NamedTuple):
    """A run on disk."""

    path: Path
    root: str
    """The name that the user gave to the folder that contains it; empty if none was given."""
    name: RunName


@dataclass(frozen=True)
class Run:
    """A run that has been read."""

    folder: RunFolder
    training: Progress
    held_out: Progress | None
    """Scores on all levels, almost none of which the agent trains on; None if these were not played."""


def parse_run_name(name: str) -> RunName | None:
    """Parse the name of a run folder; None if it does not have this form."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    algorithm, env, mode, num_levels, start_level, seed = match.groups()
    return RunName(algorithm, env, mode, int(num_levels), int(start_level), int(seed))


def find_runs(roots: Sequence[str], warn: Warn) -> list[RunFolder]:
    """Return the runs in `roots`, each a run folder or a folder of run folders, given as FOLDER or NAME=FOLDER.

    A run is a folder with a `progress.csv`. Raises UserError if a root is missing or holds no run, and if a run occurs
    twice under the same root name.
    """
    found: dict[tuple[str, RunName], RunFolder] = {}
    for text in roots:
        root, path = _parse_root(text)
        for run in _runs_of(root, path, warn):
            other = found.setdefault((run.root, run.name), run)
            if other.path.resolve() != run.path.resolve():
                raise UserError(
                    f"run_root: {other.path} and {run.path} are the same run twice; leave one out, or name the folders "
                    f"to draw them apart: --run-root first={other.path.parent} second={run.path.parent}."
                )
    return list(found.values())


def _parse_root(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if equals and name and folder and not os.path.lexists(text):
        return name, Path(folder)
    return "", Path(text)


def _runs_of(root: str, path: Path, warn: Warn) -> list[RunFolder]:
    runs: list[RunFolder] = []
    reasons: list[str] = []
    for folder in _folders_of(path):
        try:
            if not _has_log(folder):
                continue
            name = parse_run_name(Path(os.path.abspath(folder)).name) or _configured_name(folder)
            runs.append(RunFolder(folder, root, name))
        except UserError as error:
            reasons.append(str(error))
            warn(str(error))
    if not runs:
        why = f" {reasons[0]}" if reasons else ""
        raise UserError(
            f"run_root: {path} holds no run folder, such as {EXAMPLE_NAME} with a {PROGRESS_FILE} in it; "
            f"give the folder in which they lie.{why}"
        )
    return runs


def _folders_of(path: Path) -> list[Path]:
    """Return the folder itself if it is a run folder, else the folders in it."""
    try:
        return [path] if (path / PROGRESS_FILE).is_file() else sorted(path.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"run_root: there is no folder {path}; expected one that holds run folders such as {EXAMPLE_NAME}."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"run_root: {path} cannot be read: {reason}; give another folder.") from error


def _has_log(folder: Path) -> bool:
    """Say whether there is anything named `progress.csv`; raises UserError if that cannot be determined."""
    try:
        (folder / PROGRESS_FILE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UserError(f"{folder} is left out: it cannot be read: {error.strerror or error}.") from error
    return True


def _configured_name(folder: Path) -> RunName:
    """Return the parts of the name from `config.json`, for a renamed folder; raises UserError if they are missing."""
    why = f"{folder} is left out: its name does not say what was run, as {EXAMPLE_NAME} does"
    file = folder / CONFIG_FILE
    if not os.path.lexists(file):
        raise UserError(f"{why}, and there is no {CONFIG_FILE} in it.")
    try:
        config = read_json_object(file, "give the folder such a name").object("config")
        texts = [config.text(name) for name in ("algorithm", "env", "distribution_mode")]
        numbers = [config.integer(name) for name in ("num_levels", "start_level", "seed")]
        name = parse_run_name(run_name(texts[0], texts[1], texts[2], numbers[0], numbers[1], numbers[2]))
        return name or config.wrong("env", "the name of a game")
    except UserError as error:
        raise UserError(f"{why}, and {error}") from error


def select_runs(
    folders: Sequence[RunFolder], envs: Sequence[str], distribution_mode: str, num_levels: int | None = None
) -> list[RunFolder]:
    """Return the runs of these games (empty: all games), this mode and this number of levels (None: any).

    Raises UserError that lists the available runs if a game is missing or nothing matches.
    """
    fitting = [
        folder
        for folder in folders
        if folder.name.distribution_mode == distribution_mode and num_levels in (None, folder.name.num_levels)
    ]
    there = {folder.name.env for folder in fitting}
    missing = [env for env in envs if env not in there]
    if missing or not fitting:
        levels = "" if num_levels is None else f" on {describe_levels(num_levels)}"
        raise UserError(
            f"env: there is no run of {', '.join(missing) or 'any game'} ({distribution_mode}){levels}; "
            f"there are: {_describe(folders)}."
        )
    return [folder for folder in fitting if not envs or folder.name.env in envs]


def describe_levels(num_levels: int, start_level: int = 0) -> str:
    """Describe the levels that a run trains on."""
    if not num_levels:
        return "all levels"
    return f"{num_levels} level{'s' * (num_levels != 1)}" + (f" from {start_level}" if start_level else "")


def _describe(folders: Iterable[RunFolder]) -> str:
    counts = Counter((name.env, name.distribution_mode, name.num_levels) for _, _, name in folders)
    return ", ".join(
        f"{env} ({mode}, {describe_levels(num_levels)}): {count} run{'s' * (count != 1)}"
        for (env, mode, num_levels), count in sorted(counts.items())
    )


def load_runs(
    folders: Sequence[RunFolder],
    warn: Warn,
    skip_updates: int = 0,
    max_steps: float | None = CurvesFigureConfig.max_steps,
    original_workers: int = CurvesFigureConfig.original_workers,
) -> list[Run]:
    """Read the scores of runs, up to `max_steps` where given.

    Runs without a score after their first `skip_updates` updates, and runs whose `progress.csv` cannot be used, are
    skipped with a warning; raises UserError if no run of a game remains. The original logs the steps of one worker: in
    runs without our `config.json` they are multiplied by `original_workers`.
    """
    runs: list[Run] = []
    reasons: dict[str, str] = {}

    for folder in folders:
        factor = 1 if os.path.lexists(folder.path / CONFIG_FILE) else original_workers
        path = folder.path / PROGRESS_FILE
        try:
            training = read_progress(path, warn, factor).until(max_steps, skip_updates, path)
        except UserError as error:
            reasons.setdefault(folder.name.env, str(error))
            warn(f"left out: {error}")
            continue
        held_out: Progress | None = None
        try:
            held_out = read_held_out(folder.path, warn, factor)
            if held_out is not None:
                held_out = held_out.until(max_steps, skip_updates, held_out_logs(folder.path)[0])
        except UserError as error:
            warn(f"held-out scores are left out: {error}")
            held_out = None
        runs.append(Run(folder, training, held_out))
    left = {run.folder.name.env for run in runs}
    for env, reason in reasons.items():
        if env not in left:
            raise UserError(f"no run of {env} can be drawn: {reason}")
    return runs
