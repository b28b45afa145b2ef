"""Groups of environments share a config and differ in their seeds."""

import sys

import numpy as np
import pytest

from semantic_rl.config import EnvConfig
from semantic_rl.cores import num_cores
from semantic_rl.envs import factory
from semantic_rl.envs.factory import make_env_groups, num_groups_on_gpu, threads_of_group

if sys.version_info < (3, 13):
    pytest.skip("needs Python 3.13 for the games", allow_module_level=True)


def first_observations(seeds: tuple[int, ...], num_groups: int) -> list[np.ndarray]:
    groups = make_env_groups(EnvConfig("maze", num_envs=4), seeds, num_groups)
    try:
        return [group.observe().observation for group in groups]
    finally:
        for group in groups:
            group.close()


@pytest.mark.parametrize("num_groups", [1, 2, 4])
def test_groups_have_all_environments_between_them(num_groups: int) -> None:
    observations = first_observations((1, 0), num_groups)
    assert [len(observation) for observation in observations] == [4 // num_groups] * num_groups


def test_seeds_decide_and_every_group_worker_and_run_has_its_own() -> None:
    one, other = first_observations((1, 0), 2)
    np.testing.assert_array_equal(np.stack([one, other]), np.stack(first_observations((1, 0), 2)))
    for different in (other, *first_observations((1, 1), 2), *first_observations((2, 0), 2)):
        assert (one != different).any()


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= num_cores() <= 4096


def test_groups_on_a_gpu_divide_the_environments() -> None:
    assert [num_groups_on_gpu(num_envs) for num_envs in (64, 8, 6, 7, 1)] == [2, 2, 2, 1, 1]


@pytest.mark.parametrize(("cores", "threads"), [(1, [1, 1, 1]), (2, [2, 1, 1]), (16, [12, 12, 6]), (256, [12, 12, 12])])
def test_threads_of_groups_follow_from_the_cores(
    cores: int, threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "num_cores", lambda: cores)
    assert [threads_of_group(num_groups) for num_groups in (1, 2, 4)] == threads
