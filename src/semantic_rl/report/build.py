"""Makes the report of a recording: computes its content, or reads earlier results, and writes the page."""

from pathlib import Path

from semantic_rl.analysis.clusters import compute_clusters
from semantic_rl.analysis.embedding import Planes, compute_planes, fitting_perplexity
from semantic_rl.analysis.metrics import Metrics, compute_metrics
from semantic_rl.analysis.progress import Progress, read_held_out, read_progress
from semantic_rl.analysis.transitions import compute_transitions
from semantic_rl.artifacts import PROGRESS_FILE, held_out_logs
from semantic_rl.atomic_write import whole_file
from semantic_rl.config import ReportConfig
from semantic_rl.envs.spec import ReturnRange
from semantic_rl.errors import UserError
from semantic_rl.output_places import check_output_file
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.names import notes_if_readable, without_path
from semantic_rl.report.about import About, about
from semantic_rl.report.clips import PageClips, cut_clips, read_clips
from semantic_rl.report.learning import Learning
from semantic_rl.report.page import GENERATOR, Absent, Content, page
from semantic_rl.report.stored import read_metrics

NUM_TYPICAL = 4
GENERATOR_TAG = f'<meta name="generator" content="{GENERATOR} '.encode()
"""Tag near the beginning of a report, which marks a file that may be replaced."""
WITHOUT_CLUSTERS = (
    "The agent has no semantic clustering module, so it has no clusters of its own; 'semantic-rl fit' makes some."
)


def make_report(config: ReportConfig, on_progress: OnPhase = lambda what, done, total: None) -> Path:
    """Write the report that `config` asks for and return its path.

    Parts that are not available (for an agent without clusters, or with too few states) are marked as absent in the
    page. Raises UserError on a user's mistake; `out` is written atomically, and a file that is not a report is not
    replaced.
    """
    check_out(config.out)
    recording = open_recording(config.recording, clustering=config.clustering)
    text = page(gather(recording, config, on_progress))
    try:
        config.out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(config.out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {config.out}: {error.strerror or error}; choose another --out.") from error
    return config.out


def check_out(out: Path) -> None:
    """Raise UserError if a report must not or cannot be written to `out`."""
    check_output_file(out, "a report of semantic-rl", lambda beginning: GENERATOR_TAG in beginning)


def gather(recording: Recording, config: ReportConfig, on_progress: OnPhase) -> Content:
    """Compute or read the content of the page."""
    agent = about(recording, config.run)
    metrics = None if config.metrics is None else read_metrics(config.metrics, recording)
    clips = None if config.clips is None else read_clips(config.clips, recording)
    has_clusters = recording.num_codes > 0
    perplexity = fitting_perplexity(config.perplexity, min(recording.num_states, config.max_states))
    on_progress("clusters", 0, 2)
    clusters = compute_clusters(recording, NUM_TYPICAL, seed=config.seed) if has_clusters else Absent(WITHOUT_CLUSTERS)
    on_progress("clusters", 1, 2)
    transitions = compute_transitions(recording) if has_clusters else Absent(WITHOUT_CLUSTERS)
    on_progress("clusters", 2, 2)
    if clips is None and has_clusters and recording.has_frames:
        clips = cut_clips(recording, config.seed, lambda done, total: on_progress("clips", done, total))
    return Content(
        about=agent,
        recording=recording,
        learning=_learning(agent, recording.spec.return_range, strict=config.run is not None),
        planes=_planes(recording, config, perplexity, on_progress),
        perplexity=perplexity,
        clusters=clusters,
        transitions=transitions,
        metrics=metrics or _metrics(recording, config, perplexity, on_progress),
        clips=clips or PageClips({}, ""),
        notes=notes_if_readable(recording.notes_folder),
    )


def _learning(agent: About, scale: ReturnRange | None, strict: bool) -> Learning | Absent:
    if agent.run is None:
        return Absent(f"The agent's {PROGRESS_FILE} is not beside it; give its run folder with --run.")
    log = agent.run / PROGRESS_FILE
    try:
        training = read_progress(log, _ignore).until(None, 0, log)
    except UserError as error:
        if strict:
            raise
        return Absent(str(error).replace(str(agent.run), agent.name))  # the path would reveal the machine
    return Learning(training, _held_out(agent.run, strict), scale)


def _held_out(run: Path, strict: bool) -> Progress | None:
    """Return the scores on held-out levels; None if there are no usable ones."""
    try:
        held_out = read_held_out(run, _ignore)
        return None if held_out is None else held_out.until(None, 0, held_out_logs(run)[0])
    except UserError:
        if strict:
            raise
        return None


def _ignore(warning: str) -> None:
    """Ignore warnings about cut-off lines, which are left out of a curve."""


def _planes(recording: Recording, config: ReportConfig, perplexity: float, on_progress: OnPhase) -> Planes | Absent:
    try:
        return compute_planes(
            recording,
            config.max_states,
            perplexity,
            config.seed,
            config.num_threads,
            lambda done, total: on_progress("t-SNE", done, total),
        )
    except UserError as error:
        return Absent(without_path(recording.path, str(error)))


def _metrics(recording: Recording, config: ReportConfig, perplexity: float, on_progress: OnPhase) -> Metrics | Absent:
    try:
        return compute_metrics(
            recording,
            baselines=config.baselines,
            perplexity=perplexity,
            seed=config.seed,
            num_threads=config.num_threads,
            on_progress=on_progress,
        )
    except UserError as error:
        return Absent(without_path(recording.path, str(error)))
