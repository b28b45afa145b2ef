"""semantic-rl metrics."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.artifacts import DERIVED_FOLDER, RECORDING_FILE
from semantic_rl.atomic_write import make_own_folder
from semantic_rl.commands.parse import parse
from semantic_rl.config import MetricsConfig
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.output_places import check_output_file

if TYPE_CHECKING:
    from semantic_rl.analysis.metrics import OtherAgent
    from semantic_rl.recording.store import Recording


def run(arguments: list[str]) -> None:
    """Measure a recording, print the table and write the JSON file."""
    config = parse(MetricsConfig, arguments, "metrics")
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.analysis.metrics import METRICS_FILE, compute_metrics, metrics_table
    from semantic_rl.recording.store import open_recording
    from semantic_rl.recording.store.writer import write_json

    recording = open_recording(config.recording)
    ppo = None if config.ppo is None else open_recording(config.ppo)
    out = config.out or recording.path / DERIVED_FOLDER / METRICS_FILE
    check_place(out, recording.path)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("measuring", total=None)

        def report(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total)

        metrics = compute_metrics(
            recording,
            baselines=config.baselines,
            ppo=ppo,
            against=None if config.against is None else _other(recording, config, config.against, report),
            num_clusters=config.clusters,
            max_states=config.max_states,
            num_resamples=config.resamples,
            perplexity=config.perplexity,
            seed=config.seed,
            num_threads=config.num_threads,
            report=report,
        )
    try:
        write_json(out, metrics.to_json())
    except OSError as error:
        raise _unwritable(out, error) from error
    print(metrics_table(metrics))
    if recording.untrained_note is not None:
        print(f"note: {recording.untrained_note}", file=sys.stderr)
    print(out)


def is_metrics(beginning: bytes) -> bool:
    """Say whether the first bytes of a file are those of a metrics file."""
    from semantic_rl.analysis.metrics.result import METRICS_FORMAT

    return beginning.startswith(b'{\n  "format": "' + METRICS_FORMAT.encode() + b'"')


def check_place(out: Path, recording: Path) -> None:
    """Raise UserError, before the long computations, if metrics cannot or must not be written to `out`."""
    derived = recording / DERIVED_FOLDER
    check_output_file(out, "a file of metrics of semantic-rl", is_metrics, own=(derived,))
    try:
        if out.parent == derived:
            make_own_folder(recording, DERIVED_FOLDER)
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> UserError:
    return UserError(f"cannot write {out}: {error.strerror or error}; choose another file with --out.")


def _other(
    recording: "Recording", config: MetricsConfig, path: Path, report: Callable[[str, int, int], None]
) -> "OtherAgent":
    """Return the outputs of the agent of --against for the measured states."""
    from semantic_rl.analysis.metrics import OtherAgent, episode_rows, other_from_recording
    from semantic_rl.recording.store import open_recording

    rows = episode_rows(recording, config.max_states, config.seed)
    if kind_of(path / RECORDING_FILE, "a recording or an agent") == "file":
        return other_from_recording(recording, open_recording(path), rows)
    from semantic_rl.recording.record.relabel import agent_name, relabel

    found = relabel(
        recording, path, rows, config.device, config.precision,
        lambda done, total: report(f"showing the states to {path.name}", done, total),
    )  # fmt: skip
    return OtherAgent(agent_name(path), found.agent_sha256, rows, found.features, found.embedding, found.code_index)
