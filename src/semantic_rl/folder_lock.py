"""Locks a run or recording folder for one writing process at a time; a second process is told which one holds it.

It is a kernel lock on a small file in the folder, which names the process; the lock ends with the process, however that
ends. The file is removed when the work is done. A file left behind by a killed process has no effect.
"""

import json
import os
import socket
import stat
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from semantic_rl.atomic_write import is_temporary
from semantic_rl.errors import UserError
from semantic_rl.file_lock import HAS_LOCKS, lock

LOCK_FILE = ".semantic-rl-lock"
LONGEST_HOLDER = 1000
"""Number of bytes of the file that are read."""
SECONDS_BETWEEN_TRIES = 0.2
WAY_OUT = "wait for it or end it, then give the same command again"


@contextmanager
def hold_folder(
    folder: Path, about: Mapping[str, str | int] | None = None, seconds: float = 0.0, way_out: str = WAY_OUT
) -> Generator[bool]:
    """Lock a folder, which must exist, so that no other process writes there.

    `about` is stored with host and process, for `read_holder`. If another process holds the folder, waits up to
    `seconds` for it to exit. Yields whether the folder is locked: storage that does not support locks is used without
    one, with a note on stderr. Raises UserError, which names the process that holds the folder and ends in `way_out`;
    also if the lock file cannot be created.
    """
    descriptor = _locked(folder / LOCK_FILE, folder, about or {}, seconds, way_out)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            with suppress(OSError):
                (folder / LOCK_FILE).unlink()
            os.close(descriptor)


def read_holder(folder: Path) -> dict[str, Any]:
    """Return the content of the lock file of a process that holds a folder or was killed doing so; empty if none."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return {}
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def is_unused(folder: Path) -> bool:
    """Say whether a folder contains nothing but locks and temporary files that killed processes left behind."""
    return all(path.name == LOCK_FILE or is_temporary(path) for path in folder.iterdir())


def _locked(path: Path, folder: Path, about: Mapping[str, str | int], seconds: float, way_out: str) -> int | None:
    """Return a descriptor of the file, which holds the lock; None if the storage does not support locks."""
    if not HAS_LOCKS:  # two processes in one folder are not detected
        return None
    deadline = time.monotonic() + seconds
    is_told = False
    while True:
        descriptor = _opened(path)
        try:
            lock(descriptor)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            if time.monotonic() < deadline:
                if not is_told:
                    print(f"note: waiting up to {seconds:.0f} s for {holder}, which writes {folder}", file=sys.stderr)
                is_told = True
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            raise UserError(f"{folder} is being written by {holder}; {way_out}.") from None
        except OSError as error:
            os.close(descriptor)
            print(f"note: the storage of {folder} has no locks ({error.strerror})", file=sys.stderr)
            return None
        if _is_still_there(path, descriptor):
            _write(descriptor, path, {"host": socket.gethostname(), "pid": os.getpid(), **about})
            return descriptor
        os.close(descriptor)  # its holder removed the file after we opened and before we locked it


def _write(descriptor: int, path: Path, holder: Mapping[str, str | int]) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; make room, or choose another folder."
        ) from error


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another folder.") from error
    found = os.fstat(descriptor)
    # A folder is untrusted input: the lock file must not be a hard link to one of the user's files.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise UserError(f"{path} is no lock file of semantic-rl; move it away.")
    return descriptor


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(descriptor, LONGEST_HOLDER, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _holder(descriptor: int) -> str:
    """Return the process that the file names, as text."""
    named = _read(descriptor)
    host, pid = named.get("host"), named.get("pid")
    if type(pid) is not int or not isinstance(host, str) or not host.isprintable():
        return "another process"
    return f"process {pid} on {host[:100]}"
