"""Checks states that a user gives and turns them into columns of the state table."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.spec import EnvSpec, ObservationPart
from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.arrays import as_array, as_floats, floats, integers, rows_of, texts
from semantic_rl.recording.own_data.states import Held, States
from semantic_rl.recording.store.frames import pack_observation

MOST_OFF_ONE = 1e-3
"""Largest accepted distance from 1 of the sum of an action's probabilities."""
OBSERVATION, PICTURES = "observation", "pictures"
GIVEN = {
    "observations": OBSERVATION, "actions": "action", "rewards": "reward", "values": "value", "log_probs": "log_prob",
    "policy": "policy", "pictures": PICTURES,
}  # fmt: skip
"""What a user gives, and the column that it becomes."""


def check_same_kind(states: States, held: Held) -> None:
    """Raise UserError unless the same fields are given as in the recording's first states."""
    has = {"policy": held.policy_width > 0, PICTURES: held.picture_shape != (0, 0)}
    for name, column in GIVEN.items():
        is_given, was_given = getattr(states, name) is not None, has.get(column, column not in held.absent)
        if name in ("log_probs", "policy") and held.policy_kind == "categorical":
            is_given, was_given = states.log_probs is not None or states.policy is not None, True
        if is_given != was_given:
            _differs(name, is_given)
    for name in {*states.extra, *held.extra}:
        if (name in states.extra) != (name in held.extra):
            _differs(f"extra['{name}']", name in states.extra)


def _differs(name: str, is_given: bool) -> None:
    before, now = ("not given", "given") if is_given else ("given", "missing")
    raise UserError(f"{name}: {now} here, but {before} in the first episode; every state of a recording has the same.")


def state_columns(states: States, held: Held) -> dict[str, NDArray[Any]]:
    """Return the columns [B, …] of numbers that states give, by name; raises UserError if something does not fit."""
    features = flat_features(states.features)
    count, action = len(features), held.spec.action
    if features.shape[1] != held.num_features:
        raise UserError(f"features: got {features.shape[1]:,} numbers a state, expected {held.num_features:,}.")
    found: dict[str, NDArray[Any]] = {"features": features}
    if states.actions is not None:
        found |= _actions(states.actions, held, count)
    for name, given in (("reward", states.rewards), ("value", states.values)):
        if given is not None:
            found[name] = floats(f"{name}s", given, count)
    if states.log_probs is not None:
        found["log_prob"] = _log_probs(states.log_probs, action.num_actions, count)
    elif states.policy is not None and held.policy_kind == "categorical":
        logits = floats("policy", states.policy, count, (action.num_actions,)).astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        found["log_prob"] = as_floats("policy", logits - np.log(np.exp(logits).sum(1, keepdims=True)), np.float32)
    elif states.policy is not None:
        found["policy"] = floats("policy", states.policy, count, (held.policy_width,))
    for name, given in states.extra.items():
        if name not in held.texts:
            found[name] = floats(f"extra['{name}']", given, count, (), unknown=True)
    return found


def text_columns(states: States, held: Held, count: int) -> dict[str, list[str]]:
    """Return the columns of texts that states give, by name; raises UserError if something in them is no text."""
    return {name: texts(f"extra['{name}']", states.extra[name], count) for name in held.extra if name in held.texts}


def flat_features(given: Any) -> NDArray[np.float32]:
    """Return features as float32 [B, D]; raises UserError if there are none, or one is not finite."""
    array = as_array("features", given)
    if array.ndim < 2 or not array.size:
        raise UserError(
            f"features: got an array of the shape {array.shape}, expected [states, numbers] with at least one of each."
        )
    return floats("features", array.reshape(len(array), -1), len(array), (math.prod(array.shape[1:]),))


def _actions(given: Any, held: Held, count: int) -> dict[str, NDArray[Any]]:
    action = held.spec.action
    if action.kind == "discrete":
        return {"action": integers("actions", given, count, action.sizes, held.first_action)[:, 0]}
    if action.kind == "continuous":
        found = floats("actions", rows_of("actions", given, count, None).reshape(count, -1), count, (action.width,))
        return {"action_vector": found}
    return {"action_vector": integers("actions", given, count, action.sizes).astype(np.float32)}


def _log_probs(given: Any, num_actions: int, count: int) -> NDArray[np.float32]:
    if not num_actions:
        raise UserError("log_probs: given, but the actions are not discrete; give the policy's numbers as policy.")
    found = floats("log_probs", given, count, (num_actions,))
    with np.errstate(over="ignore"):
        sums = np.exp(found.astype(np.float64)).sum(1)
    wrong = np.abs(sums - 1) > MOST_OFF_ONE
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UserError(
            f"log_probs: the probabilities of row {row:,} add up to {sums[row]:.4g}, expected 1; give "
            'log-probabilities of all actions, or logits as policy with policy_kind="categorical".'
        )
    return found


def packed_observations(given: Any, spec: EnvSpec, count: int) -> list[bytes]:
    """Return B compressed observations; raises UserError if they do not fit what the environment says of them."""
    if given is None:
        return [pack_observation(b"\0")] * count
    if len(spec.observation) == 1 and not spec.observation[0].name:
        rows = _part("observations", given, spec.observation[0], count)
        return [pack_observation(row) for row in rows]
    parts = _by_name(given, spec)
    arrays = [_part(f"observations['{part.name}']", parts[part.name], part, count) for part in spec.observation]
    return [pack_observation(b"".join(array[row].tobytes() for array in arrays)) for row in range(count)]


def _by_name(given: Any, spec: EnvSpec) -> dict[str, Any]:
    """Return the parts of observations, from a dictionary of arrays or from a list of dictionaries."""
    names = [part.name for part in spec.observation]
    try:
        if isinstance(given, Mapping):
            return {name: given[name] for name in names}
        return {name: [one[name] for one in cast(Sequence[Any], given)] for name in names}
    except (KeyError, TypeError, IndexError):
        raise UserError(
            f"observations: expected a dictionary with {', '.join(names)}, or a list of such dictionaries."
        ) from None


def _part(name: str, given: Any, part: ObservationPart, count: int) -> NDArray[Any]:
    array, dtype = rows_of(name, given, count, part.shape), np.dtype(part.dtype)
    if dtype.kind == "f":
        return as_floats(name, array, dtype)
    if array.dtype == dtype:
        return array
    if array.dtype.kind == "f":
        raise UserError(f"{name}: got numbers of the type {array.dtype}, expected {dtype}.")
    limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    most = 1 if dtype.kind == "b" else limits.max
    if array.size and (array.min() < limits.min or array.max() > most):
        raise UserError(f"{name}: the numbers go from {array.min()} to {array.max()}, expected {dtype}.")
    return array.astype(dtype)
