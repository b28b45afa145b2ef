"""Versions of the software that a result depends on, for config files and checkpoints."""

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from semantic_rl import __version__

_PACKAGES = ("procgen_gym", "gymnasium", "numpy", "safetensors")


def versions() -> dict[str, str]:
    """Return versions by package name; 'absent' for packages that are not installed."""
    found = {"semantic_rl": __version__, "python": platform.python_version(), "torch": torch.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found
