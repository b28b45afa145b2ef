"""Inspects paths that a user names as input; anything that prevents it becomes one UserError."""

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Literal

from semantic_rl.errors import UserError

ZIP_FAULTS = (
    OSError, ValueError, EOFError, RuntimeError, NotImplementedError, LookupError, struct.error, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""Exceptions that Python's zipfile raises where a zip is damaged."""
LONGEST_SHOWN = 120
"""Most characters of a path that a message shows."""


def kind_of(path: Path, expected: str) -> Literal["folder", "file", "other"] | None:
    """Return whether `path`, after following links, is a folder, a regular file, something else or nothing (None).

    Raises UserError, which ends in what was `expected`, if that cannot be determined: in an inaccessible folder, for a
    name that is too long, or for a cyclic link.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{shown_path(path)} cannot be read ({getattr(error, 'strerror', None) or error}); expected {expected}."
        ) from error
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def read_file(path: Path, most_bytes: int, way_out: str) -> bytes:
    """Return the content of a regular file; never blocks, as reading a pipe would.

    Raises UserError, which ends in `way_out`, if there is no regular file, or if it is larger than `most_bytes`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UserError(f"{shown_path(path)} is no regular file; {way_out}")
            if found.st_size > most_bytes:
                raise UserError(
                    f"{shown_path(path)} has {found.st_size:,} bytes, expected at most {most_bytes:,}; {way_out}"
                )
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(most_bytes + 1)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{shown_path(path)} cannot be read: {reason}; {way_out}") from error


def shown_path(path: Path) -> str:
    """Return a path in the form used in messages: on one line, and shortened if it is long."""
    text = str(path)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
