"""Checks with the reader's own checks that what is about to be written can be opened again, before it is written.

Whoever writes a recording calls `check_readable`: what the reader would refuse ends in one sentence at the beginning,
not in a complete recording that nobody can open.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import RECORDING_FILE, RECORDING_FORMAT, RECORDING_VERSION
from semantic_rl.envs.spec import DATA, read_env_spec
from semantic_rl.errors import UserError
from semantic_rl.json_files import MOST_BYTES, JsonObject, parse_json_object, shown
from semantic_rl.recording.store.checked_tables import can_be_stored
from semantic_rl.recording.store.description import check_agent, policy_kind, state_layout
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.frames import check_observation_layout
from semantic_rl.recording.store.reader import Recording
from semantic_rl.recording.store.table_file import MOST_IN_LIST

OF_THE_AGENT = "give it a value of that kind."
OF_AN_ENVIRONMENT = "wrap the environment so that it fits."
OF_DATA = "change what is given there, or leave it out."
REWARDS = ("reward", "return_to_go")
"""Columns of rewards and of their sums."""


def recording_json(description: Mapping[str, Any], counts: Mapping[str, int] | None) -> str:
    """Return the text of `recording.json`; without counts, of a recording that is not complete."""
    head = {"format": RECORDING_FORMAT, "version": RECORDING_VERSION, "complete": counts is not None}
    content = {**head, **description, **({} if counts is None else {"counts": counts})}
    return json.dumps(content, indent=2) + "\n"


def check_readable(
    description: Mapping[str, Any], dtype: np.dtype[np.void], observation_shape: tuple[int, ...], observation_type: str
) -> None:
    """Raise UserError unless the reader accepts a recording of this description, whose states have the type `dtype`.

    `description` is the content of `recording.json` except format and counts; shape and type are those of one
    observation as it is stored. The message names the value, what was expected, and the way out.
    """
    way_out = _way_out(description)
    for name, where, advice in (("env_spec", "env", way_out), ("agent", "agent", OF_THE_AGENT)):
        _check_json(description.get(name, {}), where, advice)
    _check_json(description, RECORDING_FILE, OF_DATA)
    text = recording_json(description, {"states": 1, "episodes": 1})
    content = parse_json_object(text, Path(RECORDING_FILE), OF_DATA)
    if "env_spec" in content:
        read_env_spec(JsonObject(content.object("env_spec").content, Path("env"), way_out))
    check_agent(JsonObject(content.object("agent").content, Path("agent"), OF_THE_AGENT))
    policy_kind(JsonObject(content.content, Path("agent"), OF_THE_AGENT))
    try:
        check_observation_layout(observation_shape, observation_type)
    except Damaged as error:
        raise UserError(f"env: its observations cannot be recorded, because {error}; {way_out}") from error
    features = dtype["features"]
    if features.shape[0] > MOST_IN_LIST:
        raise UserError(
            f"layer: its output has {features.shape[0]:,} numbers a state, expected at most {MOST_IN_LIST:,}; choose "
            "another layer."
        )
    spec = Recording(Path(), content).spec
    expected = state_layout(content, spec, features.shape[0], features.base.name).dtype()
    assert expected == dtype, f"the reader expects {expected}, and {dtype} would be written"
    if len(text) > MOST_BYTES:
        raise UserError(f"{RECORDING_FILE} would have {len(text):,} bytes, expected at most {MOST_BYTES:,}; {OF_DATA}")


def check_numbers(rows: NDArray[np.void], nullable: tuple[str, ...]) -> None:
    """Raise UserError if a number is NaN or too large for its column; a recording never holds such numbers."""
    for name in rows.dtype.names or ():
        values = rows[name]
        if values.dtype.kind != "f" or can_be_stored(values, name in nullable).all():
            continue
        most = np.finfo(values.dtype).max
        if name in REWARDS:
            raise UserError(
                f"the rewards of an episode add up to more than {most:.2g}, the largest number that a recording holds; "
                "scale them down."
            )
        if np.isnan(values).any() and name not in nullable:
            raise UserError(f"the agent's network says NaN for '{name}', so its states cannot be recorded.")
        raise UserError(
            f"the agent's '{name}' reach beyond {most:,.0f}, the largest number that a recording holds there "
            f"({values.dtype}), so its states cannot be recorded; scale that layer's output down."
        )


def _way_out(description: Mapping[str, Any]) -> str:
    spec = description.get("env_spec", {})
    return OF_DATA if spec.get("family") == DATA else OF_AN_ENVIRONMENT


def _check_json(value: Any, name: str, way_out: str) -> None:
    """Raise UserError, which names the field, unless JSON can hold a value and the reader of JSON accepts it."""
    if _is_json(value):
        return
    where = ""
    while True:
        inner = _inside(value)
        found = next(((key, part) for key, part in inner.items() if not _is_json(part)), None)
        if found is None:
            break
        where, value = f"{where}.{found[0]}" if where else found[0], found[1]
    raise UserError(
        f"{name}: '{where}' is {shown(value)}, expected a text, true, false, none, or a finite number of at most 15 "
        f"digits; {way_out}"
    )


def _inside(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(key): part for key, part in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return {str(index): part for index, part in enumerate(cast(list[Any], value))}
    return {}


def _is_json(value: Any) -> bool:
    try:
        parse_json_object(json.dumps({"value": value}), Path(), "")
    except (TypeError, ValueError, RecursionError, UserError):
        return False
    return True
