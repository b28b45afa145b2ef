"""Captures work on preallocated tensors as a CUDA graph and replays it.

A minibatch takes about five hundred kernels and a policy step about a hundred, each of a few microseconds: launched one
by one, they keep the host busier than the GPU. A graph launches all of them at once. Captured work must be identical
every time: the same tensors, the same shapes, and no synchronisation that reads a value from the device.
"""

from collections.abc import Callable
from enum import Enum

import torch

CALLS_BEFORE_CAPTURE = 3
"""Eager calls before the capture, in which libraries choose algorithms and allocate memory: a capture cannot."""


class Execution(Enum):
    """How a network acts and learns."""

    PLAIN = "plain"
    """Tensors are allocated as they are needed."""
    STATIC = "static"
    """Tensors are preallocated, and the weights have copies in the run's precision: for a GPU."""
    GRAPHS = "graphs"
    """As STATIC, and the work is captured as CUDA graphs."""


class StaticWork:
    """A function without arguments or results that reads and writes tensors at fixed addresses.

    The first calls run it eagerly; with `as_graph` the next call captures it, and from then on the graph is replayed.
    Capturing does not execute the work, so every call does the work exactly once.
    """

    def __init__(self, work: Callable[[], None], as_graph: bool) -> None:
        self._work = work
        self._as_graph = as_graph
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    @property
    def is_captured(self) -> bool:
        """Say whether calls replay a graph."""
        return self._graph is not None

    def __call__(self) -> None:
        """Do the work on the current stream, which must not be the default stream if the work is to be a graph."""
        if self._graph is None and self._as_graph and self._calls >= CALLS_BEFORE_CAPTURE:
            try:
                self._graph = _capture(self._work)
            except Exception as error:
                error.add_note(
                    "This could not become a CUDA graph; `--resume --no-cuda-graphs` continues without them."
                )
                raise
        if self._graph is None:
            self._calls += 1
            self._work()
        else:
            self._graph.replay()


def _capture(work: Callable[[], None]) -> torch.cuda.CUDAGraph:
    graph = torch.cuda.CUDAGraph()
    # Other threads, such as NCCL's watchdog, may call CUDA during the capture.
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        work()
    return graph
