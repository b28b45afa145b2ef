"""Tells whether Triton kernels can run on a device; where they cannot, PyTorch's own operations are used instead."""

import os
import shutil
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch

LEAST_CAPABILITY = (8, 0)
"""Compute capability of the oldest GPUs that Triton supports; these are also the oldest that multiply in bf16."""


@cache
def can_start_kernels(device: torch.device) -> bool:
    """Say whether a device is a GPU that Triton supports, and whether Triton and its requirements are installed.

    Triton builds the code that starts its kernels with a C compiler and Python's headers.
    """
    if device.type != "cuda" or find_spec("triton") is None:
        return False
    has_compiler = any(shutil.which(name) for name in (os.environ.get("CC", "gcc"), "gcc", "clang"))
    has_headers = Path(sysconfig.get_path("include", "posix_prefix"), "Python.h").is_file()
    return has_compiler and has_headers and torch.cuda.get_device_capability(device) >= LEAST_CAPABILITY
