"""Finds checkpoints and reads their state.json, which is untrusted input: every field used later is checked here.

Code that calls `read_state` may rely on the types, ranges and names of the fields.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from semantic_rl.agents import shipped_agents
from semantic_rl.artifacts import (
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    CHECKPOINTS_FOLDER,
    POLICY_FILE,
    STATE_FILE,
    checkpoint_folders,
    checkpoint_name,
)
from semantic_rl.config import TrainConfig, to_dict
from semantic_rl.envs.procgen.games import GAMES
from semantic_rl.errors import UserError, nearest
from semantic_rl.input_places import kind_of, shown_path
from semantic_rl.json_files import JsonObject, read_json_object, shown

AN_AGENT = "a run folder, a checkpoint folder, or an agent that ships with the package"
CHOICES = {"algorithm": ("sppo", "ppo"), "device": ("auto", "cpu", "cuda"), "precision": ("auto", "fp32", "bf16")}
ALWAYS_THERE = ("algorithm", "distribution_mode", "seed", "num_codes", "num_envs")
NOT_OF_THE_AGENT = ("run_root",)
"""Settings written by older versions that hold a path on the machine that trained the agent."""
MOST_UPDATES = 10_000_000
"""Largest accepted number of updates of a run; a hundred times the paper's training has 152,500."""
_LARGEST = 2**31 - 1
_FILE_NAME = re.compile(r"[a-z0-9-]+\.safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def find_checkpoint(path: str | Path) -> Path:
    """Return `path` if it is a checkpoint folder, or the last checkpoint of a run folder; raises UserError otherwise.

    If nothing exists at `path`, it may be the name of an agent that ships with the package.
    """
    path = Path(path)
    if kind_of(path, AN_AGENT) is None:
        return _find_shipped(path)
    if kind_of(path / STATE_FILE, AN_AGENT) is not None:
        return path
    found = checkpoint_folders(path)
    if not found:
        _check_readable(path / CHECKPOINTS_FOLDER)
        raise UserError(
            f"{path}: holds no checkpoint; expected a run folder with {CHECKPOINTS_FOLDER}/ or a checkpoint folder "
            f"with {STATE_FILE}."
        )
    return found[-1]


def _check_readable(folder: Path) -> None:
    try:
        os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); expected {AN_AGENT}.") from error


def _find_shipped(name: Path) -> Path:
    agents = {agent.name: agent.path for agent in shipped_agents()}
    if str(name) not in agents:
        raise UserError(
            f"{shown_path(name)}: no such file or folder; expected {AN_AGENT} ({', '.join(agents)})."
            f"{nearest(str(name), list(agents))}"
        )
    return agents[str(name)]


def way_out(folder: Path) -> str:
    """Return advice for a damaged checkpoint, as the end of a sentence."""
    is_in_run = folder.parent.name == CHECKPOINTS_FOLDER
    if is_in_run and any(other != folder for other in checkpoint_folders(folder.parent.parent)):
        return f"delete {folder} to fall back to the checkpoint before it, or restore it from a copy."
    return f"restore {folder} from a copy."


def read_state(path: str | Path) -> dict[str, Any]:
    """Return a checkpoint's state.json as a dictionary; `path` is a run folder or a checkpoint folder.

    Raises UserError if it is missing, damaged, of a foreign format or written by a newer version, or if a field is not
    what later code expects.
    """
    folder = find_checkpoint(path)
    state = read_json_object(folder / STATE_FILE, way_out(folder))
    if state.get("format") != CHECKPOINT_FORMAT:
        raise UserError(f"{state.path}: not a semantic-rl checkpoint (its format is not '{CHECKPOINT_FORMAT}').")
    version = state.integer("version", 1)
    if version > CHECKPOINT_VERSION:
        raise UserError(
            f"{folder}: written by a newer semantic-rl (checkpoint version {version}, this one reads up to "
            f"{CHECKPOINT_VERSION}); update semantic-rl."
        )
    state.integer("update", 0, MOST_UPDATES)
    for name, least in (("num_workers", 1), ("semantic_updates", 0)):
        if state.get(name) is not None:
            state.integer(name, least)
    for name in ("semantic_weight", "mean_return", "time_elapsed"):
        if state.get(name) is not None:
            state.number(name)
    return {
        **state.content,
        "timesteps": state.integer("timesteps", default=0),
        "versions": _read_versions(state),
        **_read_origin(state),
        "config": _read_settings(state),
        "files": _read_files(state),
    }


