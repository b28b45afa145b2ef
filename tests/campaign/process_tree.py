"""A process and all that it started: their processor time, and their end."""

import contextlib
import os
import signal
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class _Stat:
    """What /proc says of a process."""

    def __init__(self, pid: int) -> None:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        self.parent = int(fields[1])
        self.seconds = sum(map(int, fields[11:15])) / TICKS
        """In user and kernel mode, and those of the children that have ended."""


def tree_of(root: int) -> dict[int, float]:
    """Return the processes of a tree that are alive, the root first, and the processor time of each in seconds."""
    found: dict[int, _Stat] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):  # it has ended in the meantime
                found[int(path.name)] = _Stat(int(path.name))
    tree = {root} & set(found)
    while more := {pid for pid, stat in found.items() if stat.parent in tree} - tree:
        tree |= more
    return {pid: found[pid].seconds for pid in sorted(tree, key=lambda pid: pid != root)}


def kill_tree(root: int) -> None:
    """Kill a process and all that it started, those in groups of their own too."""
    for pid in tree_of(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
