"""Fits a clustering: splits the episodes, standardises, fits plane and codes, judges them and writes the folder.

What is drawn at random depends on the seed alone, so the same recording and settings give the same files, byte for byte
(on one machine, with the same number of threads).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.metrics.sample import number
from semantic_rl.clustering.codes import refine_codes
from semantic_rl.clustering.judging import Judged, Placement, baseline_placements, score
from semantic_rl.clustering.labels import Labels, read_labels
from semantic_rl.clustering.neighbours import nearest_neighbours
from semantic_rl.clustering.plane import PlaneFit, fit_settings
from semantic_rl.clustering.states import Scaling, Split, make_scaling, read_inputs, split_states
from semantic_rl.clustering.write import CHECKPOINT_FILE, held_place, write_clustering
from semantic_rl.config.fit import FitConfig
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store import Clustering, Recording, open_recording
from semantic_rl.recording.store.agent_info import agent_info, have_same_agent, have_same_features
from semantic_rl.recording.store.clusterings import AS_RECORDED, default_name, read_clustering, unknown_clustering
from semantic_rl.recording.store.plane_head import PlaneHead, squared_distances


class Fit(NamedTuple):
    """A finished clustering, and what the user should be told about the fit."""

    clustering: Clustering
    notes: list[str]


def fit(
    recording: Recording | str | Path,
    num_codes: int | None = None,
    on_progress: OnPhase = lambda what, done, total: None,
    **settings: Any,
) -> Clustering:
    """Fit a plane and clusters to a recording's features and write them into it.

    Without `num_codes` there are 8, or as many as there are labels; `settings` are those of FitConfig.
    """
    path = recording.path if isinstance(recording, Recording) else Path(recording)
    if "labels" not in settings and "apply" not in settings:
        settings["codes"] = num_codes
    return run_fit(FitConfig(path, **settings), on_progress).clustering


def run_fit(config: FitConfig, on_progress: OnPhase) -> Fit:
    """Fit a clustering, or apply one of another recording, as the settings say; raises UserError."""
    recording = open_recording(config.recording, with_frames=config.features == "observation", clustering=AS_RECORDED)
    if config.apply is not None:
        return _applied(recording, config, config.apply, on_progress)
    labels = None if config.labels is None else read_labels(config.labels, recording.num_states)
    if labels is not None:
        if config.codes not in (None, len(labels.names)):
            raise UserError(
                f"codes: got {config.codes}, but {config.labels} has {len(labels.names)} different labels; leave "
                "--codes out."
            )
        config = replace(config, codes=len(labels.names))
    split = split_states(recording, config)
    with held_place(recording, config.name or default_title(config), config.resume) as folder:
        return _fitted(recording, config, split, labels, folder, on_progress)


def default_title(config: FitConfig) -> str:
    """Return the name that a clustering gets where none is given."""
    if config.labels is not None:
        return "labels"
    kind = config.head if config.method == "fdr" else config.method
    return f"{kind}-{config.num_codes}" + ("" if config.features == "features" else "-observation")


def _fitted(
    recording: Recording, config: FitConfig, split: Split, labels: Labels | None, folder: Path, on_progress: OnPhase
) -> Fit:
    threads = config.num_threads or num_cores()
    on_progress("reading", 0, 1)
    scaling, features = make_scaling(recording, split.fitted, config)
    neighbours = None
    if config.head == "mlp":
        count = min(config.neighbours, len(features) - 1)
        neighbours = nearest_neighbours(
            features, count, threads, lambda done, total: on_progress("searching for neighbours", done, total)
        )
    plane = PlaneFit(features, neighbours, config)
    if config.resume:
        plane.restore(folder / CHECKPOINT_FILE)
    fitted = plane.run(
        folder / CHECKPOINT_FILE, True, lambda done, total: on_progress("fitting the plane", done, total)
    )
    del neighbours
    head = PlaneHead(*scaling, fitted.layers, config.head == "linear", fitted.codebook, None)
    notes: list[str] = []
    head = _with_codes(head, features, config, None if labels is None else labels.code_index[split.fitted], notes)
    scores = _scores(recording, config, split, scaling, features, head, labels, threads, on_progress)
    description = {
        "name": folder.name,
        "method": "labels" if labels is not None else config.method,
        "head": config.head,
        "features": config.features,
        "num_codes": len(head.codebook),
        "settings": _json_settings(config),
        "fitted_to": {
            "recording": recording.path.resolve().name,
            "agent_sha256": str(recording.description["agent"]["sha256"]),
            "num_states": len(split.fitted),
            "num_features": head.num_inputs,
        },
        "judged_on": {"num_states": len(split.held_out), "held_out": split.held_out_kind},
        "scores": scores,
        "notes": notes,
    }
    given = None if labels is None else labels.code_index
    names = [] if labels is None else labels.names
    clustering = write_clustering(recording, folder, head, description, given, names, config.default, on_progress)
    return Fit(clustering, notes)


def _with_codes(
    head: PlaneHead,
    features: NDArray[np.float32],
    config: FitConfig,
    labels: NDArray[np.int64] | None,
    notes: list[str],
) -> PlaneHead:
    """Return a head with the final codes: refined in the plane, or found among the features, or those of labels."""
    exact = features.astype(np.float64)
    plane = head.embed(exact)
    if labels is None and config.method == "fdr":
        found = refine_codes(plane, head.codebook)
        if found.num_revived:
            was = "code had" if found.num_revived == 1 else "codes had"
            notes.append(f"{found.num_revived} {was} lost all states and had to be placed anew.")
        if found.num_used < config.num_codes:
            notes.append(
                f"{config.num_codes - found.num_used} codes hold no state: there are too few different places."
            )
        return head._replace(codebook=found.codes.astype(np.float32))
    if labels is None:
        found = find_feature_codes(features, config.num_codes, config.seed)
        labels = squared_distances(exact, found).argmin(1)
        centres = found
    else:
        centres = _means(exact, labels, config.num_codes)
    return head._replace(
        codebook=_means(plane.astype(np.float64), labels, config.num_codes).astype(np.float32),
        centres=centres.astype(np.float32),
    )


def find_feature_codes(features: NDArray[np.float32], num_codes: int, seed: int) -> NDArray[np.float64]:
    """Return the centres [K, D] of k-means on features."""
    from sklearn.cluster import KMeans

    fitted = KMeans(num_codes, n_init=10, random_state=seed).fit(features)  # pyright: ignore[reportArgumentType]
    return np.asarray(fitted.cluster_centers_, np.float64)


def _means(points: NDArray[np.float64], labels: NDArray[np.int64], num_codes: int) -> NDArray[np.float64]:
    """Return the mean of each cluster's points [K, W]; that of all points for a cluster without any."""
    whole = points.mean(0)
    return np.stack([points[labels == code].mean(0) if (labels == code).any() else whole for code in range(num_codes)])


