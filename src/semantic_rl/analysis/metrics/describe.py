"""The provenance written into metrics.json: recording, agent, bootstrap and software versions."""

import hashlib
from importlib.metadata import version
from typing import Any

from semantic_rl import __version__
from semantic_rl.analysis.metrics.bootstrap import NO_INTERVAL, Bootstrap
from semantic_rl.analysis.metrics.result import METRICS_FILE
from semantic_rl.artifacts import STATES_FILE
from semantic_rl.config.intervals import CONFIDENCE
from semantic_rl.recording.store import Recording


def metrics_file(recording: Recording) -> str:
    """Return the name of the file of metrics in the derived folder, which tells fitted clusterings apart."""
    return METRICS_FILE if recording.fitted is None else f"metrics-{recording.fitted.name}.json"


def describe_recording(recording: Recording) -> dict[str, Any]:
    """Identify the recording and its agent."""
    with (recording.path / STATES_FILE).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    agent: dict[str, Any] = recording.description["agent"]
    return {
        "name": recording.path.resolve().name,
        "states_sha256": sha256,
        "agent": {name: agent.get(name) for name in ("algorithm", "sha256")},
        "environment": recording.description["environment"],
        "protocol": recording.description.get("settings", {}).get("protocol"),
        "states": recording.num_states,
        "episodes": recording.num_episodes,
        "codes": recording.num_codes,
        **describe_clustering(recording),
    }


def describe_clustering(recording: Recording) -> dict[str, Any]:
    """Identify the clustering, if it was fitted afterwards; the agent's own is identified by the agent."""
    if recording.fitted is None:
        return {}
    return {"clustering": {"name": recording.fitted.name, "sha256": recording.fitted.sha256}}


def describe_bootstrap(bootstrap: Bootstrap, seed: int) -> dict[str, Any]:
    """Describe the kind of intervals."""
    return {
        "kind": "percentile",
        "level": CONFIDENCE,
        "unit": "episode" if bootstrap.num_units == bootstrap.num_episodes else "group of episodes",
        "units": bootstrap.num_units,
        "resamples": bootstrap.num_resamples,
        "seed": seed,
        "note": NO_INTERVAL if bootstrap.num_units == 1 else None,
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of the software."""
    others = ("numpy", "scipy", "scikit-learn", "openTSNE")
    return {"semantic-rl": __version__, **{name: version(name) for name in others}}
