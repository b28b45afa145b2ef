"""Encodes data for the page: numbers as arrays of integers, JSON without NaN, pictures as PNG."""

import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEVELS_16_BIT = 65535
HIGHEST_SHARE = 255
"""The byte that encodes a share of 1."""


def quantise(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint16]:
    """Quantise values to integers from 0 (`low`) to 65535 (`high`); values outside are clipped."""
    scaled = (values.astype(np.float64) - low) * (LEVELS_16_BIT / max(high - low, 1e-300))
    return np.rint(np.clip(scaled, 0, LEVELS_16_BIT)).astype("<u2")


def quantise_share(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Quantise numbers from 0 to 1 to integers from 0 to 255."""
    return np.rint(np.clip(values, 0, 1) * HIGHEST_SHARE).astype(np.uint8)


def plain(value: Any) -> Any:
    """Convert a value to JSON types: arrays become lists, and numbers that are not finite become null."""
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _plain_array(values: NDArray[Any]) -> Any:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return plain(values.tolist())
    return values.tolist()


def to_json(value: Any) -> bytes:
    """Encode a value as JSON."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def from_json(content: bytes) -> Any:
    """Parse JSON; raises ValueError if it is invalid, which includes NaN."""

    def refuse(name: str) -> float:
        raise ValueError(f"{name} is not JSON")

    return json.loads(content.decode(), parse_constant=refuse)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture [H, W, 3] losslessly."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", compress_level=3)
    return content.getvalue()