def _scores(
    recording: Recording,
    config: FitConfig,
    split: Split,
    scaling: Scaling,
    features: NDArray[np.float32],
    head: PlaneHead,
    labels: Labels | None,
    threads: int,
    on_progress: OnPhase,
) -> dict[str, dict[str, float | None]]:
    inputs = read_inputs(recording, split.held_out, config.features)
    placed = head.place(inputs)
    states = recording.table("episode", "step")[split.held_out]
    judged = Judged(
        scaling.apply(inputs), number(states["episode"].to_numpy()), states["step"].to_numpy().astype(np.int64)
    )
    mine = placed.code_index.astype(np.int64) if labels is None else labels.code_index[split.held_out]
    placements = {"fitted": Placement(placed.embedding, mine)}
    if config.baselines:
        placements |= baseline_placements(features, judged, len(head.codebook), config.seed, threads, on_progress)
    return score(placements, judged, config.seed, on_progress)


def _json_settings(config: FitConfig) -> dict[str, Any]:
    return {name: value for name, value in fit_settings(config).items() if value is not None}


def _applied(recording: Recording, config: FitConfig, other: Path, on_progress: OnPhase) -> Fit:
    """Place the states of a recording in a clustering of another one."""
    source = open_recording(other, with_frames=False, clustering=AS_RECORDED)
    has_own = source.num_codes > 0
    name = config.clustering or default_name(other, has_own)
    if name is None or name not in source.clusterings:
        raise unknown_clustering(other, name or "", has_own)
    if name not in source.clusterings[1:] and has_own:
        raise UserError(
            f"clustering: '{name}' of {other} is what its agent itself learned, which the recording does not hold as a "
            "function; choose a fitted one with --clustering, or record that agent again."
        )
    clustering = read_clustering(other, name)
    if clustering.description["method"] == "labels":
        note = "Labels were given for the other recording's states; these were sorted by the nearest mean of a label."
    else:
        note = ""
    _check_inputs(recording, source, clustering.description["features"])
    kept = {key: value for key, value in clustering.description.items() if key not in ("files", "format", "version")}
    with held_place(recording, config.name or name, resume=False) as folder:
        description = {**kept, "name": folder.name, "applied_from": other.resolve().name}
        placed = write_clustering(
            recording, folder, clustering.head, description, None, [], config.default, on_progress
        )
    return Fit(placed, [note] if note else [])


def _check_inputs(recording: Recording, source: Recording, kind: str) -> None:
    """Raise UserError unless what a clustering of `source` is of, features or observations, means the same here."""
    if kind == "observation":
        forms = [[(part.name, part.shape) for part in found.spec.observation] for found in (recording, source)]
        is_same, difference, meaning = forms[0] == forms[1], "of other observations than", "which have another shape"
    else:
        is_same, meaning = have_same_features(recording, source), "whose features mean something else"
        if have_same_agent(recording, source):
            difference = "of another layer of the agent than"
        elif agent_info(recording).sha256 or agent_info(source).sha256:
            difference = "of another agent than"
        else:
            difference, meaning = "not known to be of the same agent as", "since neither says which weights it has"
    if not is_same:
        raise UserError(
            f"apply: {source.path} is {difference} {recording.path}, {meaning}; fit a clustering to this recording "
            "instead."
        )
