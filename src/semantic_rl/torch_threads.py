"""Threads that each run PyTorch's operations on one core, for work that is divided as a whole.

PyTorch parallelises each operation instead, and after each one all its threads wait for the slowest. They also spin
while they wait. If another program uses the same cores, a thread that spins keeps one that still has work off its core
until the scheduler intervenes: 4 ms per operation on Linux, half a second per policy step. The threads here sleep while
they wait.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import torch


@cache
def thread_pool(num_threads: int) -> ThreadPoolExecutor:
    """Return a pool of threads in which PyTorch runs every operation on a single thread."""
    all_set, number_here = Barrier(num_threads), torch.get_num_threads()

    def set_up() -> None:
        torch.get_num_threads()  # otherwise PyTorch would take the global number at the thread's first operation
        torch.set_num_threads(1)
        all_set.wait()

    pool = ThreadPoolExecutor(num_threads, thread_name_prefix="network")
    for done in [pool.submit(set_up) for _ in range(num_threads)]:
        done.result()
    torch.set_num_threads(number_here)  # threads that start later inherit the number set last
    return pool
