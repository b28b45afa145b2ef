"""Finds an environment in Gymnasium's registry by its id, and says what is wrong with an unknown id."""

import os
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from semantic_rl.errors import UserError, nearest

EXAMPLE = "the id of a Gymnasium environment, such as LunarLander-v3, or file.py:make_env"


class Family(NamedTuple):
    """A package that registers environments when it is imported."""

    package: str
    extra: str
    ids: re.Pattern[str]
    """Matches ids that can only be environments of this package."""


FAMILIES = (
    Family("ale_py", "atari", re.compile(r"ALE/|\w+(NoFrameskip|Deterministic|-ram[\w]*)-v\d")),
    Family("minigrid", "minigrid", re.compile("MiniGrid-|BabyAI-")),
)

INSTALLED_BY = {
    "gymnasium.envs.box2d": "semantic-rl[box2d]",
    "gymnasium.envs.mujoco": "semantic-rl[mujoco]",
    "gymnasium.envs.classic_control": "gymnasium[classic-control]",
    "gymnasium.envs.toy_text": "gymnasium[toy-text]",
    "ale_py": "semantic-rl[atari]",
    "minigrid": "semantic-rl[minigrid]",
}
"""Beginning of the module that an environment is in, and what installs all that it needs."""


def find_id(text: str) -> str:
    """Return the id under which Gymnasium makes what a user names: NAME-vN, NAMESPACE/NAME-vN or module:NAME-vN.

    Imports the package that registers it. Raises UserError if there is no such environment, naming the version that
    there is or the nearest name, or if its package is not installed.
    """
    import gymnasium

    _quietly_without_display()
    module, colon, name = text.rpartition(":")
    if colon:
        _import_registering(text, module)
    for family in FAMILIES:
        if family.ids.match(name):
            _import_family(text, family)
    if name not in gymnasium.registry:
        for family in FAMILIES:
            if find_spec(family.package) is not None:
                _import_family(text, family)
    if name in gymnasium.registry:
        return name
    raise UserError(_unknown(text, name, list(gymnasium.registry)))


def missing_package(entry_point: Any, error: Exception) -> str:
    """Return what to say where an environment needs a package that is not installed."""
    module = entry_point if isinstance(entry_point, str) else getattr(entry_point, "__module__", "")
    wanted = next((name for start, name in INSTALLED_BY.items() if module.startswith(start)), None)
    if wanted is None:
        return f"a package that it needs is not installed: {error}"
    return f"a package that it needs is not installed: pip install '{wanted}'"


def _quietly_without_display() -> None:
    """Choose off-screen rendering where there is no display, before graphics are loaded, unless the user has chosen."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "hide")
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("MUJOCO_GL", "egl")


def newest_version(name: str) -> str | None:
    """Return the id of the newest version of an environment that is registered; None if there is none."""
    import gymnasium

    base = name.rpartition("-v")[0] or name
    versions = [other for other in gymnasium.registry if other.rpartition("-v")[0] == base]
    return max(versions, key=lambda other: int(other.rpartition("-v")[2]), default=None)


def _import_registering(text: str, module: str) -> None:
    try:
        import_module(module)
    except (ImportError, ValueError) as error:
        raise UserError(f"env: got '{text}', whose module '{module}' cannot be imported: {error}.") from error


def _import_family(text: str, family: Family) -> None:
    try:
        module = import_module(family.package)
    except ImportError as error:
        raise UserError(
            f"env: '{text}' needs the package {family.package}, which is not installed: "
            f"pip install 'semantic-rl[{family.extra}]'."
        ) from error
    if family.package == "ale_py":
        module.ALEInterface.setLoggerMode(module.LoggerMode.Error)  # its banner


def _unknown(text: str, name: str, known: list[str]) -> str:
    import gymnasium

    newest = newest_version(name)
    if newest is not None:
        return f"env: got '{text}', which Gymnasium {gymnasium.__version__} does not have; expected '{newest}'."
    ours = [other for other in known if not other.startswith(("phys2d/", "tabular/", "GymV"))]
    return f"env: got '{text}', expected {EXAMPLE}.{nearest(name, ours)}"
