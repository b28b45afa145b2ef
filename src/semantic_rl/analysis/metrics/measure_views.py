"""Computes the metrics of each view of one recording's states: neighbourhoods, separation, use, dwell time, AMI."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.catalogue import NEIGHBOURS
from semantic_rl.analysis.metrics.dwelling import time_in_clusters
from semantic_rl.analysis.metrics.information import shared_information
from semantic_rl.analysis.metrics.jackknife import scores_left_out
from semantic_rl.analysis.metrics.neighbourhoods import NAMES, Scores, largest_k, neighbourhood_scores
from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.analysis.metrics.sample import Sample
from semantic_rl.analysis.metrics.separation import davies_bouldin, silhouettes, use_of_clusters
from semantic_rl.analysis.metrics.views import MeasuredView
from semantic_rl.progress_bar import OnPhase

Estimates = dict[str, dict[str, Estimate]]
"""Estimates by name of the metric, then by key of the view."""


class Subject(NamedTuple):
    """States of one recording, their views (planes and clusterings), and the bootstrap draws for the intervals."""

    sample: Sample
    views: list[MeasuredView]
    bootstrap: Bootstrap


def measure_subject(subject: Subject, seed: int, on_progress: OnPhase) -> Estimates:
    """Compute all metrics of a subject; a view without a plane gets none of the metrics of planes."""
    sample, views, bootstrap = subject
    found = _neighbourhoods(subject, seed, on_progress)
    on_progress("comparing clusters", 0, len(views) + 1)
    found["silhouette_features"] = silhouettes(sample.features, {view.key: view.labels for view in views}, bootstrap)
    for index, view in enumerate(views):
        on_progress("comparing clusters", index + 1, len(views) + 1)
        for name, estimate in _clusters(subject, view, seed):
            found.setdefault(name, {})[view.key] = estimate
    on_progress("comparing clusters", len(views) + 1, len(views) + 1)
    return found


def _neighbourhoods(subject: Subject, seed: int, on_progress: OnPhase) -> Estimates:
    planes = {view.key: view.plane for view in subject.views if view.plane is not None}
    if not planes:
        return {}
    features, bootstrap = subject.sample.features, subject.bootstrap
    possible = [k for k in NEIGHBOURS if k <= largest_k(len(features))]
    with_interval = [k for k in possible if k <= largest_k(len(features) - int(bootstrap.sizes.max()))]
    scores: Scores = {key: {} for key in planes}
    left_out: Scores = {key: {} for key in planes}
    if possible:
        progress = partial(on_progress, "comparing neighbourhoods")
        scores = neighbourhood_scores(features, planes, possible, progress)
    if with_interval:
        progress = partial(on_progress, "intervals of neighbourhoods")
        left_out = scores_left_out(features, planes, with_interval, scores, bootstrap, seed, progress)
    unknown = np.full(bootstrap.num_units, np.nan)
    found: Estimates = {}
    for key in planes:
        for name, k in ((f"{name}_{k}", k) for name in NAMES for k in NEIGHBOURS):
            estimate = Estimate(None, note=f"needs more than {2 * k} states, and there are {len(features)}")
            if k in possible:
                value = float(scores[key][name].mean())
                estimate = bootstrap.estimate_left_out(value, left_out[key].get(name, unknown))
            found.setdefault(name, {})[key] = estimate
    return found


def _clusters(subject: Subject, view: MeasuredView, seed: int) -> Iterator[tuple[str, Estimate]]:
    sample, labels, bootstrap = subject.sample, view.labels, subject.bootstrap
    if view.plane is not None:
        yield "silhouette_2d", silhouettes(view.plane, {view.key: labels}, bootstrap)[view.key]
        yield "davies_bouldin_2d", davies_bouldin(view.plane, labels, bootstrap)
    yield "davies_bouldin_features", davies_bouldin(sample.features, labels, bootstrap)
    yield from use_of_clusters(labels, bootstrap).items()
    yield from time_in_clusters(sample.episode, sample.step, labels, bootstrap, seed).items()
    for name, column, others, only_one, absent in (
        ("ami_action", "action", sample.action, "all states have the same action", "discrete actions"),
        ("ami_value", "value", sample.value_bin, "all states have the same value", "values"),
        ("ami_level", "level_seed", sample.level, "all states are of one level", "levels"),
    ):
        why = f"the recording has no {absent}" if column in sample.absent else only_one
        yield name, shared_information(labels, others, bootstrap, why)
