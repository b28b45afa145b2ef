"""Pictures as a user gives them, arrays or encoded JPEG and PNG, become JPEGs of one size."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.errors import UserError, on_one_line
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.frames import encode_picture, encoded_shape
from semantic_rl.recording.store.pictures import NOT_DECODED, check_picture, most_bytes

LONGEST_SIDE = 4096
"""Largest accepted side of a picture that is given, in pixels."""
FORMATS = ("JPEG", "PNG")
NUM_THREADS = 4
"""Encoding a picture takes about a millisecond of a core, and releases the GIL."""


def stored_shape(picture: Any, longest: int) -> tuple[int, int]:
    """Return height and width at which pictures like this one are stored: no side is above `longest`."""
    height, width = _decoded("pictures", 0, picture).shape[:2]
    return encoded_shape((height, width), min(longest, max(height, width)))


def pictures_of(given: Any, count: int) -> Sequence[Any]:
    """Return B pictures as an array or a list; raises UserError if there are more or fewer, or if it is neither."""
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        items: Any = given if isinstance(given, np.ndarray) else list(given)
        found = len(items)
    except TypeError:
        raise UserError(f"pictures: got a {type(given).__name__}, expected {count:,} pictures.") from None
    if found != count:
        raise UserError(f"pictures: got {found:,}, expected {count:,}, one for each row of features.")
    return items


def encode_pictures(given: Any, count: int, shape: tuple[int, int]) -> list[bytes]:
    """Return B pictures as JPEGs of this height and width; those that are such already stay as they are.

    Raises UserError if there are more or fewer, or if one is no picture or has other proportions.
    """
    items = pictures_of(given, count)
    with ThreadPoolExecutor(NUM_THREADS) as threads:
        return list(threads.map(_encoded, range(count), items, repeat(shape)))


def _encoded(row: int, picture: Any, shape: tuple[int, int]) -> bytes:
    if isinstance(picture, bytes) and len(picture) <= most_bytes(shape) and _is_stored_so(picture, shape):
        return picture
    image = _decoded("pictures", row, picture)
    found = encoded_shape(image.shape[:2], max(shape))
    if found != shape:
        raise UserError(
            f"pictures: the picture of row {row:,} has {image.shape[1]}×{image.shape[0]} pixels, other proportions "
            "than the first one."
        )
    return encode_picture(image, max(shape))


def _is_stored_so(picture: bytes, shape: tuple[int, int]) -> bool:
    try:
        check_picture(picture, shape)
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
            image.load()
    except NOT_DECODED:
        return False
    return True


def _decoded(name: str, row: int, picture: Any) -> NDArray[np.uint8]:
    """Return a picture [H, W, 3]; raises UserError if it is none, or is too large."""
    if isinstance(picture, bytes):
        return _decoded_bytes(name, row, picture)
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise UserError(
            f"{name}: the picture of row {row:,} is {array.dtype} of the shape {array.shape}, expected uint8 "
            "[height, width, 3], or the bytes of a JPEG or PNG."
        )
    _check_size(name, row, array.shape[0], array.shape[1])
    return array


def _decoded_bytes(name: str, row: int, content: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(name, row, image.height, image.width)
            return np.asarray(image.convert("RGB"))
    except UserError:
        raise
    except (*NOT_DECODED, Damaged) as error:
        raise UserError(
            f"{name}: the picture of row {row:,} cannot be decoded as JPEG or PNG ({on_one_line(str(error))[:200]})."
        ) from error


def _check_size(name: str, row: int, height: int, width: int) -> None:
    if not 0 < max(height, width) <= LONGEST_SIDE:
        raise UserError(
            f"{name}: the picture of row {row:,} has {width}×{height} pixels, expected at most {LONGEST_SIDE} a side."
        )
