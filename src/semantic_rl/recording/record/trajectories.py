"""The running episodes: their rows, observations and actions, one trajectory per environment.

Axes: N environments (slots), B environments that are written to at once.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.spec import EnvSpec
from semantic_rl.recording.record.actions import stored_action, stored_bytes
from semantic_rl.recording.store.writer import Block

FIRST_CAPACITY = 128
"""Initial capacity of one trajectory, in rows."""


class Awaited(Protocol):
    """A picture that is still being encoded, by a thread or a process."""

    def result(self) -> bytes:
        """Wait for it."""
        ...


class Trajectory(NamedTuple):
    """A complete or partial episode, with everything needed to replay it."""

    block: Block
    actions: bytes
    """The action of every step, recorded or not, one after the other."""
    start: bytes
    """The environment's state at the first step, or its seed; empty if the episode will not be replayed."""

    def action(self, step: int, spec: EnvSpec) -> NDArray[Any]:
        """Return the action of a step."""
        return stored_action(self.actions, step, spec)


class Trajectories:
    """Collects rows until an episode ends; a row's reward arrives one step after the row."""

    def __init__(self, num_envs: int, dtype: np.dtype[np.void], spec: EnvSpec) -> None:
        self._spec = spec
        self._rows = np.zeros((num_envs, FIRST_CAPACITY), dtype)
        self._num_rows = np.zeros(num_envs, np.int64)
        self._last_is_stored = np.zeros(num_envs, np.bool_)
        self._observations: list[list[bytes]] = [[] for _ in range(num_envs)]
        self._pictures: list[list[Awaited]] = [[] for _ in range(num_envs)]
        self._num_steps = np.zeros(num_envs, np.int64)
        self._actions = [bytearray() for _ in range(num_envs)]
        self._starts = [b""] * num_envs
        self.return_so_far = np.zeros(num_envs, np.float64)
        """[N]: sum of the episode's rewards so far."""

    def length(self, slot: int) -> int:
        """Return the number of steps of the episode so far, including one in progress."""
        return int(self._num_steps[slot])

    def begin(self, slot: int, start: bytes) -> None:
        """Start an empty trajectory, which replaces the previous one."""
        self._rows[slot] = np.zeros((), self._rows.dtype)
        self._num_rows[slot] = 0
        self._observations[slot] = []
        self._pictures[slot] = []
        self._num_steps[slot] = 0
        self._actions[slot] = bytearray()
        self._starts[slot] = start
        self.return_so_far[slot] = 0.0

    def add_rows(
        self,
        slots: NDArray[np.int64],
        columns: Mapping[str, NDArray[Any]],
        observations: list[bytes],
        pictures: list[Awaited],
    ) -> None:
        """Add the row of the next step to the trajectories `slots` [B]; columns are [B, …] by name.

        Columns that the table does not have are left out. `pictures` is empty if they will be rendered afterwards.
        """
        at = self._num_rows[slots]
        if at.max() == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)], axis=1)
        for name, values in columns.items():
            if name in (self._rows.dtype.names or ()):
                self._rows[name][slots, at] = values
        self._rows["step"][slots, at] = self._num_steps[slots]
        # Until the episode ends, this column holds the sum of rewards before the step.
        self._rows["return_to_go"][slots, at] = self.return_so_far[slots]
        self._num_rows[slots] += 1
        for slot, observation in zip(slots.tolist(), observations, strict=True):
            self._observations[slot].append(observation)
        for slot, picture in zip(slots.tolist(), pictures, strict=False):
            self._pictures[slot].append(picture)

    def begin_step(self, slots: NDArray[np.int64], actions: NDArray[Any], is_stored: bool) -> None:
        """Store the actions [B, …] of the next step, and whether it has a row."""
        self._last_is_stored[slots] = is_stored
        self._num_steps[slots] += 1
        for slot, content in zip(slots.tolist(), stored_bytes(actions, self._spec), strict=True):
            self._actions[slot] += content

    def end_step(
        self,
        slots: list[int],
        reward: list[float],
        terminated: list[bool],
        truncated: list[bool],
        extra: list[dict[str, float]],
    ) -> None:
        """Add the results of a step to the trajectories `slots`; `extra` are further columns of each, or empty."""
        self.return_so_far[slots] += reward
        stored = np.flatnonzero(self._last_is_stored[slots])
        if not len(stored):
            return
        places = np.array(slots)[stored]
        at = places, self._num_rows[places] - 1
        for name, values in (("reward", reward), ("terminated", terminated), ("truncated", truncated)):
            self._rows[name][at] = np.array(values)[stored]
        for position in stored.tolist() if extra else ():
            row = self._rows[slots[position], self._num_rows[slots[position]] - 1]
            for name, value in extra[position].items():
                row[name] = value

    def take(self, slot: int, finished: bool) -> Trajectory:
        """Return a trajectory; if it is finished, with the return-to-go of each of its states."""
        rows = self._rows[slot, : self._num_rows[slot]].copy()
        before = rows["return_to_go"].astype(np.float64)
        rows["return_to_go"] = self.return_so_far[slot] - before if finished else np.nan
        block = Block(rows, self._observations[slot], _encoded(self._pictures[slot]))
        return Trajectory(block, bytes(self._actions[slot]), self._starts[slot])

    def state(self) -> tuple[list[Trajectory], dict[str, Any]]:
        """Return the trajectories and, as JSON values, the rest of the state."""
        trajectories = [
            Trajectory(Block(rows[:count], observations, _encoded(pictures)), bytes(actions), start)
            for rows, count, observations, pictures, actions, start in zip(
                self._rows,
                self._num_rows,
                self._observations,
                self._pictures,
                self._actions,
                self._starts,
                strict=True,
            )
        ]
        values = {
            "return_so_far": self.return_so_far.tolist(),
            "last_is_stored": self._last_is_stored.tolist(),
            "num_steps": self._num_steps.tolist(),
        }
        return trajectories, values

    def restore(self, trajectories: list[Trajectory], values: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._num_rows[:] = [len(trajectory.block.rows) for trajectory in trajectories]
        self._last_is_stored[:] = values["last_is_stored"]
        # A recording that an earlier version began has it under another name.
        self.return_so_far[:] = values["return_so_far" if "return_so_far" in values else "total_reward"]
        self._num_steps[:] = values["num_steps"]
        capacity = max(FIRST_CAPACITY, int(self._num_rows.max()))
        self._rows = np.zeros((len(trajectories), capacity), self._rows.dtype)
        for slot, trajectory in enumerate(trajectories):
            self._rows[slot, : len(trajectory.block.rows)] = trajectory.block.rows
            self._observations[slot] = trajectory.block.observations
            self._pictures[slot] = [_finished(picture) for picture in trajectory.block.pictures]
            self._actions[slot] = bytearray(trajectory.actions)
            self._starts[slot] = trajectory.start


def _encoded(pictures: list[Awaited]) -> list[bytes]:
    """Wait for pictures that are still being encoded."""
    return [picture.result() for picture in pictures]


def _finished(picture: bytes) -> Awaited:
    future: Future[bytes] = Future()
    future.set_result(picture)
    return future
