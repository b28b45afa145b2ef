"""Reads metrics of the same recording from a file, so that the report need not compute them again."""

import math
from pathlib import Path
from typing import Any

from semantic_rl.analysis.metrics import Estimate, Method, Metric, Metrics, Omission
from semantic_rl.analysis.metrics.catalogue import Direction, MetricInfo
from semantic_rl.analysis.metrics.describe import describe_clustering, describe_recording
from semantic_rl.analysis.metrics.result import METRICS_FORMAT, METRICS_VERSION
from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject, read_json
from semantic_rl.recording.store import Recording

WAY_OUT = "make it with 'semantic-rl metrics', or leave --metrics out."
DIRECTIONS: tuple[Direction, ...] = ("higher", "lower", "none")


def read_metrics(path: Path, recording: Recording) -> Metrics:
    """Read a metrics.json; raises UserError if it is invalid, from a newer version, or of another recording."""
    try:
        content = _content(path)
        metrics = _metrics(content)
        measured = content.object("recording").text("states_sha256")
    except UserError as error:
        raise UserError(f"metrics: {error}") from error
    clustering = content.object("recording").get("clustering")
    if clustering != describe_clustering(recording).get("clustering"):
        name = recording.clustering_name
        raise UserError(
            f"metrics: {path} is of another clustering than '{name}' of {recording.path}; run 'semantic-rl metrics' "
            f"with --clustering {name}, or leave --metrics out."
        )
    if measured != describe_recording(recording)["states_sha256"]:
        raise UserError(
            f"metrics: {path} is of another recording than {recording.path}; run 'semantic-rl metrics' on this one, or "
            "leave --metrics out."
        )
    return metrics


def _content(path: Path) -> JsonObject:
    content = read_json(path, WAY_OUT)
    if not isinstance(content, dict) or content.get("format") != METRICS_FORMAT:
        raise UserError(f"{path} was not made by 'semantic-rl metrics' (its format is not '{METRICS_FORMAT}').")
    found = JsonObject(content, path, WAY_OUT)
    if found.integer("version", 1) > METRICS_VERSION:
        raise UserError(f"{path} was written by a newer semantic-rl (version {found['version']}); update semantic-rl.")
    return found


def _metrics(content: JsonObject) -> Metrics:
    parts = {name: dict(content.object(name)) for name in ("recording", "sample", "bootstrap", "settings", "versions")}
    methods = [_method(found) for found in content.objects("methods")]
    if not methods:
        content.wrong("methods", "one method or more")
    return Metrics(
        **parts,
        methods=methods,
        metrics=[_metric(found) for found in content.objects("metrics")],
        omitted=[Omission(found.text("what"), found.text("why")) for found in content.objects("omitted")],
    )


def _method(found: JsonObject) -> Method:
    key, title, about = (found.text(name) for name in ("key", "title", "about"))
    return Method(key, title, about, *(found.integer(name) for name in ("num_clusters", "num_states", "num_episodes")))


def _metric(found: JsonObject) -> Metric:
    name, title, group, question = (found.text(name) for name in ("name", "title", "group", "question"))
    direction: Direction | None = next((one for one in DIRECTIONS if one == found.get("direction")), None)
    if direction is None:
        found.wrong("direction", "higher, lower or none")
    ends = found.array("range")
    if len(ends) != 2 or not all(_is_number_or_none(end) for end in ends):
        found.wrong("range", "two numbers, or null where there is no bound")
    values = found.object("values")
    estimates = {key: _estimate(values.object(key)) for key in values}
    return Metric(MetricInfo(name, title, group, question, direction, (ends[0], ends[1])), estimates)


def _estimate(found: JsonObject) -> Estimate:
    for name in ("value", "low", "high"):
        if not _is_number_or_none(found.get(name)):
            found.wrong(name, "a number or null")
    note = found.get("note")
    if note is not None:
        found.text("note")
    return Estimate(found.get("value"), found.get("low"), found.get("high"), note)


def _is_number_or_none(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and math.isfinite(value))
