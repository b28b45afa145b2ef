"""semantic-rl metrics."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.artifacts import DERIVED_FOLDER, RECORDING_FILE
from semantic_rl.commands.parse import parse
from semantic_rl.config import MetricsConfig
from semantic_rl.input_places import kind_of
from semantic_rl.progress_bar import OnPhase, phase_bar

if TYPE_CHECKING:
    from semantic_rl.analysis.metrics import OtherAgent
    from semantic_rl.recording.store import Recording


def run(arguments: list[str]) -> None:
    """Measure a recording, print the table and write the JSON file."""
    config = parse(MetricsConfig, arguments, "metrics")
    from semantic_rl.analysis.metrics import compute_metrics, metrics_table
    from semantic_rl.analysis.metrics.describe import metrics_file
    from semantic_rl.analysis.metrics.file import prepare_metrics_file, write_metrics
    from semantic_rl.recording.store import open_recording
    from semantic_rl.recording.store.clusterings import AS_RECORDED

    recording = open_recording(config.recording, clustering=config.clustering)
    ppo = None if config.ppo is None else open_recording(config.ppo, clustering=AS_RECORDED)
    out = config.out or recording.path / DERIVED_FOLDER / metrics_file(recording)
    prepare_metrics_file(out, recording.path)
    with phase_bar("measuring") as on_progress:
        metrics = compute_metrics(
            recording,
            baselines=config.baselines,
            ppo=ppo,
            against=None if config.against is None else _other(recording, config, config.against, on_progress),
            num_clusters=config.clusters,
            max_states=config.max_states,
            num_resamples=config.resamples,
            perplexity=config.perplexity,
            seed=config.seed,
            num_threads=config.num_threads,
            on_progress=on_progress,
        )
    write_metrics(metrics, out)
    print(metrics_table(metrics))
    if recording.clusters_note is not None:
        print(f"note: {recording.clusters_note}", file=sys.stderr)
    print(out)


def _other(recording: "Recording", config: MetricsConfig, path: Path, on_progress: OnPhase) -> "OtherAgent":
    """Return the outputs of the agent of --against for the measured states."""
    from semantic_rl.analysis.metrics import OtherAgent, episode_rows, other_from_recording
    from semantic_rl.recording.store import open_recording

    rows = episode_rows(recording, config.max_states, config.seed)
    if kind_of(path / RECORDING_FILE, "a recording or an agent") == "file":
        return other_from_recording(recording, open_recording(path), rows)
    from semantic_rl.recording.record.relabel import agent_name, relabel

    found = relabel(
        recording, path, rows, config.device, config.precision,
        lambda done, total: on_progress(f"showing the states to {path.name}", done, total),
    )  # fmt: skip
    return OtherAgent(agent_name(path), found.agent_sha256, rows, found.features, found.embedding, found.code_index)
