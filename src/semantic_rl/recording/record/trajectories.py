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

PAGE_ROWS = 128
"""Rows of a page. A trajectory has as many pages as it needs, so that a long one takes no memory for the others."""


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
        self._pages = np.zeros((num_envs, PAGE_ROWS), dtype)
        """[P, PAGE_ROWS]: the pages of all trajectories, and free ones."""
        self._free = list(range(num_envs))
        self._pages_of: list[list[int]] = [[] for _ in range(num_envs)]
        self._page = np.zeros(num_envs, np.int64)
        """[N]: the last page of each."""
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
        self._free += self._pages_of[slot]
        self._pages_of[slot] = []
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
        at = self._num_rows[slots] % PAGE_ROWS
        for slot in slots[at == 0].tolist():
            self._add_page(slot)
        places = self._page[slots], at
        for name, values in columns.items():
            if name in (self._pages.dtype.names or ()):
                self._pages[name][places] = values
        self._pages["step"][places] = self._num_steps[slots]
        # Until the episode ends, this column holds the sum of rewards before the step.
        with np.errstate(over="ignore"):  # a sum that does not fit becomes infinite, and the writer refuses it
            self._pages["return_to_go"][places] = self.return_so_far[slots]
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
        changed = np.array(slots)[stored]
        pages, at = self._page[changed], (self._num_rows[changed] - 1) % PAGE_ROWS
        for name, values in (("reward", reward), ("terminated", terminated), ("truncated", truncated)):
            self._pages[name][pages, at] = np.array(values)[stored]
        for page, row, position in zip(pages.tolist(), at.tolist(), stored.tolist(), strict=True) if extra else ():
            for name, value in extra[position].items():
                self._pages[page, row][name] = value

    def take(self, slot: int, finished: bool) -> Trajectory:
        """Return a trajectory; if it is finished, with the return-to-go of each of its states."""
        rows = self._rows_of(slot)
        before = rows["return_to_go"].astype(np.float64)
        with np.errstate(over="ignore"):
            rows["return_to_go"] = self.return_so_far[slot] - before if finished else np.nan
        block = Block(rows, self._observations[slot], _encoded(self._pictures[slot]))
        return Trajectory(block, bytes(self._actions[slot]), self._starts[slot])

    def state(self) -> tuple[list[Trajectory], dict[str, Any]]:
        """Return the trajectories and, as JSON values, the rest of the state."""
        trajectories = [
            Trajectory(Block(self._rows_of(slot), observations, _encoded(pictures)), bytes(actions), start)
            for slot, (observations, pictures, actions, start) in enumerate(
                zip(self._observations, self._pictures, self._actions, self._starts, strict=True)
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
        for slot, trajectory in enumerate(trajectories):
            for start in range(0, len(trajectory.block.rows), PAGE_ROWS):
                some = trajectory.block.rows[start : start + PAGE_ROWS]
                self._add_page(slot)
                self._pages[self._page[slot], : len(some)] = some
            self._observations[slot] = trajectory.block.observations
            self._pictures[slot] = [_finished(picture) for picture in trajectory.block.pictures]
            self._actions[slot] = bytearray(trajectory.actions)
            self._starts[slot] = trajectory.start

    def _add_page(self, slot: int) -> None:
        """Give a trajectory an empty page."""
        if not self._free:
            count = len(self._pages)
            more = np.zeros((max(1, count // 2), PAGE_ROWS), self._pages.dtype)
            self._pages = np.concatenate([self._pages, more])
            self._free = list(range(count, len(self._pages)))
        page = self._free.pop()
        self._pages[page] = np.zeros((), self._pages.dtype)
        self._pages_of[slot].append(page)
        self._page[slot] = page

    def _rows_of(self, slot: int) -> NDArray[np.void]:
        """Return a copy of a trajectory's rows."""
        rows = np.empty(self._num_rows[slot], self._pages.dtype)
        for index, page in enumerate(self._pages_of[slot]):
            some = rows[index * PAGE_ROWS : (index + 1) * PAGE_ROWS]
            some[:] = self._pages[page, : len(some)]
        return rows


def _encoded(pictures: list[Awaited]) -> list[bytes]:
    """Wait for pictures that are still being encoded."""
    return [picture.result() for picture in pictures]


def _finished(picture: bytes) -> Awaited:
    future: Future[bytes] = Future()
    future.set_result(picture)
    return future
