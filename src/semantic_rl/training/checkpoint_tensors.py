"""Reads a checkpoint's tensors, which are untrusted input: names, types, shapes and finiteness are checked here.

Loading executes no code from the files, and each file must have the SHA-256 that state.json gives.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from semantic_rl.artifacts import POLICY_FILE
from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject, parse_json_object
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.checkpoint_state import way_out

MOST_BYTES_OF_WEIGHTS = 100_000_000
"""Largest accepted size of the files of weights and of moments; ours have 3 and 5 million bytes."""
WEIGHT_TYPES = (torch.float32, torch.float16, torch.bfloat16)
MOST_CODES = 256
CODEBOOK = "semantic.codebook"


def damaged(folder: Path, what: str) -> UserError:
    """Return the error for a damaged checkpoint, with advice."""
    return UserError(f"{folder}: damaged checkpoint: {what}; {way_out(folder)}")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file as hexadecimal digits; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(None, "it is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(descriptor)


def load_tensors(folder: Path, name: str, files: Mapping[str, str], most_bytes: int | None = None) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint file by name; raises UserError if it is not the file that was written."""
    path = folder / name
    try:
        size = path.stat().st_size
        if most_bytes is not None and size > most_bytes:
            raise damaged(folder, f"{name} has {size:,} bytes, expected at most {most_bytes:,}")
        if file_sha256(path) != files.get(name):
            raise damaged(folder, f"{name} is not the file that was written (its SHA-256 differs)")
        return load_file(path)
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise damaged(folder, f"{name} cannot be read: {reason[:200]}") from error
    except (KeyError, AttributeError, TypeError) as error:  # a dtype that this version of PyTorch does not have
        raise damaged(folder, f"{name} holds tensors of a type that is not ours ({error})") from error


def load_weights(folder: Path, files: Mapping[str, str]) -> tuple[dict[str, Tensor], int]:
    """Return a policy's weights by name, and its number of codes (0 without the semantic clustering module).

    Raises UserError if they are not the weights of a SemanticPolicy, or not finite.
    """
    weights = load_tensors(folder, POLICY_FILE, files, MOST_BYTES_OF_WEIGHTS)
    codebook = weights.get(CODEBOOK)
    num_codes = 0
    if codebook is not None:
        num_codes = len(codebook) if codebook.dim() else 0
        if not 1 <= num_codes <= MOST_CODES:
            raise damaged(folder, f"{CODEBOOK} has shape {tuple(codebook.shape)}, expected 1 to {MOST_CODES} codes")
    expected = shapes_of(num_codes)
    check_tensors(folder, POLICY_FILE, weights, expected)
    return weights, num_codes


def shapes_of(num_codes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a policy's weights by name."""
    with torch.device("meta"):  # allocates no memory and draws no random numbers
        policy = SemanticPolicy(num_codes=num_codes)
    return {name: tuple(value.shape) for name, value in policy.state_dict().items()}


def check_tensors(
    folder: Path,
    file: str,
    tensors: Mapping[str, Tensor],
    expected: Mapping[str, tuple[int, ...]],
    types: tuple[torch.dtype, ...] = WEIGHT_TYPES,
) -> None:
    """Raise UserError unless the tensors have exactly the expected names, shapes and types and are all finite."""
    missing = [name for name in expected if name not in tensors]
    unknown = [name for name in tensors if name not in expected]
    if missing or unknown:
        what = f"lacks '{missing[0]}'" if missing else f"holds '{ascii(unknown[0])[1:-1][:60]}', which is not ours"
        raise damaged(folder, f"{file} does not fit the network: it {what}")
    for name, shape in expected.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != shape:
            raise damaged(
                folder, f"{file} does not fit the network: {name} has shape {tuple(tensor.shape)}, not {shape}"
            )
        if tensor.dtype not in types:
            raise damaged(folder, f"{file}: {name} is of type {tensor.dtype}, expected {' or '.join(map(str, types))}")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise damaged(folder, f"{file}: {name} holds NaN or infinity, so the agent cannot act or learn")


def load_optimizer(folder: Path, name: str, files: Mapping[str, str], num_codes: int) -> dict[str, Tensor]:
    """Return Adam's moments and number of steps in the form of `FlatAdam.state`; raises UserError if invalid."""
    tensors = load_tensors(folder, name, files, MOST_BYTES_OF_WEIGHTS)
    num_steps = tensors.pop("num_steps", None)
    if num_steps is None or num_steps.shape != () or num_steps.dtype != torch.int64 or int(num_steps) < 0:
        raise damaged(folder, f"{name}: num_steps is missing or no count")
    shapes = shapes_of(num_codes)
    expected = {f"{moment}/{weight}": shape for moment in ("mean", "square") for weight, shape in shapes.items()}
    check_tensors(folder, name, tensors, expected, (torch.float32,))
    if any(bool((tensors[weight] < 0).any()) for weight in expected if weight.startswith("square/")):
        raise damaged(folder, f"{name}: a mean of squares is below 0")
    return {**tensors, "num_steps": num_steps}


def load_worker(
    folder: Path, name: str, files: Mapping[str, str], num_envs: int
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a worker's tensors and JSON values in the form of `Session.snapshot`; raises UserError if invalid."""
    tensors = load_tensors(folder, name, files)
    try:
        with safe_open(folder / name, "pt") as file:  # pyright: ignore[reportUnknownVariableType]
            metadata: dict[str, str] = file.metadata() or {}  # pyright: ignore
    except (OSError, SafetensorError) as error:
        raise damaged(folder, f"{name} cannot be read: {error}") from error
    values = parse_json_object(metadata.get("values", ""), folder / name, way_out(folder))
    normalizer = values.object("normalizer")
    _numbers(normalizer, "returns", num_envs)
    for field in ("mean", "variance", "count"):
        normalizer.number(field)
    for kind in ("environments", "held_out"):
        if kind in values or kind == "environments":
            _check_environments(folder, name, tensors, values.object(kind), kind, num_envs)
    return tensors, dict(values)


def _check_environments(
    folder: Path, name: str, tensors: Mapping[str, Tensor], values: JsonObject, kind: str, num_envs: int
) -> None:
    """Raise UserError unless there are states, a generator and episode statistics for `num_envs` environments."""
    lengths = _numbers(values, "lengths", num_envs, whole=True)
    generator_size = torch.Generator().get_state().shape
    for tensor_name, shape in ((kind, (sum(lengths),)), (f"{kind}_generator", tuple(generator_size))):
        tensor = tensors.get(tensor_name)
        if tensor is None or tensor.dtype != torch.uint8 or tuple(tensor.shape) != shape:
            raise damaged(folder, f"{name}: {tensor_name} is missing or not {shape[0]:,} bytes")
    monitor = values.object("monitor")
    _numbers(monitor, "returns", num_envs)
    _numbers(monitor, "lengths", num_envs, whole=True)
    monitor.integer("num_finished")
    for episode in monitor.array("finished"):
        match episode:
            case [int() | float(), int(), bool()]:
                pass
            case _:
                monitor.wrong("finished", "episodes of return, length and success")


def _numbers(values: JsonObject, name: str, count: int, whole: bool = False) -> list[Any]:
    found = values.array(name)
    kinds = (int,) if whole else (int, float)
    if len(found) != count or any(type(value) not in kinds or (whole and value < 0) for value in found):
        values.wrong(name, f"{count} {'counts' if whole else 'numbers'}, one an environment")
    return found
