"""Decodes a recording's JPEG pictures; their size is checked in the header before anything is decoded."""

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.recording.store.flatbuffer import Damaged, unpack

NOT_DECODED = (
    OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, struct.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""Exceptions that Pillow raises for damaged pictures."""
START_OF_IMAGE, START_OF_SCAN, FILL = 0xD8, 0xDA, 0xFF
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
MOST_OVERHEAD = 65_536
"""Bytes that a JPEG may have in excess of its raw pixels."""


def most_bytes(shape: tuple[int, int]) -> int:
    """Return the largest accepted number of bytes of an encoded picture of this height and width."""
    height, width = shape
    return 3 * height * width + MOST_OVERHEAD


def check_picture(content: bytes, shape: tuple[int, int]) -> None:
    """Raise Damaged unless the header is that of a JPEG of this height and width; nothing is decoded."""
    if content[:2] != bytes((0xFF, START_OF_IMAGE)):
        raise Damaged("it is no JPEG")
    place, found = 2, False
    while True:
        begin, marker = unpack("BB", content, place)
        if begin != 0xFF:
            raise Damaged("it is no JPEG that can be read")
        if marker == FILL:
            place += 1
            continue
        place += 2
        if marker == START_OF_SCAN:
            break
        if marker in WITHOUT_LENGTH:
            continue
        length: int = unpack(">H", content, place)[0]
        if marker in START_OF_FRAME:
            height, width = unpack(">HH", content, place + 3)
            if (height, width) != shape:
                raise Damaged(f"it has {width}×{height} pixels, expected {shape[1]}×{shape[0]}")
            found = True
        if length < 2:
            raise Damaged("it is no JPEG that can be read")
        place += length
    if not found:
        raise Damaged("it does not say how large it is")


def decode_picture(content: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode a picture of this height and width into an array [H, W, 3]; raises Damaged if it is none."""
    check_picture(content, shape)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            if (image.height, image.width) != shape:
                raise Damaged(f"it has {image.width}×{image.height} pixels, expected {shape[1]}×{shape[0]}")
            return np.asarray(image.convert("RGB"))
    except NOT_DECODED as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged(f"it cannot be decoded ({' '.join(str(error).split())})") from error
