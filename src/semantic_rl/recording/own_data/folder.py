"""Writes states that a user gives into a recording folder, which appears whole when it is finished, or not at all."""

import hashlib
import platform
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl import __version__
from semantic_rl.atomic_write import whole_folder
from semantic_rl.envs.spec import as_typed
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import is_unused
from semantic_rl.output_places import check_output_folder, exists
from semantic_rl.recording.own_data.columns import (
    check_same_kind,
    packed_observations,
    state_columns,
    text_columns,
)
from semantic_rl.recording.own_data.pictures import encode_pictures
from semantic_rl.recording.own_data.states import Held, States
from semantic_rl.recording.store.extra_columns import CATEGORIES, EXTRA_COLUMNS
from semantic_rl.recording.store.frames import BATCH_ROWS, PICTURE_QUALITY
from semantic_rl.recording.store.reader_check import check_readable
from semantic_rl.recording.store.schema import SHARD_ROWS
from semantic_rl.recording.store.text_codes import TextCodes
from semantic_rl.recording.store.writer import Block, Episode, ShardWriter, observation_layout


class Ending(NamedTuple):
    """How an episode ended, and in which level."""

    terminated: bool
    truncated: bool
    success: bool
    level: int


class OwnFolder:
    """A recording folder that is being written: takes episodes in order, each in one or more parts."""

    def __init__(self, out: Path) -> None:
        """Claim the place; raises UserError if something is there, or nothing can be written there."""
        if exists(out) and not is_unused(out):
            raise UserError(f"{out} exists already; choose another place.")
        check_output_folder(out)
        self._out = out
        self._open = ExitStack()
        with self._writing():
            out.parent.mkdir(parents=True, exist_ok=True)
            self._folder = self._open.enter_context(whole_folder(out))
        self._writer: ShardWriter | None = None
        self._held: Held | None = None
        self._texts = TextCodes(())
        self._digest = hashlib.sha256()
        self._step, self._return_so_far = 0, 0.0

    @property
    def num_states(self) -> int:
        """Return the number of states taken so far."""
        return 0 if self._writer is None else self._writer.num_states

    @property
    def num_episodes(self) -> int:
        """Return the number of episodes taken so far."""
        return 0 if self._writer is None else self._writer.num_episodes

    @property
    def held(self) -> Held | None:
        """Return what every state has; None as long as there is none."""
        return self._held

    def begin(self, held: Held, agent: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        """Say what every state has, before the first of them; raises UserError if the reader would refuse it."""
        description = describe(held, agent, settings)
        shape, dtype = observation_layout(held.spec)
        check_readable(description, held.layout().dtype(), shape, dtype)
        writer = ShardWriter(self._folder, description, shape, held.picture_shape != (0, 0), dtype)
        with self._writing():
            writer.begin()
        self._held, self._writer = held, writer
        self._texts = TextCodes([name for name in held.extra if name in held.texts])

    def add(self, states: States, ending: Ending, episode_return: float, is_last: bool = True) -> None:
        """Take the next states of an episode, the last of them or all if `is_last`.

        `ending` says how the episode ends, and `episode_return` is the sum of all its rewards, NaN if that is not
        known. Raises UserError if something does not fit, and then nothing of these states is taken.
        """
        assert self._held is not None and self._writer is not None, "begun"
        held = self._held
        check_same_kind(states, held)
        columns = state_columns(states, held)
        count = len(columns["features"])
        texts = text_columns(states, held, count)
        packed = packed_observations(states.observations, held.spec, count)
        pictures = encode_pictures(states.pictures, count, held.picture_shape) if held.picture_shape != (0, 0) else []
        step, return_so_far = self._step + count, self._return_so_far
        rows = np.zeros(count, held.layout().dtype())
        for name, values in columns.items():
            rows[name] = values
        rows["step"] = np.arange(self._step, self._step + count)
        if "level_seed" not in held.absent:
            rows["level_seed"] = ending.level
        if "reward" in columns:
            rewards = columns["reward"].astype(np.float64)
            with np.errstate(over="ignore"):  # sums that do not fit become infinite and are refused as such
                rows["return_to_go"] = episode_return - return_so_far - (np.cumsum(rewards) - rewards)
            return_so_far += float(rewards.sum())
        if is_last:
            rows["terminated"][-1], rows["truncated"][-1] = ending.terminated, ending.truncated
        self._writer.check(rows)
        for name, codes in self._texts.encode(texts).items():
            rows[name] = codes
        with self._writing(), self._writer.undone_on_failure():
            for start in range(0, count, SHARD_ROWS):
                part = slice(start, start + SHARD_ROWS)
                self._writer.add_part(Block(rows[part].copy(), packed[part], pictures[part]))
        self._digest.update(np.ascontiguousarray(columns["features"]).tobytes())
        self._step, self._return_so_far = step, return_so_far
        if is_last:
            self._writer.end_episode(
                Episode(step, return_so_far, ending.level, ending.success, ending.terminated, ending.truncated, 0)
            )
            self._step, self._return_so_far = 0, 0.0

    def finish(self) -> None:
        """Write the tables and let the folder appear under its name.

        If the agent has no hash, one of all features takes its place.
        """
        if self._writer is None:
            raise UserError(f"{self._out}: no episode was given, so there is nothing to record.")
        agent = self._writer.description["agent"]
        agent = {**agent, "sha256": agent["sha256"] or self._digest.hexdigest()}
        categories = {name: list(texts) for name, texts in self._texts.categories.items()}
        with self._writing():
            self._writer.describe(agent=agent, **({CATEGORIES: categories} if categories else {}))
            self._writer.finish()
            self._open.close()

    def forget(self) -> None:
        """Go back to before `begin`: the first states were refused, so that the next ones decide what all have."""
        self._held = self._writer = None

    def discard(self) -> None:
        """Remove what has been written."""
        discarded = UserError("discarded")
        with suppress(UserError):
            self._open.__exit__(UserError, discarded, None)

    @contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot write recording {self._out}: {error.strerror or error}.") from error


def describe(held: Held, agent: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `recording.json` except format, counts and texts."""
    height, width = held.picture_shape
    frames: dict[str, Any] = {"shard_rows": SHARD_ROWS, "batch_rows": BATCH_ROWS, "picture_size": max(height, width)}
    if height:
        frames |= {"picture_shape": [height, width], "picture_format": f"JPEG, quality {PICTURE_QUALITY}, 4:4:4"}
    versions = {name: version(name) for name in ("numpy", "pyarrow", "pillow")}
    return {
        "agent": {"sha256": "", "trained_with_clusters": False, **agent},
        "environment": {
            "env": held.spec.id,
            "num_envs": 1,
            **({"env_args": as_typed(held.spec.arguments)} if held.spec.arguments else {}),
        },
        "env_spec": held.spec.to_json(),
        "settings": {"protocol": "episodes", **settings},
        "machine": {},
        "versions": {"semantic_rl": __version__, "python": platform.python_version(), **versions},
        "num_actions": held.spec.action.num_actions,
        "num_codes": 0,
        "codebook": [],
        "policy_kind": held.policy_kind,
        "policy_width": held.policy_width,
        "absent_columns": dict(held.absent),
        "frames": frames,
        EXTRA_COLUMNS: list(held.extra),
        CATEGORIES: {name: list[str]() for name in held.extra if name in held.texts},
    }


def return_of(rewards: NDArray[Any] | None) -> float:
    """Return the sum of an episode's rewards; NaN if they are not known."""
    return float("nan") if rewards is None else float(np.sum(rewards, dtype=np.float64))
