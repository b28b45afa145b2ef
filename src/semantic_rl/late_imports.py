"""Imports modules where they are first needed, in one thread at a time.

Threads that import modules of scikit-learn and SciPy at the same time can wait for each other for ever (seen with
CPython 3.13.0). So whatever several threads may import late, because it takes seconds, is imported through here first.
"""

import threading
from importlib import import_module

_importing = threading.RLock()


def import_alone(*names: str) -> None:
    """Import modules while no other thread imports through this function."""
    with _importing:
        for name in names:
            import_module(name)
