"""Tests of forbidden folders run as root too, whom nothing is forbidden: for a while they are nobody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def without_privileges() -> Iterator[None]:
    """While entered, this process may do what an ordinary user may; it changes nothing for one who is ordinary."""
    if os.geteuid():
        yield
        return
    group = os.getegid()
    os.setresgid(NOBODY, NOBODY, group)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(group, group, group)
