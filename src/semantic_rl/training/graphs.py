"""Work on tensors that never move, replayed as a CUDA graph.

A minibatch is some five hundred kernels, a policy step a hundred, each of a few microseconds: launched one by one they
keep the host busier than the GPU. A graph launches them all at once. What it holds must be the same every time: the
same tensors, the same shapes, and nothing that asks the device for a value.
"""

from collections.abc import Callable

import torch

CALLS_BEFORE_CAPTURE = 3
"""Calls that run as they are: libraries choose their algorithms and take their memory there, which a graph cannot."""


class StaticWork:
    """Work without arguments or results, which reads and writes tensors that stay where they are.

    The first calls run it as it is; with `as_graph` the next one captures it, and from then on it is replayed. Captured
    work is not executed, so that every call does the work exactly once.
    """

    def __init__(self, work: Callable[[], None], as_graph: bool) -> None:
        self._work = work
        self._as_graph = as_graph
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    @property
    def is_captured(self) -> bool:
        """Whether calls replay a graph."""
        return self._graph is not None

    def __call__(self) -> None:
        """Do the work on the current stream, which must not be the default one where it is a graph."""
        if self._graph is None and self._as_graph and self._calls >= CALLS_BEFORE_CAPTURE:
            try:
                self._graph = _capture(self._work)
            except Exception as error:
                error.add_note("This could not become a CUDA graph; `--resume --no-cuda-graphs` goes on without them.")
                raise
        if self._graph is None:
            self._calls += 1
            self._work()
        else:
            self._graph.replay()


def _capture(work: Callable[[], None]) -> torch.cuda.CUDAGraph:
    graph = torch.cuda.CUDAGraph()
    # Other threads, such as the watchdog of NCCL, may call CUDA meanwhile.
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        work()
    return graph
