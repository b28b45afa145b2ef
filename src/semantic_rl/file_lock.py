"""Kernel locks on open files and folders, on systems that have them (POSIX); elsewhere nothing is ever locked.

A lock ends when its descriptor is closed, at the latest when the process ends.
"""

try:
    import fcntl
except ImportError:
    fcntl = None

HAS_LOCKS = fcntl is not None
"""Whether the system has locks. Where it has none, a folder cannot be opened to be locked either."""


def lock(descriptor: int, waits: bool = False) -> None:
    """Lock what `descriptor` has open, for this process alone.

    Raises BlockingIOError if another process has locked it, unless `waits`; raises OSError if the storage does not
    support locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
