"""Snapshots from which an interrupted recording resumes: arrays, bytes and JSON values in one safetensors file."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from semantic_rl.artifacts import PARTS_FOLDER, RESUME_FILE
from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.writer import Block


class Snapshot(NamedTuple):
    """The complete state of a recording in progress."""

    blocks: dict[str, list[Block]]
    """States that are not in a shard yet, by the component that holds them."""
    blobs: dict[str, list[bytes]]
    """Byte strings: the states of environments and generators."""
    values: dict[str, Any]
    """JSON values."""


def save_snapshot(recording: Path, snapshot: Snapshot) -> None:
    """Write a snapshot into an unfinished recording, replacing the previous one."""
    tensors: dict[str, NDArray[Any]] = {}
    counts: dict[str, list[int]] = {}
    for name, blocks in snapshot.blocks.items():
        counts[name] = [len(block.rows) for block in blocks]
        tensors[f"{name}/rows"] = np.frombuffer(b"".join(block.rows.tobytes() for block in blocks), np.uint8)
        _put(tensors, f"{name}/observations", [item for block in blocks for item in block.observations])
        _put(tensors, f"{name}/pictures", [item for block in blocks for item in block.pictures])
    for name, items in snapshot.blobs.items():
        _put(tensors, name, items)
    metadata = {"values": json.dumps(snapshot.values), "counts": json.dumps(counts)}
    with whole_file(recording / PARTS_FOLDER / RESUME_FILE) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # this is how safetensors reports a full disk
            raise OSError(str(error)) from error


def _put(tensors: dict[str, NDArray[Any]], name: str, items: list[bytes]) -> None:
    tensors[name] = np.frombuffer(b"".join(items), np.uint8)
    tensors[f"{name}/lengths"] = np.array([len(item) for item in items], np.int64)


def load_snapshot(recording: Path, dtype: np.dtype[np.void]) -> Snapshot | None:
    """Return the last snapshot of an unfinished recording with rows of type `dtype`; None if there is none yet.

    Raises UserError if the file is damaged.
    """
    path = recording / PARTS_FOLDER / RESUME_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "np") as file:  # pyright: ignore[reportUnknownVariableType]
            metadata: dict[str, str] = file.metadata()  # pyright: ignore
            tensors: dict[str, NDArray[Any]] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # pyright: ignore
        counts, values = (json.loads(metadata[name]) for name in ("counts", "values"))
        if not isinstance(values, dict):
            raise Damaged("it holds no counters")
        blocks = {name: _take_blocks(tensors, name, lengths, dtype) for name, lengths in counts.items()}
        blobs = {name: _take(tensors, name) for name in list(tensors) if not name.endswith("/lengths")}
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read: {said}; delete {recording} and record again.") from error
    return Snapshot(blocks, blobs, values)


def _take_blocks(
    tensors: dict[str, NDArray[Any]], name: str, lengths: list[int], dtype: np.dtype[np.void]
) -> list[Block]:
    """Return blocks with the given numbers of rows; raises Damaged if the stored ones differ."""
    rows = np.frombuffer(tensors.pop(f"{name}/rows").tobytes(), dtype)
    observations, pictures = _take(tensors, f"{name}/observations"), _take(tensors, f"{name}/pictures")
    _check_lengths(lengths, len(rows), name)
    if len(observations) != len(rows) or len(pictures) not in (0, len(rows)):
        raise Damaged(f"'{name}' does not hold one frame for each of its rows")
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    return [
        Block(rows[end - length : end].copy(), observations[end - length : end], pictures[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


def _take(tensors: dict[str, NDArray[Any]], name: str) -> list[bytes]:
    content, lengths = tensors.pop(name).tobytes(), tensors.pop(f"{name}/lengths").tolist()
    _check_lengths(lengths, len(content), name)
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    return [content[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _check_lengths(lengths: list[Any], total: int, name: str) -> None:
    if not all(type(length) is int and length >= 0 for length in lengths) or sum(lengths) != total:
        raise Damaged(f"the parts of '{name}' do not add up to its {total:,}")
