"""The file of metrics: where it may be written, and writing it."""

from pathlib import Path

from semantic_rl.analysis.metrics.result import METRICS_FORMAT, Metrics
from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.atomic_write import make_own_folder
from semantic_rl.errors import UserError
from semantic_rl.output_places import check_output_file
from semantic_rl.recording.store.writer import write_json


def check_metrics_file(out: Path, own: tuple[Path, ...] = ()) -> None:
    """Raise UserError if `out` is a file, but not one of metrics; `own` are folders that may be written into."""
    beginning = b'{\n  "format": "' + METRICS_FORMAT.encode() + b'"'
    check_output_file(out, "a file of metrics of semantic-rl", lambda found: found.startswith(beginning), own=own)


def prepare_metrics_file(out: Path, recording: Path) -> None:
    """Make the folder of `out`; raises UserError if metrics cannot or must not be written there."""
    derived = recording / DERIVED_FOLDER
    check_metrics_file(out, (derived,))
    try:
        if out.parent == derived:
            make_own_folder(recording, DERIVED_FOLDER)
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


def write_metrics(metrics: Metrics, out: Path) -> None:
    """Write metrics; raises UserError if that fails."""
    try:
        write_json(out, metrics.to_json())
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> UserError:
    return UserError(f"cannot write {out}: {error.strerror or error}; make room, or choose another file with --out.")
