"""Makes a run folder from a checkpoint of the original, which `evaluate`, `record` and `load_policy` accept.

The file holds weights and Adam's slots by variable name. The slots are left out, and there are no environment states,
so training cannot be resumed. If the file has no codebook, the agent is one of plain PPO.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from semantic_rl.artifacts import CHECKPOINTS_FOLDER, CONFIG_FILE, checkpoint_name
from semantic_rl.atomic_write import whole_folder
from semantic_rl.config import EnvConfig, ImportOriginalConfig, SemanticConfig, TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.original.checkpoint_file import read_original_file
from semantic_rl.original.weight_names import from_original, original_names
from semantic_rl.output_places import check_output_folder, exists
from semantic_rl.training.checkpoint import Checkpoint, file_sha256, write_files
from semantic_rl.training.resume_checks import settings_of
from semantic_rl.training.versions import versions

CODEBOOK = "pi/embeddings_vqvae:0"
ADAM_BETA2 = 0.999


def import_original(config: ImportOriginalConfig) -> str:
    """Make the run folder `config.out` from the file `config.file`; return a line that says what it holds.

    Raises UserError if the file is not such a checkpoint, naming the invalid variable, and if the folder exists or
    cannot be written.
    """
    if exists(config.out):
        raise UserError(f"{config.out} exists already; choose another --out.")
    check_output_folder(config.out)
    variables = read_original_file(config.file)
    weights = {_without_scope(name): value for name, value in variables.items() if not _is_adams(name)}
    num_codes = _num_codes(config.file, weights)
    _check(config.file, weights, num_codes)
    policy = from_original({name: value for name, value in variables.items() if not _is_adams(name)})

    train_config = TrainConfig(
        algorithm="sppo" if num_codes else "ppo",
        environment=EnvConfig(config.env, config.distribution_mode, config.num_levels, config.start_level),
        semantic=SemanticConfig(num_codes=num_codes or SemanticConfig.num_codes),
        seed=config.seed,
    )
    adam_steps = _adam_steps(variables)
    about = {
        "imported_from": {
            "file": config.file.name,
            "sha256": file_sha256(config.file),
            "adam_steps": adam_steps,
            "note": "The file holds weights alone: settings that neither it nor the command told are defaults.",
        },
        "config": settings_of(train_config),
        "num_updates": 0,
        "num_workers": 1,
        "versions": versions(),
    }
    checkpoint = Checkpoint(policy, None, None, {"update": 0, "timesteps": 0, **about})
    try:
        config.out.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(config.out) as temporary:
            folder = temporary / CHECKPOINTS_FOLDER / checkpoint_name(0)
            folder.mkdir(parents=True)
            write_files(folder, checkpoint)
            (temporary / CONFIG_FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot write to {config.out}: {reason}; make room, or choose another --out.") from error
    module = f"sppo, {num_codes} codes" if num_codes else "ppo, no semantic clustering module"
    trained = f" after {adam_steps} steps of Adam" if adam_steps is not None else ""
    return (
        f"{config.out}: a {config.env} agent ({module}){trained}, its weights alone: training cannot continue from it."
    )


def _without_scope(name: str) -> str:
    """Remove 'sppo2_model/' or any other scope before a variable's name."""
    return name.split("/", 1)[-1]


def _is_adams(name: str) -> bool:
    return name in ("beta1_power:0", "beta2_power:0") or name.endswith(("/Adam:0", "/Adam_1:0"))


def _num_codes(file: Path, weights: Mapping[str, NDArray[Any]]) -> int:
    """Return K from the shape of the codebook, which is stored as 2 × K; 0 if there is none."""
    if CODEBOOK not in weights:
        return 0
    shape = weights[CODEBOOK].shape
    if len(shape) != 2 or shape[0] != 2 or not 1 <= shape[1] <= 256:
        raise UserError(f"{file}: variable '{CODEBOOK}' has shape {shape}, expected (2, K) with K from 1 to 256.")
    return shape[1]


def _check(file: Path, weights: Mapping[str, NDArray[Any]], num_codes: int) -> None:
    """Raise UserError for the first variable that is missing, unknown, of another shape, or not finite."""
    ours = SemanticPolicy(num_codes=num_codes).state_dict()
    expected = {theirs: tuple(ours[name].shape) for name, theirs in original_names(num_codes > 0).items()}
    kind = "SPPO" if num_codes else "PPO (it has no codebook)"
    for name, our_shape in expected.items():
        if name not in weights:
            raise UserError(
                f"{file}: has no variable '{name}', which the original's {kind} agents have; it has "
                f"{len(weights)} variables: {', '.join(list(weights)[:5])} …"
            )
        shape = _their_shape(our_shape)
        if weights[name].shape != shape:
            raise UserError(f"{file}: variable '{name}' has shape {weights[name].shape}, expected {shape}.")
        if weights[name].dtype.kind != "f" or not np.isfinite(weights[name]).all():
            raise UserError(f"{file}: variable '{name}' holds other than finite floating-point numbers.")
    unknown = [name for name in weights if name not in expected]
    if unknown:
        raise UserError(
            f"{file}: has a variable '{unknown[0]}', which the original's {kind} agents do not have; expected its "
            f"IMPALA policy with {ours['policy_head.bias'].numel()} actions and nothing else but Adam's slots."
        )


def _their_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Convert a shape of PyTorch to TensorFlow's: convolutions HWIO for OIHW, matrices transposed."""
    if len(shape) == 4:
        out, inp, height, width = shape
        return height, width, inp, out
    return shape[::-1]


def _adam_steps(variables: Mapping[str, NDArray[Any]]) -> int | None:
    """Return the number of training steps from beta2_power = 0.999^(steps + 1); None if that is absent or 0."""
    power = variables.get("beta2_power:0")
    if power is None or power.size != 1 or not 0 < (value := float(power.reshape(()))) < 1:
        return None
    return round(math.log(value) / math.log(ADAM_BETA2)) - 1
