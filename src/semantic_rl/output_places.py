"""Checks the files and folders that a user names for output, before a command does any work.

No command overwrites a file that it could not have written itself, or writes into a recording, a run or an agent's
folder, except for its own places there.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from semantic_rl.artifacts import CARD_FILE, RECORDING_FILE, STATE_FILE
from semantic_rl.errors import UserError

BEGINNING = 4096
"""Number of bytes of an existing file that are read to decide whether it may be replaced."""
OWNERS = ((RECORDING_FILE, "a recording"), (STATE_FILE, "an agent or a checkpoint"), (CARD_FILE, "an agent"))
"""Files that mark a folder as a unit into which nothing else may be written."""


def check_output_file(
    path: Path,
    kind: str,
    is_ours: Callable[[bytes], bool],
    setting: str = "out",
    own: tuple[Path, ...] = (),
    most_bytes: int = BEGINNING,
) -> None:
    """Raise UserError unless a file can be written at `path`.

    `kind` says what is to be written, as in "a report of semantic-rl". `is_ours` is called with the first `most_bytes`
    of an existing file, and says whether it is of this kind and may be replaced. `own` are folders inside a recording
    that this command may write to. The message begins with the name of the `setting`.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = None
    except (OSError, ValueError) as error:  # a name that is too long, a cyclic link, an inaccessible folder
        raise _no_place(setting, path, error) from error
    if mode is not None:
        if stat.S_ISDIR(mode):
            raise UserError(f"{setting}: {path} is a folder; expected the name of a file to write.")
        if not stat.S_ISREG(mode):
            raise UserError(f"{setting}: {path} is no regular file (a pipe or a device); choose another place.")
        if not is_ours(_beginning(path, setting, most_bytes)):
            raise UserError(f"{setting}: {path} exists and is not {kind}; choose another place, or move it away.")
    _check_owners(path, path.parent, setting, own)
    _check_parent(path, setting)


def check_output_folder(path: Path, setting: str = "out", own: tuple[Path, ...] = ()) -> None:
    """Raise UserError unless files can be written into a folder at `path`, which need not exist yet.

    Whether existing files in it may be replaced is checked file by file; `own` as in `check_output_file`.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = None
    except (OSError, ValueError) as error:
        raise _no_place(setting, path, error) from error
    if mode is not None and not stat.S_ISDIR(mode):
        raise UserError(f"{setting}: {path} is a file; expected a folder to write into.")
    if mode is not None and not os.access(path, os.W_OK | os.X_OK):
        raise UserError(f"{setting}: cannot write to {path} (permission denied); choose another place.")
    _check_owners(path, path, setting, own)
    if mode is None:
        _check_parent(path, setting)


def _check_owners(path: Path, written: Path, setting: str, own: tuple[Path, ...]) -> None:
    """Raise UserError if the folder `written`, to which `path` leads, is or lies in a recording or an agent's.

    Inside the folders `own` it may.
    """
    try:
        real = written.resolve()
        if any(real.is_relative_to(folder.resolve()) for folder in own):
            return
        for folder in (real, *real.parents):
            for file, owner in OWNERS:
                if os.path.lexists(folder / file):
                    where = f"is {owner}" if written is path and folder == real else f"lies inside {owner} ({folder})"
                    raise UserError(f"{setting}: {path} {where}, whose files belong together; choose another place.")
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise _no_place(setting, path, error) from error


def exists(path: Path, setting: str = "out") -> bool:
    """Say whether `path` exists, even as a broken link; raises UserError if that cannot be determined."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise _no_place(setting, path, error) from error
    return True


def _beginning(path: Path, setting: str, most_bytes: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        raise UserError(
            f"{setting}: {path} exists and cannot be read ({error.strerror}); choose another place."
        ) from error


def _check_parent(path: Path, setting: str) -> None:
    """Raise UserError unless the folder of `path` can be written to or created."""
    try:
        absolute = Path(os.path.abspath(path))
        folder = next(folder for folder in absolute.parents if os.path.lexists(folder))
        if not folder.is_dir():
            raise UserError(f"{setting}: {folder} is no folder, so {path} cannot be in it; choose another place.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{setting}: cannot write to {folder} (permission denied); choose another place.")
        longest = os.pathconf(folder, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
        for part in (*absolute.relative_to(folder).parts,):
            if len(os.fsencode(part)) > longest:
                raise UserError(f"{setting}: the name '{part[:40]}…' is longer than {longest} bytes; shorten it.")
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise _no_place(setting, path, error) from error


def _no_place(setting: str, path: Path, error: Exception) -> UserError:
    shown = str(path)
    shown = shown if len(shown) <= 120 else shown[:119] + "…"
    reason = getattr(error, "strerror", None) or error
    return UserError(f"{setting}: cannot write to {shown!r} ({reason}); choose another place.")
