"""Waits for a file that another host has written: network storage shows it with a delay."""

import os
import time
from pathlib import Path

SECONDS_UNTIL_SHARED = 60.0
"""Time after which NFS, with its default settings, shows a new file to hosts that have looked for it before."""
SECONDS_BETWEEN_LOOKS = 0.1


def comes_to_be_seen(file: Path, shared: Path | None = None) -> bool:
    """Wait for a file and say whether it appeared.

    `shared` is a folder that has existed for long: where it is missing, the storage is not merely slow but not shared,
    so that waiting is of no use.
    """
    deadline = time.monotonic() + SECONDS_UNTIL_SHARED
    while not os.path.isfile(file):
        if time.monotonic() > deadline or (shared is not None and not os.path.isdir(shared)):
            return False
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return True
