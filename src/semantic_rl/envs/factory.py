"""Makes the environments that a config asks for, in groups that step by turns."""

from collections.abc import Sequence

import numpy as np

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import VectorEnv
from semantic_rl.envs.procgen import ProcgenVectorEnv


def make_env_groups(config: EnvConfig, seeds: Sequence[int], num_threads: int = 1) -> list[VectorEnv]:
    """Make `config.env_groups` groups of environments with `config.num_envs` in all.

    `seeds` are the entropy of numpy's SeedSequence, for example (run seed, worker): each group draws its own from
    them. `num_threads` are the threads on which one group steps behind its caller's back.
    """
    group_seeds = np.random.SeedSequence(list(seeds)).generate_state(config.env_groups) % 2**31
    size = config.num_envs // config.env_groups
    return [ProcgenVectorEnv(config, size, int(seed), num_threads) for seed in group_seeds]
