"""The steps of the demo: record an agent, then make figures, clips, metrics and a report of it.

Each step writes its results atomically; a step whose results already exist is skipped.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semantic_rl.artifacts import RECORDING_FILE
from semantic_rl.config import ClipSettings, DemoConfig, EmbeddingsFigureConfig, RecordConfig, ReportConfig
from semantic_rl.errors import UserError
from semantic_rl.output_places import check_output_folder
from semantic_rl.progress_bar import phase_bar, progress_bar

if TYPE_CHECKING:
    from semantic_rl.recording.store import Recording

CLIPS = ClipSettings(frames=240, animation_size=256, animation_frames=96, overlay=True)
"""Videos of 16 seconds, and animated pictures as the report needs them."""
RECORDING, FIGURES, CLIPS_FOLDER, METRICS, REPORT = "recording", "figures", "clips", "metrics.json", "report.html"


class Step(NamedTuple):
    """One step of the demo."""

    name: str
    about: str
    """What the step does, for the line that announces it."""
    run: Callable[[DemoConfig], str]
    """Runs the step unless its results exist; returns a short description of the results."""


def check_places(config: DemoConfig) -> None:
    """Raise UserError, before anything is played, if an output cannot or must not be written."""
    from semantic_rl.analysis.metrics.file import check_metrics_file
    from semantic_rl.report.build import check_out

    check_output_folder(config.out)
    check_metrics_file(config.out / METRICS)
    check_out(config.out / REPORT)


def _record(config: DemoConfig) -> str:
    from semantic_rl.recording.record import record

    folder = config.out / RECORDING
    record(
        RecordConfig(
            agent=Path(config.agent),
            out=folder,
            states=config.states,
            seed=config.seed,
            num_threads=config.num_threads,
            resume=(folder / RECORDING_FILE).is_file(),
        )
    )
    recording = _open(config)
    returns = recording.episodes["return"].to_numpy()
    return f"{recording.num_states:,} states of {len(returns):,} episodes, mean return {returns.mean():.2f}"


def _open(config: DemoConfig) -> "Recording":
    from semantic_rl.recording.store import open_recording

    return open_recording(config.out / RECORDING)


def _is_done(config: DemoConfig, *paths: Path) -> bool:
    """Say whether results exist and belong to the current recording."""
    recorded = (config.out / RECORDING / RECORDING_FILE).stat().st_mtime
    return all(path.is_file() and path.stat().st_mtime >= recorded for path in paths)


def _figures(config: DemoConfig) -> str:
    from semantic_rl.analysis.embedding import fitting_perplexity
    from semantic_rl.figures.clusters import make_clusters
    from semantic_rl.figures.embeddings import make_embeddings
    from semantic_rl.figures.transitions import make_transitions

    recording, out = _open(config), config.out / FIGURES
    names = ["embeddings", *(["clusters", "transitions"] if recording.num_codes else [])]
    missing = [name for name in names if not _is_done(config, out / f"{name}.png", out / f"{name}.svg")]
    if "embeddings" in missing:
        perplexity = fitting_perplexity(EmbeddingsFigureConfig.perplexity, recording.num_states)
        make_embeddings(recording.path, out, perplexity=perplexity, seed=config.seed, num_threads=config.num_threads)
    if "clusters" in missing:
        make_clusters(recording.path, out, config.seed)
    if "transitions" in missing:
        make_transitions(recording.path, out)
    return f"{', '.join(names)}, as PNG and SVG" + ("" if missing else "; kept from before")


def _clips(config: DemoConfig) -> str:
    from semantic_rl.clips.make import CLIPS_FILE, make_clips

    recording, out = _open(config), config.out / CLIPS_FOLDER
    if not recording.num_codes:
        return "none: the agent has no semantic clustering module, so it has no clusters"
    if _is_done(config, out / CLIPS_FILE):
        return "kept from before"
    try:
        with progress_bar("writing clips") as on_progress:
            clips = make_clips(recording, out, CLIPS, on_progress)
    except UserError as error:
        return f"none: {error}"
    made = [clip for clip in clips if clip.num_frames]
    rare = [str(clip.cluster) for clip in made if clip.short_by]
    short = f"; shorter for {', '.join(rare)}, where the agent seldom dwells long enough" if rare else ""
    return f"{len(made)} clips, as MP4 and animated WebP{short}"


def _metrics(config: DemoConfig) -> str:
    path = config.out / METRICS
    if _is_done(config, path):
        return "kept from before"
    from semantic_rl.analysis.metrics import compute_metrics
    from semantic_rl.analysis.metrics.file import write_metrics

    try:
        with phase_bar("metrics") as on_progress:
            metrics = compute_metrics(
                _open(config), baselines=True, seed=config.seed, num_threads=config.num_threads, on_progress=on_progress
            )
    except UserError as error:
        return f"none: {error}"
    write_metrics(metrics, path)
    return f"{len(metrics.metrics)} metrics of {', '.join(method.title for method in metrics.methods)}"


def _report(config: DemoConfig) -> str:
    from semantic_rl.clips.make import CLIPS_FILE
    from semantic_rl.report import make_report

    clips, metrics = config.out / CLIPS_FOLDER, config.out / METRICS
    settings = ReportConfig(
        config.out / RECORDING,
        out=config.out / REPORT,
        clips=clips if _is_done(config, clips / CLIPS_FILE) else None,
        metrics=metrics if _is_done(config, metrics) else None,
        seed=config.seed,
        num_threads=config.num_threads,
    )
    with phase_bar("report") as on_progress:
        path = make_report(settings, on_progress)
    return f"{path}, {path.stat().st_size / 1e6:.1f} MB, needs no other file and no network"


STEPS = (
    Step("record", "the agent plays; its states, and what its network makes of them, are written", _record),
    Step("figures", "the agent's plane beside t-SNE, a card for each cluster, the moves between them", _figures),
    Step("clips", "for each cluster a clip of what the agent does in it", _clips),
    Step("metrics", "how good plane and clusters are, with intervals, beside k-means, t-SNE and PCA", _metrics),
    Step("report", "all of it on one page", _report),
)


def contents(config: DemoConfig) -> str:
    """Return a list of the results that exist, with a word on each."""
    what = {
        REPORT: "the page, to open or to send",
        FIGURES: "the figures, to put into a paper or a talk",
        CLIPS_FOLDER: "the clips",
        METRICS: "the metrics",
        RECORDING: "the states: semantic_rl.recording.store.open_recording reads them",
    }
    there = {config.out / name: about for name, about in what.items() if (config.out / name).exists()}
    width = max(len(str(path)) for path in there)
    return "\n".join(f"  {path!s:<{width}}  {about}" for path, about in there.items())
