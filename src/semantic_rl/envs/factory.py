"""Makes the environments of a config, in groups that step alternately."""

import math
from collections.abc import Sequence

import numpy as np

from semantic_rl.config import EnvConfig
from semantic_rl.cores import num_cores
from semantic_rl.envs.base import VectorEnv
from semantic_rl.envs.procgen.vector_env import MakePictures, ProcgenVectorEnv

MAX_GROUPS_ON_GPU = 2
MAX_THREADS = 12
"""Threads that step one group of games. Two groups of 12 threads were fastest on a machine with 16 cores and a GPU."""


def make_env_groups(
    config: EnvConfig, seeds: Sequence[int], num_groups: int, make_pictures: MakePictures | None = None
) -> list[VectorEnv]:
    """Make `config.num_envs` environments in `num_groups` groups, which step in background threads.

    `seeds` are the entropy of NumPy's SeedSequence, for example (run seed, worker, purpose); each group draws its own
    seed from it. With `make_pictures`, observations are drawn in the memory that it returns.
    """
    group_seeds = np.random.SeedSequence(list(seeds)).generate_state(num_groups) % 2**31
    num_threads = threads_of_group(num_groups)
    size = config.num_envs // num_groups
    return [ProcgenVectorEnv(config, size, int(seed), num_threads, make_pictures=make_pictures) for seed in group_seeds]


def num_groups_on_gpu(num_envs: int) -> int:
    """Return into how many groups environments are divided when a GPU computes the network."""
    return math.gcd(num_envs, MAX_GROUPS_ON_GPU)


def threads_of_group(num_groups: int) -> int:
    """Return how many threads step one of several groups of games.

    Groups wait for the network at different times, so that the threads of all of them may be more than the cores.
    """
    num_threads = num_cores() if num_groups == 1 else num_cores() * 3 // (2 * num_groups)
    return max(1, min(num_threads, MAX_THREADS))
