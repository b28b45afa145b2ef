"""Data-parallel training under torchrun: each worker has its own environments, gradients are averaged before clipping.

This is what the original does under MPI. Without torchrun there is one worker and no communication.
"""

import os
import time
from datetime import timedelta
from typing import Self
from uuid import uuid4

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import PrefixStore, Store, rendezvous  # pyright: ignore[reportPrivateImportUsage]

from semantic_rl.errors import UserError

LONGEST_WAIT = timedelta(minutes=10)
"""Timeout of collective operations. It is longer than a rollout takes (the first worker also plays held-out levels). A
host that disappears silently is noticed after this time, and torchrun then restarts the workers."""
LONGEST_TEXT = 200


class Workers:
    """The group of workers of this run, from the point of view of one of them."""

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.rank = rank
        self.size = size
        self._device = device or torch.device("cpu")

    @classmethod
    def join(cls, device: torch.device) -> Self:
        """Join the workers that torchrun announces in the environment (NCCL on CUDA, gloo on CPU)."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls(device=device)
        if not dist.is_initialized():
            _connect("nccl" if device.type == "cuda" else "gloo", size)
        return cls(dist.get_rank(), dist.get_world_size(), device)

    @property
    def is_first(self) -> bool:
        """Say whether this is the first worker, which writes the logs."""
        return self.rank == 0

    def average(self, tensor: Tensor) -> None:
        """Replace a tensor by its mean over the workers, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
            tensor.div_(self.size)

    def sums(self, *values: float) -> list[float]:
        """Return the sums of numbers over the workers."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self._device)
        dist.all_reduce(total)
        return total.tolist()

    def any(self, flag: bool) -> bool:
        """Say whether the flag is set on any worker."""
        return self.sums(float(flag))[0] > 0

    def share_weights(self, module: nn.Module) -> None:
        """Broadcast the first worker's weights to all workers."""
        if self.size > 1:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, 0)

    def share_text(self, text: str) -> str:
        """Broadcast a text of at most 200 bytes from the first worker, and return it."""
        if self.size == 1:
            return text
        content = text.encode().ljust(LONGEST_TEXT, b"\0") if self.is_first else bytes(LONGEST_TEXT)
        tensor = torch.tensor(list(content), dtype=torch.uint8, device=self._device)
        dist.broadcast(tensor, 0)
        return bytes(tensor.tolist()).rstrip(b"\0").decode()

    def wait(self) -> None:
        """Wait until all workers have reached this point."""
        if self.size > 1:
            self.sums(0.0)

    def all_succeed(self, error: Exception | None) -> None:
        """Make the failure of one worker (usually the first) end the others too, instead of leaving them waiting."""
        if self.any(error is not None):
            raise error or UserError(f"worker {self.rank} stops because another worker failed; see its message.")

    def leave(self) -> None:
        """Close the connection to the other workers."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


def _connect(backend: str, size: int) -> None:
    """Connect to the other workers.

    When torchrun's agents restart workers, the agents' store still holds the addresses of the previous workers, and
    connecting to these would fail. So each start uses a key prefix of its own. The prefix must be agreed on, since no
    restart counter is the same on all hosts (TORCHELASTIC_RESTART_COUNT counts the failures of one agent's workers).
    """
    rank = int(os.environ["RANK"])
    store: Store = next(iter(rendezvous("env://", timeout=LONGEST_WAIT)))[0]
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        store = PrefixStore(_agree_on_name(store, rank, size), store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=LONGEST_WAIT)


def _agree_on_name(store: Store, rank: int, size: int) -> str:
    """Return a new random name that the first worker chooses and sends to each of the others in answer to its hello.

    Hellos left over from an earlier start are answered too, but nobody reads these answers.
    """
    if rank:
        hello = uuid4().hex
        store.set(f"hello/{rank}", hello)
        name = store.get(f"answer/{hello}").decode()
        store.set(f"{name}/{rank}", "heard")
        return name
    name = uuid4().hex
    missing = set(range(1, size))
    deadline = time.monotonic() + LONGEST_WAIT.total_seconds()
    while missing:
        for other in missing:
            if store.check([f"hello/{other}"]):
                store.set(f"answer/{store.get(f'hello/{other}').decode()}", name)
        time.sleep(0.05)
        missing = {other for other in missing if not store.check([f"{name}/{other}"])}
        if time.monotonic() > deadline:
            raise UserError(f"workers {sorted(missing)} have not come within {LONGEST_WAIT}; see what they say.")
    return name


def local_device(device: torch.device) -> torch.device:
    """Return this worker's own device: the GPU of its local rank, or the CPU."""
    if device.type != "cuda":
        return device
    local = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(local)
    return local
