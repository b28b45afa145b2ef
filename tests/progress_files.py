"""Small run folders with nothing but scores in them, as the original publishes its runs."""

from collections.abc import Sequence
from pathlib import Path

STEPS_OF_UPDATE = 100


def write_progress(path: Path, returns: Sequence[object], steps_of_update: int = STEPS_OF_UPDATE) -> Path:
    """Write a progress.csv with these mean returns, one an update."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"50,{score},{update},{update * steps_of_update}" for update, score in enumerate(returns, 1)]
    lines = ["eplenmean,eprewmean,misc/nupdates,misc/total_timesteps", *rows]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write_run(
    root: Path,
    name: str,
    returns: Sequence[object],
    held_out: Sequence[object] | None = None,
    steps_of_update: int = STEPS_OF_UPDATE,
) -> Path:
    """Write a run folder; return its path."""
    write_progress(root / name / "progress.csv", returns, steps_of_update)
    if held_out is not None:
        write_progress(root / name / "progress-rank001.csv", held_out, steps_of_update)
    return root / name
