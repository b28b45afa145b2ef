"""`semantic-rl import-states`: makes a recording of states that exist already, in a Parquet or an `.npz` file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semantic_rl.config import ImportStatesConfig
from semantic_rl.envs.spec import DATA, DTYPES, MOST_NAMES, ActionSpec, EnvSpec, ObservationPart
from semantic_rl.errors import UserError, nearest
from semantic_rl.input_places import kind_of
from semantic_rl.recording.own_data.arrays import are_texts, as_array
from semantic_rl.recording.own_data.decide import NO_OBSERVATION, decide
from semantic_rl.recording.own_data.episode_bounds import FLAGS, ImportedEpisode, find_episodes
from semantic_rl.recording.own_data.folder import OwnFolder
from semantic_rl.recording.own_data.npz_source import NpzSource
from semantic_rl.recording.own_data.parquet_source import ParquetSource
from semantic_rl.recording.own_data.source import WAY_OUT, Source
from semantic_rl.recording.own_data.states import States
from semantic_rl.recording.store.extra_columns import is_valid_name

OF_STATES = {
    "features": "features", "observation": "observations", "pictures": "pictures", "action": "actions",
    "reward": "rewards", "value": "values", "log_probs": "log_probs",
}  # fmt: skip
"""Columns of the file that become fields of `States`."""
OF_EPISODES = ("episode", *FLAGS, "level", "success")
NO_ACTION = ActionSpec("discrete", (1,), ("not recorded",))
STORED_TYPES = {"float16": "float32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}
"""Types of observations that a recording does not hold, and those that take their place."""


class _Actions(NamedTuple):
    spec: ActionSpec
    numbers: dict[str, int] | None
    """The number of each action whose name is a text; None if actions are numbers."""


def import_states(config: ImportStatesConfig) -> Path:
    """Make the recording and return its folder; raises UserError if the file does not hold states, or is damaged."""
    source = _open(config.file)
    if "features" not in source.names:
        raise UserError(
            f"{source.path}: has no 'features', which must hold the numbers of each state; it has "
            f"{', '.join(source.names) or 'nothing'}.{nearest('features', source.names)}"
        )
    if not source.num_rows:
        raise UserError(f"{source.path}: has no rows; expected at least one state.")
    folder = OwnFolder(config.out)
    try:
        _fill(folder, source, config)
        folder.finish()
    except BaseException:
        folder.discard()
        raise
    return config.out


def _open(path: Path) -> Source:
    expected = "a .parquet or .npz file of states"
    if kind_of(path, expected) != "file":
        raise UserError(f"{path}: no such file; expected {expected}.")
    openers: dict[str, Callable[[Path], Source]] = {".parquet": ParquetSource, ".npz": NpzSource}
    if path.suffix not in openers:
        raise UserError(f"{path}: ends in '{path.suffix}', which is not known; {WAY_OUT}.")
    return openers[path.suffix](path)


def _fill(folder: OwnFolder, source: Source, config: ImportStatesConfig) -> None:
    try:
        episodes, actions = find_episodes(source), _actions(source)
    except UserError as error:
        said = str(error)
        raise UserError(said if said.startswith(str(source.path)) else f"{source.path}: {said}") from None
    extra = [name for name in source.names if name not in OF_STATES and name not in OF_EPISODES]
    for name in [name for name in extra if not is_valid_name(name)]:
        print(f"'{name}' is left out: a recording has a column of that name itself.", file=sys.stderr)
        extra.remove(name)
    names = [name for name in OF_STATES if name in source.names]
    if not config.frame_size:
        names = [name for name in names if name != "pictures"]
    row, episode = 0, 0
    for part in source.parts([*names, *extra]):
        states = _states(part, names, extra, actions)
        count = len(part["features"])
        done = 0
        while done < count:
            current: ImportedEpisode = episodes[episode]
            stop = min(count, current.end - row)
            is_last = row + stop == current.end
            try:
                if folder.held is None:
                    _begin(folder, states, source, config, actions)
                folder.add(_slice(states, done, stop), current.ending, current.episode_return, is_last)
            except UserError as error:
                raise UserError(f"{source.path}: from row {row + done:,} on: {error}") from None
            done, episode = stop, episode + is_last
        row += count


def _begin(
    folder: OwnFolder, states: States, source: Source, config: ImportStatesConfig, actions: _Actions | None
) -> None:
    observation = NO_OBSERVATION
    if states.observations is not None:
        array = as_array("observation", states.observations)
        dtype = STORED_TYPES.get(array.dtype.name, array.dtype.name)
        if dtype not in DTYPES:
            raise UserError(f"{source.path}: 'observation' holds {array.dtype}, expected {', '.join(DTYPES)}.")
        observation = ObservationPart("", array.shape[1:] or (1,), dtype)
    name = config.env or config.file.stem
    action = NO_ACTION if actions is None else actions.spec
    spec = EnvSpec(name, DATA, (observation,), action, steps_per_second=config.steps_per_second)
    known = ("success" in source.names, "level" in source.names)
    held = decide(states, spec, 0, None, config.frame_size, *known)
    folder.begin(held, {"name": config.file.name, "algorithm": ""}, {"file": config.file.name})


def _states(part: dict[str, Any], names: list[str], extra: list[str], actions: _Actions | None) -> States:
    given = {OF_STATES[name]: part[name] for name in names}
    if actions is not None and actions.numbers is not None:
        given["actions"] = np.array([actions.numbers[str(text)] for text in given["actions"]])
    return States(**given, extra={name: part[name] for name in extra})


def _slice(states: States, start: int, stop: int) -> States:
    fields = {
        name: None if value is None else value[start:stop]
        for name, value in states._asdict().items()
        if name != "extra"
    }
    return States(**fields, extra={name: values[start:stop] for name, values in states.extra.items()})


def _actions(source: Source) -> _Actions | None:
    """Return the action space that a file's actions need; None if it has no actions."""
    if "action" not in source.names:
        return None
    given = source.whole("action")
    if are_texts(given):
        names = list(dict.fromkeys(map(str, given)))
        _check_number(source, len(names))
        return _Actions(ActionSpec("discrete", (len(names),), tuple(names)), {name: n for n, name in enumerate(names)})
    actions = as_array("action", given)
    flat = actions.reshape(len(actions), -1)
    if actions.dtype.kind == "f":
        return _Actions(
            ActionSpec("continuous", flat.shape[1:], tuple(f"action {n}" for n in range(flat.shape[1]))), None
        )
    if flat.size and flat.min() < 0:
        raise UserError(f"{source.path}: 'action' holds {flat.min()}, expected whole numbers from 0 on, or fractions.")
    sizes = tuple(int(most) + 1 for most in flat.max(0))
    _check_number(source, max(sizes, default=0))
    if flat.shape[1] == 1:
        return _Actions(ActionSpec("discrete", sizes, tuple(map(str, range(sizes[0])))), None)
    return _Actions(ActionSpec("multi_discrete", sizes, tuple(f"action {n}" for n in range(len(sizes)))), None)


def _check_number(source: Source, count: int) -> None:
    if not 0 < count <= MOST_NAMES:
        raise UserError(f"{source.path}: 'action' has {count:,} different values, expected at most {MOST_NAMES:,}.")
