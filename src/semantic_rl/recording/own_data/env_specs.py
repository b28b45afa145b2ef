"""Returns the `EnvSpec` of what a user gives as environment: an `EnvSpec`, a Gymnasium id, or an environment."""

from importlib import import_module
from typing import Any, NamedTuple

from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError


class Subject(NamedTuple):
    """An environment, and the number of its first discrete action."""

    spec: EnvSpec
    first_action: int


def subject_of(env: Any) -> Subject:
    """Return the spec of an environment; raises UserError if it is none, or none that can be recorded."""
    if isinstance(env, EnvSpec):
        return Subject(env, 0)
    found = import_module("semantic_rl.envs.gymnasium.spec")
    if isinstance(env, str):
        make = import_module("semantic_rl.envs.gymnasium.make")
        recipe = make.open_recipe(env, {}, (), None, None)
        made = recipe.make(render=False)
        try:
            return Subject(found.gymnasium_spec(made, recipe), _first_action(made))
        finally:
            made.close()
    if hasattr(env, "single_observation_space"):
        raise UserError("env: got a vector environment, expected a single environment, or its id.")
    if not hasattr(env, "observation_space") or not hasattr(env, "action_space"):
        raise UserError(f"env: got a {type(env).__name__}, expected a Gymnasium id, an environment, or an EnvSpec.")
    return Subject(found.spec_of_made(env), _first_action(env))


def _first_action(env: Any) -> int:
    return int(getattr(env.action_space, "start", 0)) if hasattr(env.action_space, "n") else 0
