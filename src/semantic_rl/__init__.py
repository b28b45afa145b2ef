"""Deep reinforcement learning whose clusters of states one can see: PPO with a semantic clustering module."""

from typing import Any

__version__ = "0.1.0"


def explore(recording: Any, other: Any = None, height: int = 760, port: int = 0) -> Any:
    """Show a recording in a notebook, or two side by side: what `semantic-rl explore` shows, in a frame.

    `recording` and `other` are folders, or what `open_recording` returns. The result is drawn where it is the last
    value of a cell; its `stop()` ends the server behind it. Raises UserError if a recording cannot be opened.
    """
    from importlib import import_module  # importing the package itself must stay cheap

    return import_module("semantic_rl.explorer.notebook").explore(recording, other, height, port)
