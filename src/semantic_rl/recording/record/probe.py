"""Lets an agent act once before a recording begins, and checks that what it returns is what `AgentStep` says.

It acts in two environments at once where there will be several: a missing or superfluous axis does not show in one.

Axes: B environments, P columns of the policy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.agents.protocol import Agent, AgentStep
from semantic_rl.envs.spec import ActionSpec, EnvSpec
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.recording.record.actor import NUMBERS, Actor
from semantic_rl.recording.record.envs import SeededEnv
from semantic_rl.recording.record.play import joined
from semantic_rl.recording.record.subject import Outputs

MOST_PROBED = 2
"""Environments in which an agent is tried."""


def probe_in(env: SeededEnv, agent: Agent, spec: EnvSpec, seed: int, num_envs: int) -> Outputs:
    """Let an agent act once in an environment, which begins an episode; otherwise like `probe`."""
    env.begin(seed)
    env.observe()
    masks = env.action_masks() if env.has_action_masks else None
    return probe(agent, spec, env.agent_observation(), seed, num_envs, masks)


def probe(
    agent: Agent, spec: EnvSpec, observation: Any, seed: int, num_envs: int, masks: NDArray[np.bool_] | None = None
) -> Outputs:
    """Let an agent act once, and return what it says; `observation` is [1, …], and it will play `num_envs` of them.

    Raises UserError if its actions do not fit the environment, or if anything that it returns is not as it should be.
    """
    count = min(MOST_PROBED, num_envs)
    seen = joined([observation] * count)
    allowed = None if masks is None else joined([masks] * count)
    actor = _actor(agent, count, seed)
    try:
        step = actor.act(seen, np.arange(count), np.ones(count, np.bool_), allowed)
    except UserError:
        raise
    except Exception as error:  # networks raise all kinds of errors for inputs of a wrong shape
        raise UserError(
            f"agent: fails on the first observation of {spec.id} ({on_one_line(str(error))[:200]}"
            "); give the environment that it was trained on, with --env, and its wrappers, with --wrap."
        ) from error
    _check_actions(step.action, count, spec)
    _check_features(step, count, agent.layer)
    if step.value is not None:
        _check("value", step.value, (count,))
    if step.policy is not None:
        _check_policy(step.policy, count, agent.policy_kind, spec)
    policy_width = 0 if step.policy is None or agent.policy_kind == "categorical" else step.policy.shape[1]
    kind = agent.policy_kind if step.policy is not None else "unknown"
    return Outputs(kind, policy_width, step.value is not None, step.features.shape[1], "float32")


def _actor(agent: Agent, count: int, seed: int) -> Actor:
    try:
        return Actor(agent, count, seed, deterministic=True)
    except UserError:
        raise
    except Exception as error:  # whatever a user's code raises
        raise UserError(f"agent: its initial_state({count}) fails: {on_one_line(str(error))[:200]}") from error


def _check_actions(actions: NDArray[Any], count: int, spec: EnvSpec) -> None:
    """Raise UserError unless the actions are [B], or [B, …] with as many numbers as the environment's have."""
    kind, width = spec.action.kind.replace("_", " "), spec.action.width
    expected = (count, width) if width else (count,)
    has_numbers = actions.size == count * max(1, width)
    if not has_numbers or len(actions) != count or (not width and actions.ndim != 1):
        way_out = "" if has_numbers else "; give the environment that it was trained on"
        raise UserError(
            f"agent: its act returns actions of the shape {actions.shape} for {count} states, expected {expected}: the "
            f"actions of {spec.id} are {kind} of sizes {spec.action.sizes}{way_out}."
        )
    is_valid = actions.dtype.kind in NUMBERS and np.isfinite(actions).all()
    if not is_valid or (spec.action.kind != "continuous" and (actions != np.floor(actions)).any()):
        wanted = "finite" if spec.action.kind == "continuous" else "whole"
        raise UserError(
            f"agent: its act returns the action {on_one_line(str(actions[0]))[:60]} in the first state, expected "
            f"{wanted} numbers: the actions of {spec.id} are {kind}."
        )


def _check_features(step: AgentStep, count: int, layer: str) -> None:
    if step.features.ndim != 2 or not step.features.shape[1] or len(step.features) != count:
        raise UserError(
            f"layer: '{layer}' gives the shape {step.features.shape} for {count} states, expected ({count}, numbers of "
            "a state)."
        )
    if step.features.dtype.kind not in NUMBERS or not np.isfinite(step.features).all():
        raise UserError(f"layer: the output of '{layer}' is not finite in the first state; choose another layer.")


def _check_policy(policy: NDArray[Any], count: int, kind: str, spec: EnvSpec) -> None:
    if kind == "categorical" and spec.action.kind != "discrete":
        raise UserError(
            f"agent: its policy_kind is 'categorical', which is for discrete actions, and those of {spec.id} are "
            f"{spec.action.kind.replace('_', ' ')}."
        )
    width = _policy_width(kind, spec.action)
    if policy.ndim == 2 and width is None:
        width = policy.shape[1] or 1
    _check(f"policy of the kind '{kind}'", policy, (count, width or "numbers of a state"))


def _policy_width(kind: str, action: ActionSpec) -> int | None:
    """Return how many columns a policy has; None if its kind does not say."""
    match kind:
        case "categorical" | "multi_categorical" | "q_values" if action.kind != "continuous":
            return sum(action.sizes)
        case "gaussian" | "squashed_gaussian" | "beta" if action.kind == "continuous":
            return 2 * action.width
        case _:
            return None


def _check(what: str, values: NDArray[Any], expected: tuple[Any, ...]) -> None:
    """Raise UserError unless values have the expected shape, and are finite."""
    if values.shape != expected:
        shown = f"({', '.join(map(str, expected))}{',' if len(expected) == 1 else ''})"
        raise UserError(
            f"agent: its act returns a {what} of the shape {values.shape} for {expected[0]} states, expected {shown}."
        )
    if values.dtype.kind not in NUMBERS or not np.isfinite(values).all():
        raise UserError(f"agent: its act returns a {what} that is not finite in the first state, so nothing is played.")
