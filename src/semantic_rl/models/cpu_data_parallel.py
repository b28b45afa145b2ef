"""Data parallelism on a CPU: each thread runs the whole network on a share of the observations.

PyTorch parallelises each operation instead, and after each of the thousands of operations of a minibatch all threads
wait for the slowest one. Here they wait twice: after the forward and after the backward pass. The gradients of the
shares are added in a fixed order, so that the result is deterministic for a given number of threads.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from semantic_rl.torch_threads import thread_pool

MIN_SHARE = 16
"""Smallest number of observations for which a thread of its own pays off, forward and backward."""
MIN_SHARE_FORWARD = 8
"""The same without a gradient."""


def _in_the_callers_precision[Result](
    network: Callable[[Tensor], Result], with_gradient: bool
) -> Callable[[Tensor], Result]:
    """Wrap the network so that other threads run it under the caller's autocast precision, which is thread-local."""
    dtype, enabled = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")
    cache_enabled = torch.is_autocast_cache_enabled()

    def run(observations: Tensor) -> Result:
        with torch.set_grad_enabled(with_gradient), torch.autocast("cpu", dtype, enabled, cache_enabled):
            return network(observations)

    return run


class _InShares(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, network: Callable[[Tensor], Tensor], observations: Tensor, num_shares: int, *parameters: Tensor
    ) -> Tensor:
        ctx.pool = thread_pool(torch.get_num_threads())
        go_forward = _in_the_callers_precision(network, with_gradient=True)
        ctx.results = list(ctx.pool.map(go_forward, observations.tensor_split(num_shares)))
        ctx.parameters = parameters
        return torch.cat([result.detach() for result in ctx.results])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        results: list[Tensor] | None = ctx.results
        if results is None:
            raise RuntimeError("observations divided among threads can be passed backward only once")
        wanted = [parameter for parameter in ctx.parameters if parameter.requires_grad]

        def go_backward(result: Tensor, gradient: Tensor) -> tuple[Tensor, ...]:
            # The gradient of a sum is 1, which PyTorch supplies. Passing a gradient explicitly would make PyTorch
            # import SymPy to compare shapes, which takes seconds and 60 MB.
            with torch.enable_grad():
                total = (result * gradient).sum()
            return torch.autograd.grad(total, wanted)

        sizes = [len(result) for result in results]
        ctx.results = None  # each share's activations are freed as soon as its thread has finished with them
        gradients = ctx.pool.map(go_backward, results, grad_outputs[0].split(sizes))
        results.clear()
        total, *others = gradients
        for gradient in others:
            for sum_so_far, addend in zip(total, gradient, strict=True):
                sum_so_far.add_(addend)
        found = iter(total)
        return None, None, None, *(next(found) if parameter.requires_grad else None for parameter in ctx.parameters)


def in_shares(network: torch.nn.Module, observations: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute run(observations), where `run` maps [B, …] to [B, D] by `network`, on PyTorch's number of threads.

    The threads get equal shares of the observations, large enough to pay off. Without a gradient, on a GPU and for few
    observations, everything runs at once in the calling thread. Differentiable once, with respect to the network's
    parameters.
    """
    num_shares = min(torch.get_num_threads(), len(observations) // MIN_SHARE)
    parameters = list(network.parameters())
    wants_gradient = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in parameters)
    if num_shares < 2 or observations.device.type != "cpu" or not wants_gradient:
        return run(observations)
    result: Tensor = _InShares.apply(run, observations, num_shares, *parameters)  # pyright: ignore[reportAssignmentType]
    return result


def map_shares[Result](run: Callable[[Tensor], Result], observations: Tensor) -> list[Result]:
    """Split observations [B, …] into shares and return the result of `run` for each, in order, without gradients.

    The shares go to as many threads as PyTorch uses. Even a single share runs in a thread that does not divide its
    operations further. On a GPU, or with one thread, everything is computed in the calling thread.
    """
    num_threads = torch.get_num_threads()
    if num_threads < 2 or observations.device.type != "cpu":
        with torch.no_grad():
            return [run(observations)]
    shares = observations.tensor_split(max(1, min(num_threads, len(observations) // MIN_SHARE_FORWARD)))
    return list(thread_pool(num_threads).map(_in_the_callers_precision(run, with_gradient=False), shares))
