"""Computes all metrics of a recording: of the FDR plane and its clusters, and of the baselines."""

from functools import partial
from typing import NamedTuple

import numpy as np

from semantic_rl.analysis.embedding import compute_tsne, tsne_of
from semantic_rl.analysis.metrics.agreement import OtherAgent, agreement
from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.catalogue import CATALOGUE, NEIGHBOURS, MetricInfo
from semantic_rl.analysis.metrics.describe import describe_bootstrap, describe_recording, describe_versions
from semantic_rl.analysis.metrics.dwelling import NUM_SHUFFLES
from semantic_rl.analysis.metrics.measure_views import Subject, measure_subject
from semantic_rl.analysis.metrics.result import Estimate, Method, Metric, Metrics, Omission
from semantic_rl.analysis.metrics.sample import Sample, episode_rows, read_sample
from semantic_rl.analysis.metrics.views import MeasuredView, baseline_views, fdr_view, kmeans_view
from semantic_rl.config import MetricsConfig, SemanticConfig
from semantic_rl.errors import UserError
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store import Recording


def compute_metrics(
    recording: Recording,
    *,
    baselines: bool = MetricsConfig.baselines,
    ppo: Recording | None = None,
    against: OtherAgent | None = None,
    num_clusters: int = MetricsConfig.clusters,
    max_states: int = MetricsConfig.max_states,
    num_resamples: int = MetricsConfig.resamples,
    perplexity: float = MetricsConfig.perplexity,
    seed: int = MetricsConfig.seed,
    num_threads: int = MetricsConfig.num_threads,
    on_progress: OnPhase = lambda what, done, total: None,
) -> Metrics:
    """Measure a recording's FDR plane and clusters; with `baselines` also k-means, t-SNE and PCA of its features.

    `ppo` is a recording of an agent without the module, whose features are clustered for comparison; `against` holds
    another agent's outputs for the states `episode_rows(recording, max_states, seed)`. If the recording has more than
    `max_states` states, whole episodes with at most that many states are drawn. `num_clusters` is for the baselines: 0
    takes the number of the agent's codes or, without codes, the default of training. An agent without the module is
    measured by k-means on its features. Raises UserError if there are too few states, or if `ppo` or `against` do not
    fit the recording.
    """
    settings = _Settings(
        baselines,
        num_clusters or recording.num_codes or SemanticConfig.num_codes,
        max_states,
        num_resamples,
        perplexity,
        seed,
        num_threads,
    )
    on_progress("reading states", 0, 1)
    sample = read_sample(recording, episode_rows(recording, max_states, seed))
    # An unusable `ppo` or `against` is refused before the long computations.
    second = None if ppo is None else _ppo_subject(recording, ppo, settings)
    if against is not None:
        _check_same_states(against, recording, sample)
    views, omitted = _views(recording, sample, settings, on_progress)
    subject = Subject(sample, views, Bootstrap(sample.episode, num_resamples, seed))
    found = measure_subject(subject, seed, on_progress)
    methods = [_method(subject, view) for view in views]
    if against is not None:
        others, more = _views_of_other(against, {view.key for view in views}, settings, on_progress)
        omitted += more
        found |= agreement(views, others, subject.bootstrap)
    if second is not None:
        methods += [_method(second, view) for view in second.views]
        for name, estimates in measure_subject(second, seed, on_progress).items():
            found.setdefault(name, {}).update(estimates)
    return Metrics(
        describe_recording(recording),
        {
            "states": len(sample.rows),
            "episodes": sample.num_episodes,
            "levels": int(sample.level.max()) + 1,
            "max_states": max_states,
            "seed": seed,
        },
        describe_bootstrap(subject.bootstrap, seed),
        {
            "baselines": baselines,
            "clusters_of_baselines": settings.num_clusters,
            "neighbours": list(NEIGHBOURS),
            "perplexity": perplexity,
            "shuffles": NUM_SHUFFLES,
            "ppo": None if ppo is None else describe_recording(ppo),
            "against": None if against is None else {"name": against.name, "agent_sha256": against.sha256},
        },
        describe_versions(),
        methods,
        [_metric(info, found[info.name]) for info in CATALOGUE if info.name in found],
        omitted,
    )


class _Settings(NamedTuple):
    baselines: bool
    num_clusters: int
    max_states: int
    num_resamples: int
    perplexity: float
    seed: int
    num_threads: int