def check_resumable(folder: Path, state: Mapping[str, Any]) -> None:
    """Raise UserError unless a state returned by `read_state` holds everything needed to resume training."""
    counters = JsonObject(state, folder / STATE_FILE, way_out(folder))
    for name in ("semantic_weight", "time_elapsed"):
        counters.number(name)
    counters.integer("num_workers", 1)
    if "mean_return" not in counters:
        counters.wrong("mean_return", "a finite number or null")
    if folder.name != checkpoint_name(state["update"]):
        counters.wrong("update", "that of the folder's name")


def _read_settings(state: JsonObject) -> dict[str, Any]:
    """Return the training's settings; those of TrainConfig are checked to have its types."""
    config = state.get("config")
    env: Any = cast(dict[str, Any], config).get("env") if isinstance(config, dict) else None
    if not isinstance(env, str) or env not in GAMES:
        raise UserError(f"{state.path} names no Procgen game that the agent was trained on; {state.way_out}")
    settings = state.object("config")
    for name in ("num_levels", "start_level"):
        settings.integer(name, 0, _LARGEST)
    for name, default in to_dict(TrainConfig()).items():
        if name not in settings and name not in ALWAYS_THERE:
            continue  # written by an older version
        if type(default) is bool:
            settings.flag(name)
        elif type(default) is int:
            settings.integer(name, 0)
        elif type(default) is float:
            settings.number(name)
        else:
            settings.text(name)
    for name, choices in CHOICES.items():
        if name in settings and settings[name] not in choices:
            settings.wrong(name, f"one of {', '.join(choices)}")
    if settings["distribution_mode"] not in GAMES[env].modes:
        settings.wrong("distribution_mode", f"one of {', '.join(GAMES[env].modes)}")
    settings.integer("start_level", 0, _LARGEST - settings["num_levels"])
    settings.integer("seed", 0, _LARGEST)
    settings.integer("num_codes", 1, 256)
    for name, value in settings.items():
        if not isinstance(value, str | int | float | None):
            settings.wrong(name, "a number, a text, true, false or null")
    return {name: value for name, value in settings.items() if name not in NOT_OF_THE_AGENT}


def _read_files(state: JsonObject) -> dict[str, str]:
    """Return the SHA-256 of each of the checkpoint's other files, by name."""
    files = state.object("files")
    for name in (POLICY_FILE, *files):
        if not _SHA256.fullmatch(files.text(name)):
            files.wrong(name, "a SHA-256 of 64 hexadecimal digits")
        if not _FILE_NAME.fullmatch(name):
            raise UserError(
                f"{state.path}: 'files' names {shown(name)}, expected {POLICY_FILE} and its like; {state.way_out}"
            )
    return dict(files)


def _read_versions(state: JsonObject) -> dict[str, str]:
    """Return the versions of the software that trained the agent, by name; empty if missing."""
    if "versions" not in state:
        return {}
    versions = state.object("versions")
    return {name: versions.text(name) for name in versions}


def _read_origin(state: JsonObject) -> dict[str, Any]:
    """Return where the weights of an imported agent come from; empty for an agent trained with this package."""
    if "imported_from" not in state:
        return {}
    origin = state.object("imported_from")
    adam_steps = None if origin.get("adam_steps") is None else origin.integer("adam_steps", -1)
    texts = {name: origin.text(name) for name in ("file", "sha256", "note") if name in origin or name == "file"}
    texts["file"] = texts["file"].replace("\\", "/").rpartition("/")[2]  # it once held the path on the machine
    return {"imported_from": {**texts, "adam_steps": adam_steps}}
