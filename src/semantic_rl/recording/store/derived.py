"""The `derived/` folder of a recording: what was computed of it is kept there, so that it need not be computed again.

A recording may come from a stranger or lie on storage that is read-only. So nothing is written through a link, and
where nothing can be written, what was computed is used all the same.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.atomic_write import check_no_link, whole_file

_said: set[Path] = set()
"""Recordings of which it was said that nothing can be kept in them."""


def keep(recording: Path, name: str, write: Callable[[Path], object]) -> None:
    """Keep a file in a recording's derived folder, whole or not at all; `write` gets the path to write to.

    Where that cannot be done, a note on stderr says so, once for each recording. Raises UserError where the folder is a
    link.
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
                f"note: nothing can be kept in {folder} ({error.strerror or error}); what was "
                "computed will be computed again next time.",
                file=sys.stderr,
            )
