"""Reads a zip of Stable-Baselines3 or sb3-contrib without executing anything in it.

    data                        JSON: training settings; what JSON cannot hold is pickled (`:serialized:`), and the
                                values of such an object stand beside the pickle as far as JSON can hold them
    policy.pth                  the weights, a PyTorch file
    _stable_baselines3_version  text

The pickles are never opened, and neither are the optimiser's files. The weights are read with PyTorch's `weights_only`.
"""

import hashlib
import io
import json
import pickletools
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from semantic_rl.errors import UserError
from semantic_rl.input_places import ZIP_FAULTS, read_file, shown_path
from semantic_rl.json_files import shown

MOST_BYTES = 4 * 1024**3
"""Largest accepted zip; the optimiser's moments, which are not read, take two thirds of a usual one."""
MOST_BYTES_OF_DATA = 256 * 1024**2
"""Largest accepted `data`; its pickled observations take at most a few megabytes."""
MOST_RATIO = 100
"""Largest accepted ratio of compression: JSON and pickles stay below 20, weights near 1."""
PICKLE = ":serialized:"
"""Key of a pickled object in `data`; the other keys beside it are plain."""
WAY_OUT = "expected a zip that a model of Stable-Baselines3 or sb3-contrib wrote with 'save'."
_MAGIC_OF_ZIP = b"PK\x03\x04"


class Sb3File(NamedTuple):
    """What a zip holds, without its pickled objects."""

    path: Path
    data: dict[str, Any]
    """Settings by name; a pickled one is a dict of the plain values beside the pickle, without the pickle itself."""
    weights: dict[str, Tensor]
    """The policy's parameters by name, float32, finite."""
    version: str
    """Of Stable-Baselines3; empty if the zip does not say."""
    sha256: str


def is_zip(path: Path) -> bool:
    """Say whether a file begins as a zip does."""
    with path.open("rb") as file:
        return file.read(4) == _MAGIC_OF_ZIP


def read_sb3_zip(path: Path) -> Sb3File:
    """Read a zip.

    Raises UserError if it is no zip, if a member is missing, damaged or larger than it may be, or if the weights are
    not tensors of finite numbers.
    """
    content = read_file(path, MOST_BYTES, WAY_OUT)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            data = _read_data(_member(archive, path, "data", MOST_BYTES_OF_DATA), path)
            weights = _read_weights(_member(archive, path, "policy.pth", MOST_BYTES), path)
            version = ""
            if "_stable_baselines3_version" in archive.namelist():
                raw = _member(archive, path, "_stable_baselines3_version", 1000)
                version = raw.decode("ascii", errors="replace").strip()
    except UserError:
        raise
    except ZIP_FAULTS as error:
        raise UserError(f"{shown_path(path)} cannot be read as a zip ({error}); {WAY_OUT}") from error
    return Sb3File(path, data, weights, version, hashlib.sha256(content).hexdigest())


def _member(archive: zipfile.ZipFile, path: Path, name: str, most_bytes: int) -> bytes:
    """Return the content of a member whose size, and whose ratio of compression, are within bounds."""
    if name not in archive.namelist():
        raise UserError(f"{shown_path(path)} has no member '{name}'; {WAY_OUT}")
    info = archive.getinfo(name)
    if info.file_size > min(most_bytes, MOST_RATIO * max(info.compress_size, 10_000)):
        raise UserError(
            f"{shown_path(path)}: its member '{name}' unpacks to {info.file_size:,} bytes, more than such a member "
            f"has; {WAY_OUT}"
        )
    return archive.read(info)  # which gives no more than that, whatever is packed


def _read_data(content: bytes, path: Path) -> dict[str, Any]:
    where = f"{shown_path(path)}: its member 'data'"
    try:
        data: Any = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} cannot be read ({str(error)[:100]}); {WAY_OUT}") from error
    if not isinstance(data, dict):
        raise UserError(f"{where} holds {shown(data)}, expected an object; {WAY_OUT}")
    found = cast(dict[str, Any], data)
    return {name: _without_pickle(value) for name, value in found.items()}


def _without_pickle(value: Any) -> Any:
    if not isinstance(value, dict) or PICKLE not in value:
        return value
    return {name: plain for name, plain in cast(dict[str, Any], value).items() if name != PICKLE}


def _read_weights(content: bytes, path: Path) -> dict[str, Tensor]:
    where = f"{shown_path(path)}: its member 'policy.pth'"
    _check_sizes(content, where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle's version
            loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch raises whatever the damage leads to
        said = str(error).strip().partition("\n")[0][:160]
        raise UserError(f"{where} cannot be read as weights ({said or type(error).__name__}); {WAY_OUT}") from error
    if not isinstance(loaded, dict) or not loaded:
        raise UserError(f"{where} holds no weights; {WAY_OUT}")
    weights: dict[str, Tensor] = {}
    total = 0
    for name, value in cast(dict[Any, Any], loaded).items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise UserError(f"{where}: '{str(name)[:60]}' is a {type(value).__name__}, expected a tensor; {WAY_OUT}")
        total += value.numel() * value.element_size()
        if total > 16 * len(content):  # a tensor may repeat a few stored numbers any number of times
            raise UserError(f"{where}: its tensors are far larger than the file; {WAY_OUT}")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(f"{where}: '{name[:60]}' holds numbers that are not finite; the agent cannot act.")
        weights[name] = value
    return weights


def _check_sizes(content: bytes, where: str) -> None:
    """Refuse weights that would take far more memory than their file, before PyTorch reads them."""
    if content.startswith(_MAGIC_OF_ZIP):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                declared = sum(info.file_size for info in archive.infolist())
        except ZIP_FAULTS as error:
            raise UserError(f"{where} is damaged ({error}); {WAY_OUT}") from error
        is_too_large = declared > len(content)
    else:
        is_too_large = not _is_within(content)
    if is_too_large:
        raise UserError(f"{where} announces more numbers than it holds; {WAY_OUT}")


def _is_within(content: bytes) -> bool:
    """Say whether the pickles at the head of PyTorch's old format name no size larger than the file.

    They are only disassembled. The first holds a number by which the format is known, the others sizes of storages.
    """
    stream = io.BytesIO(content)
    try:
        for index in range(5):
            for operation, argument, _ in pickletools.genops(stream):
                is_size = (
                    index > 2 and isinstance(argument, int) and operation.name.startswith(("BININT", "LONG", "INT"))
                )
                if is_size and int(argument or 0) > len(content):
                    return False
    except (ValueError, EOFError, MemoryError, OverflowError):
        return False
    return True
