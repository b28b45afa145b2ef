"""Files that appear whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from semantic_rl.artifacts import TEMPORARY_SUFFIX


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Give a temporary name to write to; afterwards the file is synced to disk and moved to `path`.

    If the writing fails, `path` is left as it was.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
