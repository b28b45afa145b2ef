"""Reads what other commands have made of the same recording, so that the report need not make it again."""

import json
from pathlib import Path
from typing import Any

from semantic_rl.analysis.metrics import Estimate, Method, Metric, Metrics, Omission
from semantic_rl.analysis.metrics.catalogue import MetricInfo
from semantic_rl.analysis.metrics.describe import describe_recording
from semantic_rl.analysis.metrics.result import METRICS_FORMAT, METRICS_VERSION
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording


def read_metrics(path: Path, recording: Recording) -> Metrics:
    """Read metrics.json; raises UserError if it is not one, from a newer version, or of another recording."""
    content = _read_json(path, METRICS_FORMAT, METRICS_VERSION, "metrics")
    try:
        metrics = _metrics(content)
        measured = metrics.recording["states_sha256"]
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} does not say what it should ({error!r}); run 'semantic-rl metrics' again.") from error
    if measured != describe_recording(recording)["states_sha256"]:
        raise UserError(
            f"metrics: {path} is of another recording than {recording.path}; run 'semantic-rl metrics' on this one, or "
            "leave --metrics out."
        )
    return metrics


def _read_json(path: Path, form: str, newest: int, command: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{command}: {path} cannot be read: {error}; make it with 'semantic-rl {command}'.") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise UserError(f"{command}: {path} was not made by 'semantic-rl {command}' (its format is not '{form}').")
    version = content.get("version")
    if not isinstance(version, int) or version > newest:
        raise UserError(
            f"{command}: {path} was written by a newer semantic-rl (version {version}); update semantic-rl."
        )
    return content


def _metrics(content: dict[str, Any]) -> Metrics:
    metrics = [
        Metric(
            MetricInfo(**{name: found[name] for name in MetricInfo._fields})._replace(range=tuple(found["range"])),
            {key: Estimate(**estimate) for key, estimate in found["values"].items()},
        )
        for found in content["metrics"]
    ]
    parts = {name: content[name] for name in ("recording", "sample", "bootstrap", "settings", "versions")}
    return Metrics(
        **parts,
        methods=[Method(**method) for method in content["methods"]],
        metrics=metrics,
        omitted=[Omission(**omission) for omission in content["omitted"]],
    )
