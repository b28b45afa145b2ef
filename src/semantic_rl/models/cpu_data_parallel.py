"""A network's images divided among threads, each of which takes its share forward and, later, backward, alone.

PyTorch divides each operation among the threads, and after each of the thousands that a minibatch needs, all wait for
the slowest. Here they wait twice. Gradients of the shares are added up in their order, so that they are the same each
time for as many threads.

PyTorch's threads also spin while they wait. Where another program needs their core, one that has its work done keeps
from it one that has not, for as long as the system lets it: 4 ms an operation on Linux, half a second a step of the
policy. Threads that wait for their share sleep.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

MIN_SHARE = 16
"""Images for which a thread of its own pays, forward and backward."""
MIN_SHARE_FORWARD = 8
"""Images for which it pays without a gradient."""


@cache
def _pool(num_threads: int) -> ThreadPoolExecutor:
    """Return threads whose operations do not divide themselves further."""
    all_set, number_here = Barrier(num_threads), torch.get_num_threads()

    def set_up() -> None:
        torch.get_num_threads()  # else PyTorch would take the common number on the thread's first operation
        torch.set_num_threads(1)
        all_set.wait()

    pool = ThreadPoolExecutor(num_threads, thread_name_prefix="network")
    for done in [pool.submit(set_up) for _ in range(num_threads)]:
        done.result()
    torch.set_num_threads(number_here)  # PyTorch gives the number that was set last to threads that begin later
    return pool


def _in_the_callers_precision[Result](
    network: Callable[[Tensor], Result], with_gradient: bool
) -> Callable[[Tensor], Result]:
    """Return the network as other threads must call it, which do not know in what precision it was asked for."""
    dtype, enabled = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")
    cache_enabled = torch.is_autocast_cache_enabled()

    def run(images: Tensor) -> Result:
        with torch.set_grad_enabled(with_gradient), torch.autocast("cpu", dtype, enabled, cache_enabled):
            return network(images)

    return run


class _InShares(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, network: Callable[[Tensor], Tensor], images: Tensor, num_shares: int, *parameters: Tensor
    ) -> Tensor:
        ctx.pool = _pool(torch.get_num_threads())
        go_forward = _in_the_callers_precision(network, with_gradient=True)
        ctx.results = list(ctx.pool.map(go_forward, images.tensor_split(num_shares)))
        ctx.parameters = parameters
        return torch.cat([result.detach() for result in ctx.results])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        results: list[Tensor] | None = ctx.results
        if results is None:
            raise RuntimeError("images divided among threads can be passed backward only once")
        wanted = [parameter for parameter in ctx.parameters if parameter.requires_grad]

        def go_backward(result: Tensor, gradient: Tensor) -> tuple[Tensor, ...]:
            # A sum has the gradient 1, which PyTorch supplies; to compare the shape of one given it imports SymPy,
            # which takes seconds and 60 MB.
            with torch.enable_grad():
                total = (result * gradient).sum()
            return torch.autograd.grad(total, wanted)

        sizes = [len(result) for result in results]
        ctx.results = None  # each share's activations go as soon as its thread is through with them
        gradients = ctx.pool.map(go_backward, results, grad_outputs[0].split(sizes))
        results.clear()
        total, *others = gradients
        for gradient in others:
            for sum_so_far, addend in zip(total, gradient, strict=True):
                sum_so_far.add_(addend)
        found = iter(total)
        return None, None, None, *(next(found) if parameter.requires_grad else None for parameter in ctx.parameters)


def in_shares(network: torch.nn.Module, images: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute run(images), where `run` maps images [B, …] to [B, D] by `network`, on PyTorch's number of threads.

    Each thread gets an equal share of the images, one that is worth while; without a gradient, on a GPU and for few
    images all of them pass at once, here. Differentiable once, with respect to the network's parameters.
    """
    num_shares = min(torch.get_num_threads(), len(images) // MIN_SHARE)
    parameters = list(network.parameters())
    wants_gradient = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in parameters)
    if num_shares < 2 or images.device.type != "cpu" or not wants_gradient:
        return run(images)
    result: Tensor = _InShares.apply(run, images, num_shares, *parameters)  # pyright: ignore[reportAssignmentType]
    return result


def map_shares[Result](run: Callable[[Tensor], Result], images: Tensor) -> list[Result]:
    """Return what `run` makes, without a gradient, of the shares of images [B, …], in their order.

    PyTorch's number of threads share them out. Even where one thread takes all, that is one whose operations are not
    divided. On a GPU, or with one thread, the one share is computed here.
    """
    num_threads = torch.get_num_threads()
    if num_threads < 2 or images.device.type != "cpu":
        with torch.no_grad():
            return [run(images)]
    shares = images.tensor_split(max(1, min(num_threads, len(images) // MIN_SHARE_FORWARD)))
    return list(_pool(num_threads).map(_in_the_callers_precision(run, with_gradient=False), shares))
