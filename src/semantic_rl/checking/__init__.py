"""Checks the integrity of a recording, a run, a checkpoint or an agent.

from semantic_rl.checking import check
found = check(Path("recordings/coinrun"))
found.is_right, found.parts
"""

from semantic_rl.checking.folders import check
from semantic_rl.checking.result import Checked, Part

__all__ = ["Checked", "Part", "check"]
