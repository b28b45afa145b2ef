"""Packs a trained agent into a small folder to keep or to share: weights, card and learning curve, no optimiser state.

The large weights are stored in half precision, in which the convolutions compute on most machines anyway; heads,
codebook and biases stay in single precision. The scores on the card are measured with the packed weights.
"""

import json
import os
import shlex
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from semantic_rl.artifacts import (
    CARD_FILE,
    CARD_FORMAT,
    CARD_VERSION,
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    CHECKPOINTS_FOLDER,
    HELD_OUT_PROGRESS_FILE,
    POLICY_FILE,
    PROGRESS_FILE,
    STATE_FILE,
)
from semantic_rl.atomic_write import whole_folder
from semantic_rl.config import EvaluateConfig, PackConfig
from semantic_rl.errors import UserError
from semantic_rl.evaluate import evaluate
from semantic_rl.output_places import check_output_folder, exists
from semantic_rl.progress_bar import OnProgress
from semantic_rl.progress_log import read_progress_log
from semantic_rl.training.checkpoint import file_sha256, find_checkpoint, load_policy, read_state
from semantic_rl.training.logger import rows_until, write_rows

LARGE = 4096
"""Tensors of the trunk with at least this many elements are stored in half precision."""
KEPT_OF_STATE = (
    "update",
    "timesteps",
    "num_workers",
    "semantic_weight",
    "semantic_updates",
    "mean_return",
    "imported_from",
    "versions",
)
OF_THE_MACHINE = ("run_root", "resume", "auto_resume")
"""Settings that describe the machine and the session of the training, not the agent."""
RESULTS_ON_CARD = (
    "episodes", "mean_return", "std_return", "standard_error", "confidence_interval", "normalized_mean",
    "mean_length", "success_rate", "num_levels", "start_level", "seed",
)  # fmt: skip


def pack(config: PackConfig, on_progress: OnProgress | None = None) -> Path:
    """Pack an agent as `config` says and return the folder; `on_progress` is called with (finished, all) episodes.

    Raises UserError if there is no agent, or if `out` exists or cannot be written.
    """
    checkpoint = find_checkpoint(config.agent)
    state = read_state(checkpoint)
    if exists(config.out):
        raise UserError(f"{config.out} exists already; choose another --out.")
    check_output_folder(config.out)
    run = checkpoint.parent.parent if checkpoint.parent.name == CHECKPOINTS_FOLDER else checkpoint
    curves = [name for name in (PROGRESS_FILE, HELD_OUT_PROGRESS_FILE) if _is_there(run / name)]
    try:
        config.out.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(config.out) as temporary:
            _fill(temporary, config, checkpoint, state, on_progress)
            for name in curves:
                _copy_curve(run / name, temporary / name, state["update"])
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot write to {config.out}: {reason}; make room, or choose another --out.") from error
    return config.out


def _fill(
    folder: Path,
    config: PackConfig,
    checkpoint: Path,
    state: dict[str, Any],
    on_progress: OnProgress | None,
) -> None:
    """Write weights, state and card; the card's scores are measured with the written weights."""
    _write_weights(checkpoint, folder / POLICY_FILE)
    settings = {name: value for name, value in state["config"].items() if name not in OF_THE_MACHINE}
    packed = {name: state[name] for name in KEPT_OF_STATE if name in state}
    head = {"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION}
    files = {POLICY_FILE: file_sha256(folder / POLICY_FILE)}
    _write_json(folder / STATE_FILE, {**head, **packed, "config": settings, "files": files})
    scores = evaluate(EvaluateConfig(folder, config.episodes, num_levels=0, seed=config.seed), on_progress)
    _write_json(folder / CARD_FILE, _card(config, state, settings, scores.to_json(), files[POLICY_FILE]))


def _is_there(curve: Path) -> bool:
    """Say whether a run has this log; raises UserError if it is a symbolic link, whose target would be shared."""
    try:
        mode = curve.lstat().st_mode
    except OSError:
        return False
    if not stat.S_ISREG(mode):
        raise UserError(f"{curve} is a link or no regular file, and would be packed; put the file there, or remove it.")
    return os.path.isfile(curve)


def _copy_curve(source: Path, out: Path, update: int) -> None:
    """Copy a log up to an update, since the run may have continued after the checkpoint."""
    columns = read_progress_log(source).columns
    write_rows(out, columns, rows_until(source, update or None))  # an imported agent has no updates


def _write_weights(checkpoint: Path, path: Path) -> None:
    def stored(name: str, value: Tensor) -> Tensor:
        is_large = name.startswith("trunk.") and value.numel() >= LARGE
        return (value.half() if is_large else value).contiguous()

    save_file({name: stored(name, value) for name, value in load_policy(checkpoint).state_dict().items()}, path)
    path.chmod(path.parent.stat().st_mode & 0o666)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _card(
    config: PackConfig, state: dict[str, Any], settings: dict[str, Any], scores: dict[str, Any], sha256: str
) -> dict[str, Any]:
    trained = {name: state.get(name) for name in ("device", "precision", "num_threads", "num_workers", "versions")}
    return {
        "format": CARD_FORMAT,
        "version": CARD_VERSION,
        "name": config.out.name,
        **{name: settings[name] for name in ("algorithm", "env", "distribution_mode")},
        "num_levels": settings["num_levels"],
        "start_level": settings["start_level"],
        "seed": settings["seed"],
        "timesteps": state["timesteps"],
        "num_codes": settings["num_codes"] if settings["algorithm"] == "sppo" else 0,
        "note": config.note,
        "scores": {name: scores[name] for name in RESULTS_ON_CARD},
        "scores_by": (
            f"semantic-rl evaluate AGENT --episodes {config.episodes} --num-levels 0 --seed {config.seed}: sampled "
            "actions, levels drawn from all 2^31, of which training saw next to none"
        ),
        "trained": {**trained, "seconds": state.get("time_elapsed")},
        "reproduce": _command(state, settings),
        "policy_sha256": sha256,
        "licence": "MIT",
    }


def _command(state: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the command line that trains the agent again, up to the checkpoint's step."""
    if "imported_from" in state:
        file = shlex.quote(state["imported_from"]["file"])
        return f"semantic-rl import-original {file} --env {settings['env']} --out RUN"
    from semantic_rl.config import TrainConfig, to_dict

    settings = {**settings, "timesteps": state["timesteps"]}
    default = to_dict(replace(TrainConfig(), algorithm=settings["algorithm"]))
    shown = ("algorithm", "env", "distribution_mode", "num_levels", "start_level", "timesteps", "seed")
    unlike = [
        name
        for name, value in settings.items()
        if name in default and value != default[name] and name not in (*shown, *OF_THE_MACHINE)
    ]
    flags = [f"--{name.replace('_', '-')} {settings[name]}" for name in (*shown, *unlike)]
    return " ".join(["semantic-rl train", *flags])
