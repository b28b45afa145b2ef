"""`semantic_rl.RecordingWriter`: makes a recording of what a user's own loop plays."""

from collections.abc import Mapping
from operator import index
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import numpy as np

from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.arrays import as_array, floats
from semantic_rl.recording.own_data.columns import flat_features
from semantic_rl.recording.own_data.decide import decide
from semantic_rl.recording.own_data.env_specs import subject_of
from semantic_rl.recording.own_data.folder import Ending, OwnFolder, return_of
from semantic_rl.recording.own_data.states import States
from semantic_rl.recording.store import Recording, open_recording

LARGEST_LEVEL = 2**31 - 1
PICTURE_SIZE = 256
LARGEST_PICTURE = 512


class RecordingWriter:
    """Takes whole episodes; the recording appears under its name when it is finished.

    Use it as a context manager, or call `finish`. If the block raises, nothing is left. What the first episode has
    (values, pictures, further columns, …), all must have; what is never given counts as unknown.
    """

    def __init__(
        self,
        out: str | Path,
        env: Any,
        *,
        agent: str = "own agent",
        algorithm: str = "",
        layer: str = "",
        sha256: str = "",
        policy_kind: str | None = None,
        picture_size: int = PICTURE_SIZE,
    ) -> None:
        """Claim the folder `out`.

        `env` is a Gymnasium id, an environment, or an `EnvSpec`. `agent`, `algorithm` and `layer` (the layer that the
        features come from) are shown to readers. `sha256` identifies the agent's weights, so that two recordings of the
        same agent are known as such; without it, each recording counts as that of a different agent. `policy_kind` says
        how `policy` is read: gaussian, squashed_gaussian, beta, q_values, …, or categorical for logits. The longer side
        of pictures is made at most `picture_size` pixels. Raises UserError if `out` exists or `env` is invalid.
        """
        if type(picture_size) is not int or not 0 < picture_size <= LARGEST_PICTURE:
            raise UserError(f"picture_size: got {picture_size!r}, expected a number from 1 to {LARGEST_PICTURE}.")
        self._path = Path(out)
        self._agent = {"name": agent, "algorithm": algorithm, "layer": layer, "sha256": sha256}
        self._policy_kind, self._picture_size = policy_kind, picture_size
        self._spec, self._first_action = subject_of(env)
        self._folder = OwnFolder(self._path)
        self._is_open = True

    @property
    def num_states(self) -> int:
        """Return the number of states taken so far."""
        return self._folder.num_states

    @property
    def num_episodes(self) -> int:
        """Return the number of episodes taken so far."""
        return self._folder.num_episodes

    def add_episode(
        self,
        *,
        features: Any,
        terminated: Any,
        truncated: Any = False,
        observations: Any = None,
        actions: Any = None,
        rewards: Any = None,
        values: Any = None,
        policy: Any = None,
        log_probs: Any = None,
        pictures: Any = None,
        success: bool | None = None,
        level: int | None = None,
        extra: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Take an episode of T steps; arrays, tensors and lists are accepted.

        features: [T, …] numbers, flattened to D a state; observations: [T, …] as the environment's space says, or a
        dictionary of such, or a list of T; actions: [T, …], taken in these observations; rewards: [T], that followed;
        values: [T]; log_probs: [T, A] of all actions, or policy: [T, P], read by `policy_kind`; pictures: [T, H, W, 3]
        uint8, or T JPEGs or PNGs; extra: [T] numbers or texts by name.

        `terminated` says that the environment ended the episode, `truncated` that a limit did, which is not the same;
        if neither is true, the episode had not ended. Both may also be given as [T], true in the last step alone.
        `success` and `level` (a number) may be given for each episode. Raises UserError, and takes nothing of the
        episode, if something does not fit.
        """
        if not self._is_open:
            raise UserError(f"{self._path}: the recording is finished; no further episode can be added.")
        if not hasattr(extra, "items"):
            raise UserError(f"extra: got a {type(extra).__name__}, expected a dictionary of columns by name.")
        states = States(features, observations, actions, rewards, values, policy, log_probs, pictures, extra)
        count = len(flat_features(features))
        ended = _at_the_end("terminated", terminated, count), _at_the_end("truncated", truncated, count)
        number, is_success = _level(level), _flag("success", False if success is None else success)
        held = self._folder.held
        if held is None:
            held = decide(
                states,
                self._spec,
                self._first_action,
                self._policy_kind,
                self._picture_size,
                success is not None,
                level is not None,
            )
        for name, given, column in (("success", success, "success"), ("level", level, "level_seed")):
            if (given is None) != (column in held.absent):
                raise UserError(f"{name}: give it for every episode of a recording, or for none.")
        episode_return = return_of(None if rewards is None else floats("rewards", rewards, count))
        if not any(ended):
            episode_return = float("nan")
        if self._folder.held is None:
            self._folder.begin(held, self._agent, {})
        try:
            self._folder.add(states, Ending(*ended, is_success, number), episode_return)
        except UserError:
            if not self._folder.num_states:
                self._folder.forget()
            raise

    def finish(self) -> Recording:
        """Complete the recording and return it, opened; raises UserError if there is no episode."""
        if self._is_open:
            self._is_open = False
            try:
                self._folder.finish()
            except BaseException:
                self._folder.discard()
                raise
        return open_recording(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        elif self._is_open:
            self._is_open = False
            self._folder.discard()


def _at_the_end(name: str, given: Any, count: int) -> bool:
    """Return a flag of the whole episode, given as such or for each of its steps."""
    flags = as_array(name, _flag(name, given) if given is None else given)
    if not flags.ndim:
        return _flag(name, flags.item())
    if flags.shape != (count,):
        raise UserError(f"{name}: got an array of the shape {flags.shape}, expected ({count:,},) or a single flag.")
    if flags[:-1].any():
        row = int(np.argmax(flags))
        raise UserError(
            f"{name}: true in row {row:,}, before the last of {count:,}; add each episode by a call of its own."
        )
    return _flag(name, flags[-1].item())


def _flag(name: str, given: Any) -> bool:
    if np.ndim(given) or given not in (False, True):
        raise UserError(f"{name}: got {given!r}, expected true or false.")
    return bool(given)


def _level(given: Any) -> int:
    """Return the number of a level, 0 if it was not given."""
    try:
        number = 0 if given is None else index(given)
    except TypeError:
        number = -1
    if not 0 <= number <= LARGEST_LEVEL:
        raise UserError(f"level: got {given!r}, expected a whole number from 0 to {LARGEST_LEVEL:,}.")
    return number
