"""Atomic writes: a file or a folder appears under its name complete and synced to disk, or not at all.

Everything is first written under a unique temporary name in the same folder. The name is random and the file is
created exclusively, so that no link is followed, no other file is overwritten, and two writers of the same file do not
collide. The writer holds a lock on it. Leftovers of a killed writer are recognised by their name and the missing lock,
and the next writer into that folder removes them.
"""

import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from semantic_rl.artifacts import TEMPORARY_SUFFIX
from semantic_rl.errors import UserError
from semantic_rl.file_lock import HAS_LOCKS, lock

PREFIX = ".semantic-rl-"
_NAME = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}" + re.escape(TEMPORARY_SUFFIX))
SECONDS_BEFORE_ABANDONED = 60.0
"""A temporary file that was changed more recently than this is left alone: its writer may be about to lock it."""


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Yield the path of an empty temporary file to write to; afterwards it is synced to disk and renamed to `path`.

    An existing file or symbolic link at `path` is replaced; the target of a link is not touched. If writing fails,
    `path` is left unchanged. Raises OSError.
    """
    remove_abandoned(path.parent)
    temporary = temporary_path(path.parent)
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        _lock(descriptor)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        yield temporary
        temporary.chmod(mode)  # some libraries replace the file with one that only its owner may read
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def whole_folder(path: Path) -> Generator[Path]:
    """Yield the path of an empty temporary folder to fill; afterwards it is synced to disk and renamed to `path`.

    `path` must not exist, or be an empty folder. If the filling fails, nothing is left. Raises OSError.
    """
    remove_abandoned(path.parent)
    temporary = temporary_path(path.parent)
    temporary.mkdir()
    try:
        with _locked_folder(temporary):
            yield temporary
            finish_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked_folder(folder: Path) -> Generator[None]:
    if not HAS_LOCKS:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def finish_folder(temporary: Path, path: Path) -> None:
    """Sync a folder and its content, give its files the folder's read permissions, and rename it to `path`."""
    readable = stat.S_IMODE(temporary.stat().st_mode) & 0o666
    for inner in sorted(temporary.rglob("*"), reverse=True):
        if inner.is_file():
            inner.chmod(readable)  # some libraries write files that only their owner may read
        sync(inner)
    sync(temporary)
    os.rename(temporary, path)
    sync(path.parent)


def temporary_path(folder: Path) -> Path:
    """Return an unpredictable path in `folder` for a temporary file or folder."""
    return folder / f"{PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def is_temporary(path: Path) -> bool:
    """Say whether a path has the name of a temporary file or folder of this module."""
    return _NAME.fullmatch(path.name) is not None


def make_own_folder(parent: Path, name: str) -> Path:
    """Create the folder `name` in `parent` unless it exists, and return it.

    Raises UserError if it is a symbolic link, through which files would be written elsewhere, or not a folder.
    """
    folder = parent / name
    check_own_folder(folder)
    folder.mkdir(exist_ok=True)
    return folder


def check_own_folder(folder: Path) -> None:
    """Raise UserError if `folder` exists and is a symbolic link or not a folder."""
    check_no_link(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder; move it away.")


def check_no_link(folder: Path) -> None:
    """Raise UserError if `folder`, which may be written into, is a symbolic link."""
    if folder.is_symlink():
        raise UserError(
            f"{folder} is a link: what is computed would be written where it leads. Remove it, or put a folder in its "
            "place."
        )


def sync(path: Path) -> None:
    """Wait until a file's content or a folder's entries are on disk (folders only if the system supports it)."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_abandoned(folder: Path, seconds: float = SECONDS_BEFORE_ABANDONED) -> None:
    """Remove the temporary files and folders of killed writers, but nothing that belongs to active writers.

    Anything changed within the last `seconds` is left alone; pass 0 if it is certain that nobody is writing there.
    """
    if not HAS_LOCKS:  # nothing would say whose writer is alive
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_abandoned(Path(entry.path), seconds)


def _remove_if_abandoned(path: Path, seconds: float) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return
        if time.time() - found.st_mtime < seconds:
            return
        lock(descriptor)
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    with suppress(OSError):  # storage that does not support locks
        lock(descriptor)
