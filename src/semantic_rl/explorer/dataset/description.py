"""The description of a recording that the page loads first."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semantic_rl.analysis.embedding import METHOD_TITLES
from semantic_rl.explorer import contract
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.observation_numbers import MOST_NUMBERS, number_names
from semantic_rl.explorer.dataset.point_columns import Column
from semantic_rl.explorer.dataset.projections import PLANES
from semantic_rl.palette import cluster_color, ink_on
from semantic_rl.recording.store.agent_info import agent_info, table
from semantic_rl.recording.store.names import without_path


def describe(
    explored: Explored, columns: Sequence[Column], lists: Sequence[contract.ListName], frames: str = "all"
) -> contract.Meta:
    """Return the description of a recording.

    `lists` are the available lists of moments; `frames` says which states have pictures.
    """
    recording, states = explored.recording, explored.states
    known = agent_info(recording)
    settings, trained = table(recording.description, "settings"), known.settings
    spec, parts = recording.spec, states.action_parts.shape[1]
    names = number_names(recording)
    num_actions = recording.num_known_actions
    colors = [cluster_color(index) for index in range(recording.num_codes)]
    return {
        "id": explored.id,
        "title": " · ".join(filter(None, (spec.id, known.algorithm))),
        "name": recording.path.resolve().name,
        "agent": {
            "name": known.name,
            "algorithm": known.algorithm or None,
            "env": spec.id,
            "layer": known.layer,
            "num_features": recording.layout.num_features,
            "distribution_mode": known.environment.get("distribution_mode"),
            "timesteps": known.timesteps,
            "seed": trained.get("seed"),
            "sha256": known.sha256,
            "num_levels": trained.get("num_levels"),
            "start_level": trained.get("start_level"),
        },
        "environment": {
            "num_levels": known.environment.get("num_levels"),
            "start_level": known.environment.get("start_level"),
        },
        "protocol": settings.get("protocol"),
        "num_states": recording.num_states,
        "num_episodes": recording.num_episodes,
        "num_shown": len(explored.shown),
        "sample_seed": explored.settings.seed,
        "num_codes": recording.num_codes,
        "num_actions": num_actions,
        "action_names": [spec.action.name(action) for action in range(num_actions)],
        "action_signs": [spec.action.sign(action) for action in range(num_actions)],
        "action_groups": list(spec.action.groups),
        "action_parts": [_describe_part(explored, index) for index in range(parts)],
        "num_action_parts": spec.action.width,
        "observation_names": names[:MOST_NUMBERS],
        "num_observation_numbers": len(names),
        "clusters_fitted": recording.fitted is not None,
        "codebook": recording.codebook,
        "colors": colors,
        "inks": [ink_on(color) for color in colors],
        "uncertainty_scale": states.uncertainty_scale,
        "planes": [describe_plane(explored, name) for name in PLANES],
        "columns": [column.to_json() for column in columns],
        "lists": list(lists),
        "has_frames": recording.has_frames,
        "has_pictures": recording.has_pictures,
        "frame_shape": recording.frame_shape,
        "steps_per_second": spec.steps_per_second,
        "frames": frames,
        "value_known": recording.has("value"),
        "reward_known": recording.has("reward"),
        "success_known": recording.has("success") and bool(explored.episodes.ended.any()),
        "level_word": spec.level_word if recording.has("level_seed") else None,
        "notes": _notes(explored),
        "warning": recording.clusters_note,
        "provenance": _provenance(explored),
        "etag": explored.etag,
    }


def _describe_part(explored: Explored, index: int) -> contract.ActionPart:
    action = explored.recording.spec.action
    low, high = (bounds[index] if index < len(bounds) else None for bounds in (action.low, action.high))
    return {"name": action.name(index), "low": low, "high": high}


def describe_plane(explored: Explored, name: PlaneName) -> contract.Plane:
    """Return the description of a plane; its limits are unknown until it has been computed."""
    why_not = explored.why_not(name)
    is_ready = explored.is_ready(name)
    found = contract.Plane(name=name, title=METHOD_TITLES[name], limits=None, ready=is_ready, num_placed=0)
    if why_not is not None:
        return {**found, "why_not": why_not}
    num_placed = len(explored.tsne_rows) if name == "tsne" else len(explored.shown)
    return {**found, "limits": explored.limits(name) if is_ready else None, "num_placed": num_placed}


def _notes(explored: Explored) -> list[str]:
    notes: list[str] = []
    saw = "What the agent saw in {} is missing" if explored.recording.has_pictures else "The frames of {} are missing"
    for gap, what in (
        (explored.missing.pictures, "The pictures of {} are missing"),
        (explored.missing.observations, saw),
    ):
        if gap.num_states:
            why = without_path(explored.recording.path, gap.why)
            notes.append(f"{what.format(f'{gap.num_states:,} of {explored.num_states:,} states')}: {why}")
    if not explored.num_states:
        return [*notes, "This recording has no states."]
    if not explored.num_codes:
        notes.append(
            "The agent has no semantic clustering module: no clusters and no plane of its own; the map is t-SNE or PCA "
            "of its features. 'semantic-rl fit' fits a plane and clusters to them."
        )
    if len(explored.shown) < explored.num_states:
        notes.append(
            f"The map shows {len(explored.shown):,} of {explored.num_states:,} states, drawn at random (seed "
            f"{explored.settings.seed}); lists, counts and comparisons are of all."
        )
    if explored.why_not("tsne") is None and len(explored.tsne_rows) < len(explored.shown):
        notes.append(
            f"t-SNE places {len(explored.tsne_rows):,} of the {len(explored.shown):,} points, drawn at random; "
            "the others do not appear in it."
        )
    if not explored.recording.has_pictures:
        shape = explored.recording.frame_shape
        seen = f"frames are what the agent saw, {shape[1]}×{shape[0]}"
        notes.append(f"Recorded without pictures: {seen if explored.recording.has_frames else 'there are no frames'}.")
    if not np.all(explored.episodes.ended):
        count = int((~explored.episodes.ended).sum())
        notes.append(f"{count:,} of {len(explored.episodes.ended):,} episodes did not end while they were recorded.")
    return notes


def _provenance(explored: Explored) -> dict[str, Any]:
    description = explored.recording.description
    trained = agent_info(explored.recording).settings
    return {
        "recording": table(description, "settings"),
        "environment": table(description, "environment"),
        "training": {name: value for name, value in trained.items() if name not in ("run_root", "resume")},
        "machine": table(description, "machine"),
        "versions": table(description, "versions"),
        "planes": explored.settings._asdict(),
    }