def _views(
    recording: Recording, sample: Sample, settings: _Settings, on_progress: OnPhase
) -> tuple[list[MeasuredView], list[Omission]]:
    """Return the views to compare, the agent's own view first; an agent without one is measured by k-means alone."""
    views, omitted = list[MeasuredView](), list[Omission]()
    if recording.num_codes:
        states = recording.table("embedding_x", "embedding_y", "code_index")[sample.rows]
        embedding = states.select("embedding_x", "embedding_y").to_numpy()
        fitted = None if recording.fitted is None else recording.fitted.name
        codes = states["code_index"].to_numpy().astype(np.int64)
        views.append(fdr_view(embedding, codes, recording.num_codes, fitted))
    else:
        omitted.append(Omission("FDR plane and its clusters", "the agent has no semantic clustering module (PPO)"))
        if not settings.baselines:
            why = "k-means on the features has no plane; --baselines adds t-SNE and PCA, which do"
            omitted.append(Omission("figures of a plane", why))
    if settings.baselines or not views:
        progress = partial(on_progress, "t-SNE")
        rest = settings.perplexity, settings.seed, settings.num_threads, progress
        tsne = partial(tsne_of, recording, sample.rows, *rest) if settings.baselines else None
        more, without = baseline_views(sample.features, settings.num_clusters, settings.seed, tsne)
        views, omitted = views + more, omitted + without
    if not views:
        raise UserError(f"{recording.path}: there is nothing to measure: {omitted[-1].why}; record more states.")
    return views, omitted


def _check_same_states(other: OtherAgent, recording: Recording, sample: Sample) -> None:
    if not np.array_equal(other.rows, sample.rows):
        raise UserError(
            f"against: {other.name} was shown other states of {recording.path} than those measured; show it the states "
            "that episode_rows(recording, max_states, seed) returns."
        )


def _views_of_other(
    other: OtherAgent, wanted: set[str], settings: _Settings, on_progress: OnPhase
) -> tuple[list[MeasuredView], list[Omission]]:
    """Return the `wanted` views, made from the other agent's outputs for the same states."""
    views, omitted = list[MeasuredView](), list[Omission]()
    if other.embedding is not None and other.code_index is not None:
        views.append(fdr_view(other.embedding, other.code_index, int(other.code_index.max()) + 1))
    elif "fdr" in wanted:
        why = f"{other.name} has no semantic clustering module (PPO)"
        omitted.append(Omission("agreement of FDR planes and clusters", why))
    if wanted - {"fdr"}:
        features = other.features.astype(np.float32)
        progress = partial(on_progress, "t-SNE of the other agent")
        rest = settings.perplexity, settings.seed, settings.num_threads, progress
        tsne = partial(compute_tsne, features, *rest) if "tsne" in wanted else None
        views += baseline_views(features, settings.num_clusters, settings.seed, tsne)[0]
    return views, omitted


def _ppo_subject(recording: Recording, ppo: Recording, settings: _Settings) -> Subject:
    """Return k-means on the features of an agent without the module, on the states of that agent's own recording."""
    if ppo.num_codes:
        raise UserError(
            f"ppo: {ppo.path} is of an agent with the semantic clustering module; expected a recording of a PPO agent. "
            "--against compares two agents with the module."
        )
    game, other_game = (which.spec.title for which in (recording, ppo))
    if game != other_game:
        raise UserError(f"ppo: {ppo.path} is of {other_game}, and {recording.path} of {game}; expected the same game.")
    sample = read_sample(ppo, episode_rows(ppo, settings.max_states, settings.seed))
    if len(sample.rows) < settings.num_clusters:
        raise UserError(
            f"ppo: {ppo.path} has {len(sample.rows)} states, too few for {settings.num_clusters} clusters; record more."
        )
    view = kmeans_view(sample.features, settings.num_clusters, settings.seed)
    about = f"k-means ({settings.num_clusters} clusters) on the features of a PPO agent, in the states that it met"
    view = view._replace(key="ppo", title="k-means, PPO", about=about)
    return Subject(sample, [view], Bootstrap(sample.episode, settings.num_resamples, settings.seed))


def _method(subject: Subject, view: MeasuredView) -> Method:
    sample = subject.sample
    return Method(view.key, view.title, view.about, view.num_clusters, len(sample.rows), sample.num_episodes)


def _metric(info: MetricInfo, estimates: dict[str, Estimate]) -> Metric:
    """Join a metric with its estimates; intervals come from a linear approximation, so they are cut to its range."""
    return Metric(info, {key: estimate.within(*info.range) for key, estimate in estimates.items()})
