"""Reads the original's checkpoints: joblib files that map variable names to arrays, compressed or not.

Nothing in a file is executed (see `semantic_rl.array_pickle`), and no file can make this use more memory than a small
multiple of `MAX_SIZE`.
"""

import bz2
import lzma
import os
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from semantic_rl.array_pickle import ArrayPickle, RefusedPickle
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of

MAX_SIZE = 256 * 2**20
"""Most bytes of a file, before and after decompression; the original's checkpoints with Adam's slots have 8 million."""
LZMA_MEMORY = 128 * 2**20
"""Most bytes of memory for the decompression of xz and lzma files; their strongest preset needs 65 MiB."""
TOO_LARGE = f"it holds more than {MAX_SIZE // 2**20} MiB; no checkpoint of the original does"

EXPECTED = "one that the original has written"

ZLIB, GZIP, BZ2, XZ, LZMA = b"\x78", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"\x5d\x00"
"""First bytes of compressed files; no pickle since protocol 2 begins with them."""

NOT_SUPPORTED = {
    b"ZF": "it was written by joblib before 0.10; load it and dump it again with a newer joblib",
    b"\x04\x22\x4d\x18": "it is compressed with lz4; load it and dump it again without",
}


def read_original_file(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by variable name, in native byte order.

    Raises UserError for any other file: foreign, truncated, too large, or using a name, an operation or a type of
    elements that a file of arrays does not need.
    """
    if kind_of(path, EXPECTED) in ("folder", "other"):
        raise UserError(f"{path} is no file; expected {EXPECTED}.")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read() if size <= MAX_SIZE else b""
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        if size > MAX_SIZE:
            raise RefusedPickle(TOO_LARGE)
        for start, reason in NOT_SUPPORTED.items():
            if data.startswith(start):
                raise RefusedPickle(reason)
        return ArrayPickle(_decompress(data)).read()
    except RefusedPickle as refusal:
        raise UserError(f"{path} was not imported, and nothing in it was executed: {refusal}.") from refusal


def _decompress(data: bytes) -> bytes:
    """Return the decompressed content of a file, or the data unchanged if they are not compressed."""
    plain, ended = data, True
    try:
        if data.startswith((ZLIB, GZIP)):
            decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # zlib or gzip, depending on the header
            plain, ended = decompressor.decompress(data, MAX_SIZE + 1), decompressor.eof
        elif data.startswith(BZ2):
            decompressor = bz2.BZ2Decompressor()
            plain, ended = decompressor.decompress(data, MAX_SIZE + 1), decompressor.eof
        elif data.startswith((XZ, LZMA)):
            decompressor = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
            plain, ended = decompressor.decompress(data, MAX_SIZE + 1), decompressor.eof
    except (zlib.error, lzma.LZMAError, OSError) as error:
        raise RefusedPickle(f"it begins like a compressed file but does not decompress ({error})") from error
    if len(plain) > MAX_SIZE:
        raise RefusedPickle(TOO_LARGE)
    if not ended:
        raise RefusedPickle("it is a compressed file that is cut off; copy it again")
    return plain
