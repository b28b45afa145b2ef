"""Makes a recording: loads the agent, prepares the folder, plays until the protocol is satisfied, writes the tables."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from semantic_rl.called_flags import as_called
from semantic_rl.config import EnvConfig, RecordConfig
from semantic_rl.config.levels import Levels, choose_levels
from semantic_rl.control_factor import was_ever_above_zero
from semantic_rl.envs.factory import num_cores
from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
from semantic_rl.errors import UserError
from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record.agent_place import describe_agent
from semantic_rl.recording.record.envs import make_env, make_rendering_env
from semantic_rl.recording.record.folder import describe, held_folder
from semantic_rl.recording.record.play import Actor, Exploration, Play
from semantic_rl.recording.record.quota import Quota
from semantic_rl.recording.record.render import Renderer
from semantic_rl.recording.store.resume import load_snapshot, save_snapshot
from semantic_rl.recording.store.schema import state_dtype
from semantic_rl.recording.store.writer import RecordingWriter
from semantic_rl.training.checkpoint import find_checkpoint, load_policy, read_state
from semantic_rl.training.device import choose_device, choose_precision, keep_freed_memory
from semantic_rl.training.signals import StopSignals

SECONDS_BETWEEN_SNAPSHOTS = 60.0
"""The most work that a killed recording loses."""
SLACK_STEPS = 512
"""Steps per environment: an episode that begins earlier than this before the end is taken without waiting."""
ENVIRONMENTS, ACTIONS = range(2)
"""Numbers of the random streams that are derived from a seed."""


def record(config: RecordConfig) -> Path:
    """Record the agent that `config` names, in the game it was trained on; return the recording folder.

    Raises UserError on a user's mistake; exits with 128 + the signal's number after SIGINT or SIGTERM, leaving a
    folder that `resume` completes.
    """
    checkpoint = find_checkpoint(config.agent)
    state = read_state(checkpoint)
    trained: dict[str, Any] = state["config"]
    known = Levels(trained["num_levels"], trained["start_level"])
    levels = choose_levels(known, config.num_levels, config.start_level, config.level_seed)
    environment = EnvConfig(
        env=trained["env"],
        distribution_mode=config.distribution_mode or trained["distribution_mode"],
        num_levels=levels.num_levels,
        start_level=levels.start_level,
        num_envs=config.num_envs,
    )
    agent = describe_agent(checkpoint, state, config.out)
    agent |= {"update": state.get("update"), "semantic_weight": state.get("semantic_weight")}
    agent["semantic_weight_was_above_zero"] = was_ever_above_zero(checkpoint, state)
    return record_policy(load_policy(checkpoint), environment, config, agent)


def record_policy(
    policy: SemanticPolicy, environment: EnvConfig, config: RecordConfig, agent: dict[str, Any] | None = None
) -> Path:
    """Record a policy; `agent` is its entry in `recording.json`. Otherwise like `record`."""
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    keep_freed_memory()
    shape = ProcgenVectorEnv.observation_shape
    description = describe(policy, environment, config, agent or {}, shape, device, precision)
    with held_folder(config, description) as is_complete:
        if not is_complete:
            _record(policy.place(device).eval(), environment, config, description, Runs(device, precision))
    return config.out


class Runs(NamedTuple):
    """The device and the precision of the network."""

    device: torch.device
    precision: str


def _record(
    policy: SemanticPolicy, environment: EnvConfig, config: RecordConfig, description: dict[str, Any], runs: Runs
) -> None:
    """Play and write the recording into a folder that this process holds."""
    shape = ProcgenVectorEnv.observation_shape
    dtype = state_dtype(policy.num_actions, policy.num_codes, NUM_FEATURES)
    snapshot = load_snapshot(config.out, dtype) if config.resume else None
    writer = RecordingWriter(config.out, description, shape, config.frame_size > 0)
    seed = seeds_of(config.seed, ACTIONS, 1)[0]
    actor = Actor(policy, *runs, seed)
    exploration, quota = _protocol(config)
    with ExitStack() as stack:
        try:
            writer.begin()
            seeds = seeds_of(config.seed, ENVIRONMENTS, config.num_envs)
            envs = [make_env(environment, env_seed) for env_seed in seeds]
            for env in envs:
                stack.callback(env.close)
            renderer = None
            if config.frame_size:
                renderer = Renderer(lambda: make_rendering_env(environment), config.frame_size, num_cores())
                stack.callback(renderer.close)
            play = Play(envs, actor, writer, quota, dtype, exploration, renderer, seed)
            if snapshot is not None:
                play.restore(snapshot)
            _play_to_the_end(play, writer, config)
            if not writer.num_states:
                raise UserError(f"keep_probability: {config.keep_probability} kept no state at all; give a higher one.")
            with _progress("writing tables", None) as update:
                writer.finish(update)
        except OSError as error:
            go_on = "the same command with --resume goes on" if writer.is_begun else "give the same command again"
            raise UserError(
                f"cannot write recording {config.out}: {error.strerror or error}. What is there is kept: when the "
                f"cause is mended, {go_on}."
            ) from error


def _protocol(config: RecordConfig) -> tuple[Exploration | None, Quota]:
    if config.protocol == "explore":
        exploration = Exploration(config.explore_steps, config.random_action_probability, config.keep_probability)
        return exploration, Quota(None, None)
    return None, Quota(config.target_states, config.episodes, SLACK_STEPS * config.num_envs)


def seeds_of(seed: int, stream: int, count: int) -> list[int]:
    """Return the seeds of a recording's environments, or of its actions, derived from the recording's `seed`."""
    return (np.random.SeedSequence([seed, stream]).generate_state(count) % 2**31).tolist()


def _play_to_the_end(play: Play, writer: RecordingWriter, config: RecordConfig) -> None:
    """Play until the protocol is satisfied; save snapshots at intervals and when asked to stop."""
    total = config.explore_steps if config.protocol == "explore" else config.target_states or config.episodes or 0
    saved = time.monotonic()
    with StopSignals() as signals, _progress(f"recording {config.out}", total) as update:
        goes_on = True
        while goes_on:
            goes_on = play.step()
            update(_done(play, writer, config), total)
            is_due = time.monotonic() - saved > SECONDS_BETWEEN_SNAPSHOTS
            if is_due or signals.received is not None:
                save_snapshot(config.out, play.snapshot())
                saved = time.monotonic()
            if signals.received is not None:
                said = f"stopped; {config.out} is not complete. Go on with the same command and --resume."
                print(as_called(said), file=sys.stderr)
                sys.exit(signals.exit_code)


def _done(play: Play, writer: RecordingWriter, config: RecordConfig) -> int:
    """Return the progress of a recording, in the unit that its protocol counts."""
    if config.protocol == "explore":
        return play.num_steps
    if config.target_states is None:
        return writer.num_episodes
    return min(play.num_states, config.target_states)


@contextmanager
def _progress(title: str, total: int | None) -> Generator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; yields a function that takes (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)
