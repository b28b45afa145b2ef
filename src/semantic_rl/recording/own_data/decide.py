"""Decides from the first states that a user gives what every state of the recording has."""

import dataclasses
from typing import Any

from semantic_rl.envs.spec import EnvSpec, ObservationPart
from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.arrays import are_texts, as_array
from semantic_rl.recording.own_data.columns import GIVEN, OBSERVATION, PICTURES, flat_features
from semantic_rl.recording.own_data.pictures import pictures_of, stored_shape
from semantic_rl.recording.own_data.states import Held, States
from semantic_rl.recording.store.description import MOST_NUMBERS, POLICY_KINDS
from semantic_rl.recording.store.extra_columns import LONGEST_NAME, MOST_EXTRA, is_valid_name

SUCCESS, LEVEL = "as the recording's maker says", "number that the recording's maker gave"
NOT_GIVEN = "it was not given"
NO_OBSERVATION = ObservationPart("", (1,), "uint8", ("not recorded",))
"""What stands in for an observation that is not known."""


def decide(
    states: States,
    spec: EnvSpec,
    first_action: int,
    policy_kind: str | None,
    picture_size: int,
    has_success: bool,
    has_level: bool,
) -> Held:
    """Return what every state of a recording has, given the first of them.

    Raises UserError if features or further columns are invalid, or if policy and actions do not fit each other.
    """
    count, num_features = flat_features(states.features).shape
    if num_features > MOST_NUMBERS:
        raise UserError(f"features: got {num_features:,} numbers a state, expected at most {MOST_NUMBERS:,}.")
    kind, width = _policy(states, spec, policy_kind)
    absent = {column: NOT_GIVEN for name, column in GIVEN.items() if getattr(states, name) is None}
    absent.pop("policy", None)
    absent.pop(PICTURES, None)
    if kind == "categorical":
        absent.pop("log_prob", None)
    else:
        absent["log_prob"] = NOT_GIVEN
    if "reward" in absent:
        absent["return_to_go"] = NOT_GIVEN
    if "action" in absent and not spec.action.num_actions:
        raise UserError(f"actions: missing; expected {spec.action.width} numbers a state, as {spec.id} takes them.")
    absent |= {name: NOT_GIVEN for name, has in (("success", has_success), ("level_seed", has_level)) if not has}
    spec = dataclasses.replace(
        spec,
        observation=(NO_OBSERVATION,) if OBSERVATION in absent else spec.observation,
        success=(spec.success or SUCCESS) if has_success else None,
        level=(spec.level or LEVEL) if has_level else None,
        restores_exactly=False,
    )
    shape = (0, 0)
    if states.pictures is not None and picture_size:
        shape = stored_shape(pictures_of(states.pictures, count)[0], picture_size)
    extra = tuple(states.extra)
    _check_names(extra)
    texts = frozenset(name for name in extra if are_texts(states.extra[name]))
    return Held(spec, first_action, num_features, kind, width, shape, absent, extra, texts)


def _policy(states: States, spec: EnvSpec, kind: str | None) -> tuple[str, int]:
    """Return the kind of the policy and how many numbers describe it, 0 for a categorical one."""
    if states.log_probs is not None:
        if states.policy is not None or kind not in (None, "categorical"):
            raise UserError("log_probs: given with policy or policy_kind; give one of them.")
        return "categorical", 0
    if states.policy is None:
        return "unknown", 0
    if kind not in POLICY_KINDS:
        raise UserError(f"policy_kind: got {kind!r}, expected one of {', '.join(POLICY_KINDS)} for the given policy.")
    if kind == "categorical":
        if not spec.action.num_actions:
            raise UserError("policy_kind: got 'categorical', but the actions are not discrete.")
        return kind, 0
    array = as_array("policy", states.policy)
    if array.ndim != 2 or not 0 < array.shape[1] <= MOST_NUMBERS:
        raise UserError(f"policy: got an array of the shape {array.shape}, expected [states, numbers].")
    return kind, array.shape[1]


def _check_names(names: tuple[Any, ...]) -> None:
    if len(names) > MOST_EXTRA:
        raise UserError(f"extra: got {len(names)} columns, expected at most {MOST_EXTRA}.")
    for name in names:
        if not is_valid_name(name):
            raise UserError(
                f"extra: got a column named {name!r}, expected a text of 1 to {LONGEST_NAME} printable characters that "
                "is no name of a recording's own columns."
            )
