"""The `derived/` folder of a recording, a cache of results that were computed from it.

A recording is untrusted input and may be on read-only storage. So nothing is written through a symbolic link, and if
nothing can be written, the result is used without being cached.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.atomic_write import check_no_link, whole_file

_said: set[Path] = set()
"""Recordings for which a note has said that nothing can be cached in them."""


def keep(recording: Path, name: str, write: Callable[[Path], object]) -> None:
    """Write a file atomically into a recording's derived folder; `write` gets the path to write to.

    If that fails, a note on stderr says so, once per recording. Raises UserError if the folder is a symbolic link.
    """
    folder = recording / DERIVED_FOLDER
    check_no_link(folder)
    try:
        folder.mkdir(exist_ok=True)
        with whole_file(folder / name) as temporary:
            write(temporary)
    except OSError as error:
        if recording not in _said:
            _said.add(recording)
            print(
                f"note: nothing can be cached in {folder} ({error.strerror or error}); what was "
                "computed will be computed again next time.",
                file=sys.stderr,
            )
