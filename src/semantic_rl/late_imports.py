"""Imports modules where they are first needed, in one thread at a time.

Threads that import modules of scikit-learn and SciPy at the same time can deadlock (seen with CPython 3.13.0).
Therefore modules that several threads may import late, because importing them takes seconds, are imported through here
first.
"""

import threading
from importlib import import_module

_importing = threading.RLock()


def import_alone(*names: str) -> None:
    """Import modules while no other thread imports through this function."""
    with _importing:
        for name in names:
            import_module(name)
