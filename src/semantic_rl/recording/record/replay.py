"""Renders recorded states afterwards, by replaying each environment from its seed.

This needs only the recording, with or without pictures: it holds whole episodes, an environment's episodes are all that
it played up to some point, and Procgen is deterministic. For every picture it is checked that the replayed observation
equals the recorded one. Replaying takes a fraction of a millisecond per step; only the requested states are rendered.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Lock

import numpy as np

from semantic_rl.config import EnvConfig
from semantic_rl.cores import num_cores
from semantic_rl.envs.procgen.vector_env import ABANDON, ProcgenVectorEnv
from semantic_rl.errors import UserError
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.record.envs import RestorableEnv, make_rendering_env
from semantic_rl.recording.record.seeds import ENVIRONMENTS, seeds_of
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.frames import encode_picture


def render_states(
    recording: Recording, rows: Iterable[int], size: int, on_progress: OnProgress = lambda done, total: None
) -> dict[int, bytes]:
    """Return pictures of the given rows as JPEG, by row; the recording must consist of whole episodes.

    Raises UserError if it does not, or if its games play out differently on this machine.
    """
    settings = recording.description["settings"]
    if settings["protocol"] != "episodes":
        raise UserError(
            f"{recording.path} was made by 'semantic-rl record --protocol {settings['protocol']}', which leaves out "
            "steps, so it cannot be played again; make one by 'semantic-rl record --protocol episodes'."
        )
    seeds = seeds_of(settings["seed"], ENVIRONMENTS, settings["num_envs"])
    replay = _Replay(recording, set(rows), size)
    slots = replay.wanted_slots()
    pictures: dict[int, bytes] = {}
    with ThreadPoolExecutor(num_cores()) as threads:
        futures = [threads.submit(replay.play, slot, seeds[slot]) for slot in slots]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                pictures |= future.result()
                on_progress(done, len(slots))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return pictures


class _Replay:
    """The state that the threads share."""

    def __init__(self, recording: Recording, rows: set[int], size: int) -> None:
        self._recording = recording
        self._lock = Lock()
        self._rows = rows
        self._size = size
        self._environment = EnvConfig.from_settings(recording.description["environment"])
        self._actions = recording.table("action")["action"].to_numpy()
        episodes = recording.episodes.sort("episode")
        self._first_rows = episodes["first_row"].to_numpy()
        self._num_rows = episodes["num_rows"].to_numpy()
        self._slots = episodes["env"].to_numpy()
        self._was_abandoned = ~(episodes["terminated"].to_numpy() | episodes["truncated"].to_numpy())

    def wanted_slots(self) -> list[int]:
        """Return the environments that played the requested rows."""
        episodes = np.searchsorted(self._first_rows, sorted(self._rows), side="right") - 1
        return np.unique(self._slots[episodes]).tolist()

    def play(self, slot: int, seed: int) -> dict[int, bytes]:
        """Replay an environment up to the last requested state and return the pictures by row."""
        mine = np.flatnonzero(self._slots == slot)
        rows = np.concatenate([self._first_rows[episode] + np.arange(self._num_rows[episode]) for episode in mine])
        last = max(place for place, row in enumerate(rows.tolist()) if row in self._rows)
        abandoned = {int(self._first_rows[e] + self._num_rows[e] - 1) for e in mine if self._was_abandoned[e]}
        pictures: dict[int, bytes] = {}
        env = ProcgenVectorEnv(self._environment, 1, seed, num_threads=0)
        rendering = make_rendering_env(self._environment)
        try:
            for row in rows[: last + 1].tolist():
                env.wait()
                if row in self._rows:
                    self._check(row, env.buffers.observation[0].tobytes())
                    pictures[row] = self._render(env, rendering)
                env.act(self._actions[row : row + 1])
                if row in abandoned:
                    env.wait()
                    env.act(np.array([ABANDON]))
        finally:
            env.close()
            rendering.close()
        return pictures

    def _check(self, row: int, observation: bytes) -> None:
        with self._lock:
            recorded = self._recording.observation(row).tobytes()
        if recorded != observation:
            raise UserError(
                f"{self._recording.path}: replaying it gave another frame in row {row}; it was recorded with "
                "another version of the games. Record again."
            )

    def _render(self, env: RestorableEnv, rendering: RestorableEnv) -> bytes:
        rendering.restore(env.state())
        rendering.observe()
        return encode_picture(rendering.frames()[0], self._size)
