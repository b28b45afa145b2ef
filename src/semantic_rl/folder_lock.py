"""One writer a folder: a run or a recording is written by one process at a time, and a second is told by which.

The lock is the kernel's, on a small file in the folder that names the process; it ends with the process, however that
ends. The file is removed when the work is done. What a killed process leaves of it means nothing.
"""

import json
import os
import socket
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from semantic_rl.atomic_write import is_temporary
from semantic_rl.errors import UserError

try:
    import fcntl
except ImportError:  # not POSIX: two processes in one folder are not noticed there
    fcntl = None

LOCK_FILE = ".semantic-rl-lock"
LONGEST_HOLDER = 1000
"""Bytes of the file that are read."""


@contextmanager
def hold_folder(folder: Path) -> Generator[None]:
    """Hold a folder, which must exist, so that no other process writes there meanwhile.

    Raises UserError that names the process which holds it, and where the file cannot be made. Storage that has no locks
    is used without; a note on stderr says so.
    """
    descriptor = _locked(folder / LOCK_FILE, folder)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                (folder / LOCK_FILE).unlink()
            os.close(descriptor)


def is_unused(folder: Path) -> bool:
    """Say whether there is nothing in a folder but what killed processes left of locks and temporary files."""
    return all(path.name == LOCK_FILE or is_temporary(path) for path in folder.iterdir())


def _locked(path: Path, folder: Path) -> int | None:
    """Return a descriptor of the file, which holds the lock; None where there are no locks."""
    if fcntl is None:
        return None
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise UserError(
                f"{folder} is being written by {holder}; wait for it or end it, then give the same command again."
            ) from None
        except OSError as error:
            os.close(descriptor)
            print(f"note: the storage of {folder} has no locks ({error.strerror})", file=sys.stderr)
            return None
        if _is_still_there(path, descriptor):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode(), 0)
            return descriptor
        os.close(descriptor)  # its holder removed it between our opening and locking it


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another folder.") from error
    found = os.fstat(descriptor)
    # A folder may come from a stranger: the file must be no other name of one of the user's.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise UserError(f"{path} is no lock file of semantic-rl; move it away.")
    return descriptor


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    """Return the process that the file names, in words."""
    try:
        found = json.loads(os.pread(descriptor, LONGEST_HOLDER, 0))
    except (OSError, ValueError, RecursionError):
        found = None
    named: dict[str, Any] = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    host, pid = named.get("host"), named.get("pid")
    if type(pid) is not int or not isinstance(host, str) or not host.isprintable():
        return "another process"
    return f"process {pid} on {host[:100]}"
