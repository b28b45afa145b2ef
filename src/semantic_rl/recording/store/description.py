"""Reads and validates `recording.json` field by field, so that later code can rely on the types of its fields."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from semantic_rl.artifacts import (
    OPTIONAL_EPISODE_COLUMNS,
    OPTIONAL_STATE_COLUMNS,
    RECORDING_FILE,
    RECORDING_FORMAT,
    RECORDING_VERSION,
)
from semantic_rl.envs.procgen.spec import FAMILY as PROCGEN
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.envs.spec import EnvSpec, read_env_spec
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of
from semantic_rl.json_files import JsonObject, read_json_object
from semantic_rl.recording.store.extra_columns import read_categories, read_extra
from semantic_rl.recording.store.frames import BATCH_ROWS
from semantic_rl.recording.store.schema import SHARD_ROWS, StateLayout

WAY_OUT = "restore the recording or record again."
LARGEST_PICTURE = 2048
"""Largest accepted side of a picture, in pixels."""
MOST_CODES, MOST_ACTIONS = 256, 65_536
"""Most codes, whose indices are stored as bytes, and actions."""
MOST_NUMBERS = 65_536
"""Most numbers of an action, a policy, or the features."""
POLICY_KINDS = (
    "categorical", "multi_categorical", "gaussian", "squashed_gaussian", "beta", "q_values", "deterministic", "unknown",
)  # fmt: skip
"""How the numbers that describe a policy are read."""
LARGEST_FLOAT32 = 3.4e38
MADE_BY = "a recording made by 'semantic-rl record'"


def read_description(path: Path) -> JsonObject:
    """Return a recording folder's `recording.json`; raises UserError if it is missing, foreign or newer."""
    kind = kind_of(path, MADE_BY)
    file = path / RECORDING_FILE
    if kind is None:
        raise UserError(f"{path}: no such folder; expected {MADE_BY}.")
    if kind != "folder" or kind_of(file, MADE_BY) is None:
        raise UserError(f"{path} is not a recording: it has no {RECORDING_FILE}; make one with 'semantic-rl record'.")
    description = read_json_object(file, WAY_OUT)
    if description.get("format") != RECORDING_FORMAT:
        raise UserError(f"{file}: not a semantic-rl recording (its format is not '{RECORDING_FORMAT}').")
    if description.integer("version", 1) > RECORDING_VERSION:
        raise UserError(
            f"{path}: written by a newer semantic-rl (recording version {description['version']}, this one reads up to "
            f"{RECORDING_VERSION}); update semantic-rl."
        )
    return description


def check_description(description: JsonObject) -> dict[str, Any]:
    """Return the content of a complete recording's `recording.json`; raises UserError if a field is invalid."""
    counts = description.object("counts")
    counts.integer("states")
    counts.integer("episodes")
    description.integer("num_actions", 0, MOST_ACTIONS)
    num_codes = description.integer("num_codes", 0, MOST_CODES)
    codebook = description.array("codebook")
    if len(codebook) != num_codes or not all(_is_point(code) for code in codebook):
        description.wrong("codebook", f"{num_codes} pairs of finite numbers")
    _check_frames(description.object("frames"))
    _check_environment(description.object("environment"), is_of_procgen(description.content))
    check_agent(description.object("agent"))
    for name in ("settings", "machine", "versions"):
        if name in description:
            _check_scalars(description, name)
    return dict(description.content)


def check_agent(agent: JsonObject) -> None:
    """Raise UserError if a field of what a recording says of its agent is invalid."""
    agent.text("sha256")
    for name in ("path", "algorithm", "name"):
        if agent.get(name) is not None:
            agent.text(name)
    if "config" in agent:
        _check_scalars(agent, "config")


def env_spec(description: JsonObject) -> EnvSpec:
    """Return the environment of a recording; the first format did not say it, and knew only Procgen."""
    if "env_spec" in description:
        return read_env_spec(description.object("env_spec"))
    environment = description.object("environment")
    environment.text("env")
    environment.text("distribution_mode")
    return procgen_spec(environment)


def policy_kind(description: JsonObject) -> str:
    """Return how the numbers that describe the policy are read."""
    kind = description.text("policy_kind", "categorical")
    return kind if kind in POLICY_KINDS else description.wrong("policy_kind", f"one of {', '.join(POLICY_KINDS)}")


def state_layout(description: JsonObject, spec: EnvSpec, num_features: int, features_type: str) -> StateLayout:
    """Return what determines the columns of a recording's state table; raises UserError if a field is invalid."""
    num_actions = description.integer("num_actions", 0, MOST_ACTIONS)
    width = 0 if num_actions else spec.action.width
    if not num_actions and not width:
        description.wrong("num_actions", f"{spec.action.num_actions}, as the environment has")
    return StateLayout(
        num_actions,
        description.integer("num_codes", 0, MOST_CODES),
        num_features,
        width,
        description.integer("policy_width", 0, MOST_NUMBERS, 0),
        features_type,
        frozenset(absent_columns(description)),
        read_extra(description),
        frozenset(read_categories(description)),
    )


def absent_columns(description: JsonObject) -> list[str]:
    """Return the names of columns that a recording of this kind may lack, and lacks."""
    if "absent_columns" not in description:
        return []
    optional = (*OPTIONAL_STATE_COLUMNS, *OPTIONAL_EPISODE_COLUMNS, "observation")
    return [name for name in description.object("absent_columns") if name in optional]


def _check_frames(frames: JsonObject) -> None:
    frames.integer("picture_size", 0, LARGEST_PICTURE)
    for name, expected in (("shard_rows", SHARD_ROWS), ("batch_rows", BATCH_ROWS)):
        if name in frames:
            frames.integer(name, expected, expected)
    if "picture_shape" in frames:
        shape = frames.array("picture_shape")
        if len(shape) != 2 or not all(type(side) is int and 0 < side <= LARGEST_PICTURE for side in shape):
            frames.wrong("picture_shape", f"two whole numbers from 1 to {LARGEST_PICTURE:,}")


def is_of_procgen(description: Mapping[str, Any]) -> bool:
    """Say whether a recording is of one of Procgen's games; the first format knew only these."""
    spec = description.get("env_spec", {"family": PROCGEN})
    return isinstance(spec, dict) and cast(dict[str, Any], spec).get("family") == PROCGEN


def _check_environment(environment: JsonObject, is_of_procgen: bool) -> None:
    environment.text("env")
    if not is_of_procgen:  # earlier versions wrote arguments of any environment among the settings
        return
    if environment.get("distribution_mode") is not None:
        environment.text("distribution_mode")
    if "env_args" in environment:
        environment.text("env_args")
    for name in ("num_levels", "start_level", "num_envs"):
        if environment.get(name) is not None:
            environment.integer(name)


def _check_scalars(parent: JsonObject, name: str) -> None:
    """Raise UserError unless all values of an object are strings, numbers, true, false or null."""
    found = parent.object(name)
    for key, value in found.items():
        if isinstance(value, dict | list):
            found.wrong(key, "a text or a number")


def _is_point(code: object) -> bool:
    if not isinstance(code, list) or len(cast(list[Any], code)) != 2:
        return False
    return all(type(value) in (int, float) and abs(value) < LARGEST_FLOAT32 for value in cast(list[Any], code))
