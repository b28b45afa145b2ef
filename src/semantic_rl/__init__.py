"""Deep reinforcement learning with visible clusters of states: PPO with a semantic clustering module."""

from typing import Any

__version__ = "0.1.0"


def explore(recording: Any, other: Any = None, height: int = 760, port: int = 0) -> Any:
    """Show the explorer of one recording, or of two side by side, in a notebook, as `semantic-rl explore` does.

    `recording` and `other` are folders, or results of `open_recording`. The result is displayed if it is the last value
    of a cell; its `stop()` ends the server behind it. Raises UserError if a recording cannot be opened.
    """
    from importlib import import_module  # imported here so that importing the package stays cheap

    return import_module("semantic_rl.explorer.notebook").explore(recording, other, height, port)
