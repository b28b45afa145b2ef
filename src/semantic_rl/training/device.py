"""Chooses the device and the precision of the network, and configures both."""

import contextlib
import ctypes
import sys
from collections.abc import Generator

import torch

from semantic_rl.errors import UserError

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_KEEP_UP_TO = 24 * 2**20
"""Bytes. Larger blocks, of which a minibatch has few, are returned to the system: kept, they would fragment memory."""
_NEVER_TRIM = 2**31 - 1


def choose_device(name: str) -> torch.device:
    """Resolve 'auto', 'cpu' or 'cuda' to a device; raises UserError if CUDA is requested but not available."""
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"device: got '{name}', expected auto, cpu or cuda.")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError(
            "device: 'cuda' was asked for, but PyTorch finds no CUDA device here; use --device cpu or auto."
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def choose_precision(name: str, device: torch.device) -> str:
    """Resolve 'auto', 'fp32' or 'bf16'; 'auto' becomes 'bf16' where the hardware multiplies it, else 'fp32'."""
    if name not in ("auto", "fp32", "bf16"):
        raise UserError(f"precision: got '{name}', expected auto, fp32 or bf16.")
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _cpu_multiplies_bf16() else "fp32"


def _cpu_multiplies_bf16() -> bool:
    """Say whether the CPU has AVX512-BF16 or AMX; PyTorch's names for this query differ between releases."""
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(check() for check in checks if check is not None)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context in which the policy runs.

    Casts of the weights are not cached: with the cache, the gradients of a minibatch's chunks would be summed in bf16.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a host tensor to the network's device; the copy to a GPU is asynchronous."""
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


@contextlib.contextmanager
def working_on(device: torch.device) -> Generator[None]:
    """Context in which a GPU uses a stream that supports graph capture, and cuDNN's fastest algorithms.

    cuDNN finds these by benchmarking; another process may find others, whose sums round differently. Does nothing on a
    CPU.
    """
    if device.type != "cuda":
        yield
        return
    # float32 must mean float32: TensorFloat-32 would round the factors of products to ten bits.
    with (
        torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False),
        torch.cuda.stream(torch.cuda.Stream(device)),
    ):
        yield


def keep_freed_memory() -> None:
    """Tell glibc's allocator to reuse blocks of up to 24 MiB instead of returning them to the system.

    A minibatch frees and reallocates over a gigabyte; without reuse, the pages are faulted in anew each time, which
    costs a CPU run a tenth of its speed. All threads share one pool, because by default each thread keeps the memory
    that it freed. Does nothing if the C library has no `mallopt`.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _KEEP_UP_TO)
            mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)
            mallopt(_M_ARENA_MAX, 1)
