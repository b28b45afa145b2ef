"""Renders high-resolution pictures by replaying recorded episodes from their first state in rendering games.

Rendering at 512×512 costs several times as much as playing, so only recorded states are rendered. Procgen is
deterministic: the same state and actions give the same episode, which is checked frame by frame.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np

from semantic_rl.recording.record.envs import RecordableEnv
from semantic_rl.recording.record.trajectories import Trajectory
from semantic_rl.recording.store.frames import encode_picture, pack_observation
from semantic_rl.recording.store.writer import Block


class Renderer:
    """Renders episodes in parallel, one per thread, each thread with its own game."""

    def __init__(self, make_env: Callable[[], RecordableEnv], picture_size: int, num_threads: int) -> None:
        self._picture_size = picture_size
        self._envs: SimpleQueue[RecordableEnv] = SimpleQueue()
        self._all_envs = [make_env() for _ in range(num_threads)]
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

    def _render_in(self, env: RecordableEnv, trajectory: Trajectory) -> list[bytes]:
        steps: list[int] = trajectory.block.rows["step"].tolist()
        recorded = dict(zip(steps, trajectory.block.observations, strict=True))
        pictures: list[bytes] = []
        env.restore([trajectory.start])
        for step in range(steps[-1] + 1):
            observation = env.observe().observation[0]
            if step in recorded:
                if pack_observation(observation) != recorded[step]:
                    raise RuntimeError(f"playing an episode again gave another frame at step {step}: not deterministic")
                pictures.append(encode_picture(env.frames()[0], self._picture_size))
            if step < steps[-1]:
                env.act(np.frombuffer(trajectory.actions, np.uint8, 1, step))
        return pictures

    def close(self) -> None:
        """Stop the threads and free the games."""
        self._threads.shutdown(cancel_futures=True)
        for env in self._all_envs:
            env.close()
