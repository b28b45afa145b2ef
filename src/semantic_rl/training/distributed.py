"""Several workers under torchrun: each has its own environments, gradients are averaged before they are clipped.

As the original under MPI. Without torchrun there is one worker and nothing is sent.
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
"""For a worker that has not come to where the others are. Longer than a rollout takes (the first worker plays held-out
levels besides); a host that vanished without a word is noticed after it, and torchrun starts the workers anew."""
LONGEST_TEXT = 200


class Workers:
    """The workers of this run as one of them sees them."""

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
        """Whether this worker writes the logs."""
        return self.rank == 0

    def average(self, tensor: Tensor) -> None:
        """Replace a tensor by its mean over the workers."""
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
        """Whether the flag is up at any worker."""
        return self.sums(float(flag))[0] > 0

    def share_weights(self, module: nn.Module) -> None:
        """Give every worker the first one's weights."""
        if self.size > 1:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, 0)

    def share_text(self, text: str) -> str:
        """Return the first worker's text, which has at most 200 bytes."""
        if self.size == 1:
            return text
        content = text.encode().ljust(LONGEST_TEXT, b"\0") if self.is_first else bytes(LONGEST_TEXT)
        tensor = torch.tensor(list(content), dtype=torch.uint8, device=self._device)
        dist.broadcast(tensor, 0)
        return bytes(tensor.tolist()).rstrip(b"\0").decode()

    def wait(self) -> None:
        """Wait until every worker is here."""
        if self.size > 1:
            self.sums(0.0)

    def all_succeed(self, error: Exception | None) -> None:
        """Let one worker's failure, mostly the first's, end the others too, instead of leaving them waiting."""
        if self.any(error is not None):
            raise error or UserError(f"worker {self.rank} stops because another worker failed; see its message.")

    def leave(self) -> None:
        """End the connection."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


def _connect(backend: str, size: int) -> None:
    """Meet the other workers.

    When torchrun's agents start workers anew, those of before have left their addresses in the agents' store, to which
    the new ones would connect in vain: so each start has names of its own in it. It has no number that is the same on
    all hosts (TORCHELASTIC_RESTART_COUNT is not: each agent counts the failures of its own workers).
    """
    rank = int(os.environ["RANK"])
    store: Store = next(iter(rendezvous("env://", timeout=LONGEST_WAIT)))[0]
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        store = PrefixStore(_agree_on_name(store, rank, size), store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=LONGEST_WAIT)


def _agree_on_name(store: Store, rank: int, size: int) -> str:
    """Return a new name that the first worker thinks of, and tells each of the others that says hello.

    What was said at an earlier start is answered too, but nobody reads it.
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
