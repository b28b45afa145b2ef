"""What is in a run's folder already, read without PyTorch: whose run it is, whether it may be gone on with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semantic_rl.artifacts import CONFIG_FILE, TEMPORARY_SUFFIX, run_name
from semantic_rl.config import MAY_CHANGE_ON_RESUME, TrainConfig, to_dict
from semantic_rl.errors import UserError


def run_folder(config: TrainConfig) -> Path:
    """Return the folder that a config's run lives in."""
    environment = config.environment
    return config.run_root / run_name(
        config.algorithm,
        environment.env,
        environment.distribution_mode,
        environment.num_levels,
        environment.start_level,
        config.seed,
    )


def is_empty(run: Path) -> bool:
    """Say whether nothing was begun in a folder: it is not there, or a kill left only unfinished files in it."""
    return not run.exists() or all(path.suffix == TEMPORARY_SUFFIX for path in run.iterdir())


def check_same_run(run: Path, config: TrainConfig, num_workers: int = 1) -> None:
    """Raise UserError naming every setting that differs from the run's and matters, or where there is no run."""
    file = run / CONFIG_FILE
    if not file.is_file():
        raise UserError(f"{run} is not a run folder: it has no {CONFIG_FILE}; choose another --run-root.")
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        before: Mapping[str, Any] = {**written["config"], "number of workers": written["num_workers"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} cannot be read as a run's configuration: {error!r}.") from error
    now = {**to_dict(config), "number of workers": num_workers}
    differing = [
        f"{name} was {before.get(name)!r}, is {value!r}"
        for name, value in now.items()
        if name not in MAY_CHANGE_ON_RESUME and before.get(name) != value
    ]
    if differing:
        raise UserError(
            f"resume: {run} was made with another configuration: {'; '.join(differing)}. Resume with the former "
            "values, or start a new run in another --run-root."
        )
