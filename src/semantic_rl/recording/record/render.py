"""Renders pictures of recorded states, by replaying their episodes or while they are played.

Rendering costs several times as much as playing, so only recorded states are rendered. A game of Procgen is restored to
the state in which the episode began, another environment is begun with the same seed; the same actions then give the
same episode, which is checked observation by observation.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.gymnasium.env_processes import RemoteEnv, send_requests
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError
from semantic_rl.recording.record.actions import random_actions
from semantic_rl.recording.record.envs import EnvSource, RecordableEnv, SeededEnv
from semantic_rl.recording.record.trajectories import Awaited, Trajectory
from semantic_rl.recording.store.frames import encode_picture, pack_observation, picture_of
from semantic_rl.recording.store.writer import Block

MOST_PENDING = 256
"""Pictures that may wait to be encoded while the environments go on."""
STEPS_COMPARED = 100
"""Steps that are played twice to find out whether an environment plays out the same."""


class LiveRenderer:
    """Takes pictures of environments while they are played; they are encoded in parallel.

    Environments in processes of their own draw and encode them there.
    """

    def __init__(self, picture_shape: tuple[int, int], num_threads: int) -> None:
        self._picture_shape = picture_shape
        self._threads = ThreadPoolExecutor(num_threads)
        self._pending: deque[Future[bytes]] = deque()

    def render(self, envs: Sequence[RecordableEnv | RemoteEnv]) -> list[Awaited]:
        """Return the pictures of the last observations, which are encoded while the caller goes on."""
        pictures = [self._render(env) for env in envs]
        send_requests(envs)
        while len(self._pending) > MOST_PENDING or (self._pending and self._pending[0].done()):
            self._pending.popleft().result()
        return pictures

    def _render(self, env: RecordableEnv | RemoteEnv) -> Awaited:
        if isinstance(env, RemoteEnv):
            return env.ask(picture_of, self._picture_shape)
        picture = self._threads.submit(encode_picture, env.frames()[0], self._picture_shape)
        self._pending.append(picture)
        return picture

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(cancel_futures=True)


class Renderer:
    """Renders episodes in parallel, one per thread, each thread with its own environment."""

    def __init__(self, source: EnvSource, picture_shape: tuple[int, int], num_threads: int) -> None:
        self._spec = source.spec
        self._picture_shape = picture_shape
        self._envs: SimpleQueue[Any] = SimpleQueue()
        self._all_envs = [source.make_rendering() for _ in range(num_threads)]
        for env in self._all_envs:
            self._envs.put(env)
        self._threads = ThreadPoolExecutor(num_threads)

    def render(self, trajectories: list[Trajectory]) -> Iterator[Block]:
        """Return the trajectories' blocks, in the given order, with the encoded pictures of their states."""
        pictures = self._threads.map(self._render, trajectories)
        return (item.block._replace(pictures=some) for item, some in zip(trajectories, pictures, strict=True))

    def _render(self, trajectory: Trajectory) -> list[bytes]:
        env = self._envs.get()
        try:
            return self._render_in(env, trajectory)
        finally:
            self._envs.put(env)

    def _render_in(self, env: Any, trajectory: Trajectory) -> list[bytes]:
        steps: list[int] = trajectory.block.rows["step"].tolist()
        recorded = dict(zip(steps, trajectory.block.observations, strict=True))
        pictures: list[bytes] = []
        begin(env, self._spec, trajectory.start)
        for step in range(steps[-1] + 1):
            observation = env.observe().observation
            if step in recorded:
                if pack_step(observation, self._spec) != recorded[step]:
                    raise UserError(
                        f"{self._spec.id}: replaying an episode gave another observation in step {step}, so "
                        "its pictures cannot be made; record without them: --frame-size 0"
                    )
                pictures.append(encode_picture(env.frames()[0], self._picture_shape))
            if step < steps[-1]:
                env.act(trajectory.action(step, self._spec)[None])
        return pictures

    def close(self) -> None:
        """Stop the threads and free the environments."""
        self._threads.shutdown(cancel_futures=True)
        for env in self._all_envs:
            env.close()


def begin(env: Any, spec: EnvSpec, start: bytes) -> None:
    """Begin an episode where it began: at a state of a game, or with a seed."""
    if spec.restores_exactly:
        env.restore([start])
    else:
        env.begin(int.from_bytes(start, "little"))


def plays_out_the_same(source: EnvSource, env: SeededEnv, other: SeededEnv, seed: int) -> bool:
    """Say whether two environments give the same observations for the same seed and the same random actions."""
    generator = np.random.default_rng(seed)
    env.begin(seed)
    other.begin(seed)
    for _ in range(STEPS_COMPARED):
        ours, theirs = env.observe(), other.observe()
        if pack_step(ours.observation, source.spec) != pack_step(theirs.observation, source.spec):
            return False
        if ours.done[0] or theirs.done[0]:
            return bool(ours.done[0] == theirs.done[0])
        masks = env.action_masks() if env.has_action_masks else None
        action = random_actions(source.spec.action, generator, 1, masks)
        env.act(action)
        other.act(action)
    return True


def pack_step(observation: Any, spec: EnvSpec) -> bytes:
    """Compress an observation: an array [1, …], or a dictionary of them."""
    if isinstance(observation, dict):
        parts = cast(dict[str, NDArray[Any]], observation)
        return pack_observation(b"".join(parts[part.name][0].tobytes() for part in spec.observation))
    return pack_observation(observation[0])
