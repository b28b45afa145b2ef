"""Makes a recording: loads the agent, prepares the folder, plays until the protocol is satisfied, writes the tables."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from semantic_rl.called_flags import as_called
from semantic_rl.config import EnvConfig, RecordConfig
from semantic_rl.cores import num_cores
from semantic_rl.envs.gymnasium.env_processes import make_apart
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.progress_bar import progress_bar
from semantic_rl.recording.record.actor import Actor
from semantic_rl.recording.record.envs import EnvSource
from semantic_rl.recording.record.folder import describe, held_folder
from semantic_rl.recording.record.open_subject import foreign_subject, is_our_agent, our_subject, policy_subject
from semantic_rl.recording.record.play import Exploration, Play
from semantic_rl.recording.record.quota import Quota
from semantic_rl.recording.record.render import LiveRenderer, Renderer, plays_out_the_same
from semantic_rl.recording.record.seeds import ACTIONS, ENVIRONMENTS, seed_of_episode, seeds_of
from semantic_rl.recording.record.subject import Subject
from semantic_rl.recording.store.extra_columns import CATEGORIES
from semantic_rl.recording.store.frames import encoded_shape
from semantic_rl.recording.store.reader_check import check_readable
from semantic_rl.recording.store.resume import load_snapshot, save_snapshot
from semantic_rl.recording.store.writer import ShardWriter, observation_layout
from semantic_rl.stop_signals import StopSignals
from semantic_rl.training.device import keep_freed_memory

SECONDS_BETWEEN_SNAPSHOTS = 60.0
"""The most work that a killed recording loses."""
SLACK_STEPS = 512
"""Steps per environment: episodes that begin more than this before the end are taken without waiting."""


class Until(NamedTuple):
    """Ends a recording of an agent in a game early, and leaves out what nobody will look at.

    Unfinished episodes are dropped in the end: waiting for them would take as long as the longest of them.
    """

    most_episode_steps: int
    """An episode that is longer is abandoned, and recorded as unfinished; 0 allows any length."""
    most_states: int
    """About the largest number of states, whatever the number in the config says."""
    states_between_checks: int
    is_enough: Callable[[ShardWriter], bool]
    """Says whether the states that have been taken suffice."""


def record(config: RecordConfig, until: Until | None = None) -> Path:
    """Record the agent that `config` names, in the environment that it names or that the agent was trained on.

    With `until`, the recording ends when there are enough states. Returns the recording folder. Raises UserError on a
    user's mistake; exits with 128 + the signal's number after SIGINT or SIGTERM, leaving a folder that `resume`
    completes.
    """
    if is_our_agent(config.agent):
        return record_subject(our_subject(config), config, until)
    return record_subject(foreign_subject(config), config)


def record_policy(
    policy: SemanticPolicy, environment: EnvConfig, config: RecordConfig, agent: dict[str, Any] | None = None
) -> Path:
    """Record a policy in a Procgen game; `agent` is its entry in `recording.json`. Otherwise like `record`."""
    return record_subject(policy_subject(policy, environment, config, agent or {}), config)


def record_subject(subject: Subject, config: RecordConfig, until: Until | None = None) -> Path:
    """Record an agent in an environment; otherwise like `record`."""
    # Networks that others trained are mostly small: threads that wait for each other make them slower.
    if config.num_threads or subject.policy is None:
        torch.set_num_threads(config.num_threads or 1)
    keep_freed_memory()
    machine = {"device": str(getattr(subject.agent, "device", "cpu")).partition(":")[0]}
    machine["precision"] = getattr(subject.agent, "precision", "fp32")
    description = describe(subject, config, _picture_shape(subject.source, config.frame_size), machine)
    check_readable(description, subject.layout().dtype(), *observation_layout(subject.source.spec))
    with held_folder(config, description) as is_complete:
        if not is_complete:
            _record(subject, config, description, until)
    return config.out


def _picture_shape(source: EnvSource, frame_size: int) -> tuple[int, int]:
    """Return height and width of the pictures; (0, 0) if none are wanted."""
    if not frame_size:
        return 0, 0
    if source.spec.restores_exactly:
        return frame_size, frame_size
    env = source.make_rendering()
    try:
        env.begin(0)
        env.observe()
        height, width = env.frames().shape[1:3]
    finally:
        env.close()
    return encoded_shape((height, width), min(frame_size, max(height, width)))


def _record(subject: Subject, config: RecordConfig, description: dict[str, Any], until: Until | None) -> None:
    """Play and write the recording into a folder that this process holds."""
    source, spec = subject.source, subject.source.spec
    dtype = subject.layout().dtype()
    snapshot = load_snapshot(config.out, dtype) if config.resume else None
    shape, type_ = observation_layout(spec)
    picture_shape: tuple[int, int] | None = None
    if description["frames"]["picture_size"]:
        height, width = description["frames"]["picture_shape"]
        picture_shape = height, width
    writer = ShardWriter(config.out, description, shape, picture_shape is not None, type_)
    seed = seeds_of(config.seed, ACTIONS, 1)[0]
    actor = Actor(subject.agent, config.num_envs, seed, config.deterministic)
    exploration, quota = _protocol(config) if until is None else (None, Quota(None, None))
    with ExitStack() as stack:
        try:
            writer.begin()
            renderer, make = None, source.make
            if picture_shape and _is_rendered_afterwards(source, config.seed):
                renderer = Renderer(source, picture_shape, num_cores())
            elif picture_shape:
                renderer = LiveRenderer(picture_shape, num_cores())
                make = source.make_rendering
            if renderer is not None:
                stack.callback(renderer.close)
            play = Play(
                _make_envs(source, make, isinstance(renderer, LiveRenderer), config, stack),
                spec,
                actor,
                writer,
                quota,
                dtype,
                exploration,
                renderer,
                seed,
                partial(seed_of_episode, config.seed),
                # Not whether there are processes: a machine with one core records the same.
                2 if actor.is_apart or source.make_apart is not None else 1,
                0 if until is None else until.most_episode_steps,
            )
            if snapshot is not None:
                play.restore(snapshot)
            _play_to_the_end(play, writer, config, until)
            if not writer.num_states:
                raise UserError(f"keep_probability: {config.keep_probability} kept no state at all; give a higher one.")
            if play.categories:
                writer.describe(**{CATEGORIES: play.categories})
            with progress_bar("writing tables", counts=True) as update:
                writer.finish(update)
        except OSError as error:
            go_on = "the same command with --resume continues" if writer.is_begun else "give the same command again"
            raise UserError(
                f"cannot write recording {config.out}: {error.strerror or error}. What is there is kept: once the "
                f"cause is fixed, {go_on}."
            ) from error


def _make_envs(
    source: EnvSource, make: Callable[[int], Any], render: bool, config: RecordConfig, stack: ExitStack
) -> list[Any]:
    """Make the environments, to be closed with `stack`; with `render`, they draw pictures."""
    maker = None if source.make_apart is None else partial(source.make_apart, render=render)
    processes = make_apart(maker, config.num_envs, num_cores(), source.spec.id)
    if processes is not None:
        stack.callback(processes.close)
        return list(processes.envs)
    envs: list[Any] = []
    for env_seed in seeds_of(config.seed, ENVIRONMENTS, config.num_envs):
        envs.append(make(env_seed))
        stack.callback(envs[-1].close)
    return envs


def _is_rendered_afterwards(source: EnvSource, seed: int) -> bool:
    """Say whether only recorded states are rendered: this takes an environment that plays out the same again."""
    if source.spec.restores_exactly or source.draws_anyway:
        return source.spec.restores_exactly
    first, again = source.make(0), source.make(0)
    try:
        return plays_out_the_same(source, first, again, seed)
    finally:
        first.close()
        again.close()


def _protocol(config: RecordConfig) -> tuple[Exploration | None, Quota]:
    if config.protocol == "explore":
        exploration = Exploration(config.explore_steps, config.random_action_probability, config.keep_probability)
        return exploration, Quota(None, None)
    return None, Quota(config.target_states, config.episodes, SLACK_STEPS * config.num_envs)


def _play_to_the_end(play: Play, writer: ShardWriter, config: RecordConfig, until: Until | None) -> None:
    """Play until the protocol is satisfied; save snapshots at intervals and when asked to stop."""
    total = config.explore_steps if config.protocol == "explore" else config.target_states or config.episodes or 0
    saved = time.monotonic()
    with StopSignals() as signals, progress_bar(f"recording {config.out}", total, counts=True) as update:
        goes_on = True
        while goes_on:
            goes_on = play.step()
            if until is not None and goes_on and _is_over(play, writer, until):
                play.stop()
            update(_done(play, writer, config), total)
            is_due = time.monotonic() - saved > SECONDS_BETWEEN_SNAPSHOTS
            if is_due or signals.received is not None:
                save_snapshot(config.out, play.snapshot())
                saved = time.monotonic()
            if signals.received is not None:
                said = f"stopped; {config.out} is not complete. Continue with the same command and --resume."
                print(as_called(said), file=sys.stderr)
                sys.exit(signals.exit_code)


def _is_over(play: Play, writer: ShardWriter, until: Until) -> bool:
    """Say whether there are enough states, which is asked at intervals."""
    if play.num_taken >= until.most_states:
        return True
    num_checks = play.num_taken // until.states_between_checks
    if num_checks == play.num_checks:
        return False
    play.num_checks = num_checks
    play.write()
    return until.is_enough(writer)


def _done(play: Play, writer: ShardWriter, config: RecordConfig) -> int:
    """Return the progress of a recording, in the unit that its protocol counts."""
    if config.protocol == "explore":
        return play.num_steps
    if config.target_states is None:
        return writer.num_episodes
    return min(play.num_states, config.target_states)
