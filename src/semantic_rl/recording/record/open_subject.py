"""Finds agent and environment of a recording by what the user typed."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semantic_rl.agents.open import open_agent
from semantic_rl.agents.policy import PolicyAgent
from semantic_rl.agents.protocol import Agent
from semantic_rl.agents.sb3_zip import is_zip
from semantic_rl.config import EnvConfig, EvaluateConfig, RecordConfig
from semantic_rl.config.game_to_play import game_to_play
from semantic_rl.control_factor import was_ever_above_zero
from semantic_rl.envs.gymnasium.calls import close
from semantic_rl.envs.gymnasium.make import EnvRecipe, open_recipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.envs.procgen.games import GAMES
from semantic_rl.envs.spec import as_typed
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of, shown_path
from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record.actions import random_actions
from semantic_rl.recording.record.agent_place import describe_agent, describe_foreign
from semantic_rl.recording.record.envs import EnvSource, procgen_source
from semantic_rl.recording.record.in_game import game_subject, say_which_layer
from semantic_rl.recording.record.probe import probe_in
from semantic_rl.recording.record.subject import Subject, outputs_of_policy, weights_sha256
from semantic_rl.recording.store.extra_columns import MOST_EXTRA, is_valid_name
from semantic_rl.training.checkpoint import find_checkpoint, load_policy, read_state
from semantic_rl.training.device import choose_device, choose_precision
from semantic_rl.user_code import user_function

OF_FOREIGN_AGENTS = ("env", "wrap", "vec_normalize", "layer", "trust", "info")
OF_PROCGEN = ("distribution_mode", "num_levels", "start_level", "level_seed")


def is_our_agent(agent: Path) -> bool:
    """Say whether an agent is a run, a checkpoint or a shipped one; others are functions in files, and zips."""
    return user_function(str(agent)) is None and not (kind_of(agent, "an agent") == "file" and is_zip(agent))


def refuse_environment(config: RecordConfig | EvaluateConfig) -> None:
    """Raise UserError if settings are given that apply only to agents trained elsewhere."""
    for name in OF_FOREIGN_AGENTS:
        if getattr(config, name, None):
            _check_that_it_is_ours(config.agent)
            raise UserError(
                f"{name}: got {getattr(config, name)!r}, but {config.agent} is an agent of this package, which plays "
                "the game that it was trained on; leave it out."
            )


def _check_that_it_is_ours(agent: Path) -> None:
    """Raise UserError if there is no such agent of this package, naming the zip that was meant if there is one."""
    zip_file = agent.with_name(f"{agent.name}.zip")
    if kind_of(agent, "an agent") is None and kind_of(zip_file, "an agent") == "file":
        raise UserError(f"agent: there is no {shown_path(agent)}. Did you mean '{shown_path(zip_file)}'?")
    find_checkpoint(agent)


def our_subject(config: RecordConfig) -> Subject:
    """Return an agent that this package trained, in the game that it was trained on."""
    refuse_environment(config)
    checkpoint = find_checkpoint(config.agent)
    return checkpoint_subject(load_policy(checkpoint), checkpoint, config)


def checkpoint_subject(policy: SemanticPolicy, checkpoint: Path, config: RecordConfig) -> Subject:
    """Return the policy of a checkpoint, in the game that it was trained on."""
    state = read_state(checkpoint)
    environment = game_to_play(state["config"], config, config.num_envs)
    entry = describe_agent(checkpoint, state, config.out)
    entry |= {
        "update": state.get("update"),
        "timesteps": state.get("timesteps"),
        "semantic_weight": state.get("semantic_weight"),
    }
    entry["semantic_weight_was_above_zero"] = was_ever_above_zero(checkpoint, state)
    return policy_subject(policy, environment, config, entry)


def policy_subject(
    policy: SemanticPolicy, environment: EnvConfig, config: RecordConfig, entry: dict[str, Any]
) -> Subject:
    """Return a policy in a Procgen game."""
    device = choose_device(config.device)
    agent = PolicyAgent(policy, device, choose_precision(config.precision, device))
    entry = {**entry, "sha256": weights_sha256(policy)}
    return Subject(agent, entry, procgen_source(environment), outputs_of_policy(NUM_FEATURES))


class Foreign(NamedTuple):
    """An agent that others trained, and how its environment is made."""

    agent: Agent
    recipe: EnvRecipe


def open_foreign(config: RecordConfig | EvaluateConfig) -> Foreign:
    """Open an agent that others trained, for the environment that the user names; print what they should know."""
    if config.env is None:
        raise UserError(
            f"env: {config.agent} does not say which environment it plays; give it, as in --env LunarLander-v3"
        )
    for name in OF_PROCGEN:
        if getattr(config, name) is not None:
            raise UserError(f"{name}: only Procgen games have it, and {config.env} is not one; leave it out.")
    recipe = open_recipe(config.env, config.arguments, config.wrap, config.agent, config.vec_normalize)
    env = recipe.make(render=False)
    try:
        agent = open_agent(config.agent, env=env, layer=getattr(config, "layer", None), trust=config.trust)
    finally:
        close(env)
    for note in (*recipe.notes, *getattr(agent, "notes", ())):
        print(f"note: {note}", file=sys.stderr)
    if recipe.wrapper_names:
        print(f"note: wrappers: {', '.join(recipe.wrapper_names)}", file=sys.stderr)
    return Foreign(agent, recipe)


def foreign_subject(config: RecordConfig) -> Subject:
    """Return an agent that others trained, in the environment that the user names."""
    if config.env in GAMES:
        return game_subject(config)
    agent, recipe = open_foreign(config)
    say_which_layer(agent)
    return agent_subject(agent, recipe, config, describe_foreign(agent, config.agent.stem))


def agent_subject(agent: Agent, recipe: EnvRecipe, config: RecordConfig, entry: dict[str, Any]) -> Subject:
    """Return an agent in a Gymnasium environment."""
    _check_columns(config.info)
    first = GymnasiumEnv(recipe, info=config.info)
    spec = first.spec
    try:
        outputs = probe_in(first, agent, spec, config.seed, config.num_envs)
        if config.info:
            masks = first.action_masks() if first.has_action_masks else None
            first.act(random_actions(spec.action, np.random.default_rng(config.seed), 1, masks))
    finally:
        first.close()
    settings: dict[str, Any] = {"env": spec.id, "num_envs": config.num_envs}
    if spec.arguments:
        settings["env_args"] = as_typed(spec.arguments)
    if spec.wrappers:
        settings["wrappers"] = ", ".join(spec.wrappers)

    texts = frozenset(key for key, value in first.info_values.items() if isinstance(value, str))

    make_alike = partial(GymnasiumEnv, recipe, spec=spec, info=config.info, texts=texts)

    def make(seed: int) -> GymnasiumEnv:
        return make_alike()

    def make_rendering(seed: int | None = None) -> GymnasiumEnv:
        return make_alike(render=True)

    # An emulator needs half a millisecond for a step and holds Python's lock; for others, processes do not pay.
    apart = make_alike if first.draws_anyway else None
    source = EnvSource(spec, settings, make, make_rendering, first.draws_anyway, apart, config.info, texts)
    return Subject(agent, entry, source, outputs)


def _check_columns(names: tuple[str, ...]) -> None:
    """Raise UserError if a key of info cannot be the name of a column."""
    for name in names:
        if not is_valid_name(name) or names.count(name) > 1:
            raise UserError(f"info: got {name!r}, expected each key once, and no name of a usual column.")
    if len(names) > MOST_EXTRA:
        raise UserError(f"info: got {len(names)} keys, expected at most {MOST_EXTRA}.")
