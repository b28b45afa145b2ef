"""The kernel of a policy step chooses, and stores, what PyTorch's own operations do.

Where there is no GPU, Triton interprets its kernels, if it was told so before it was imported. So this file runs itself
as a program then, and no other test notices.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from devices import DEVICES
from torch import Tensor, nn

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import SemanticPolicy, choose_actions
from semantic_rl.training.actors import RolloutBuffer, StaticActing
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution
from semantic_rl.training.learner import Learner

SIZES, CODES = (1, 5, 16, 32), (0, 5, 8)
NUM_STEPS, SHAPE = 3, (64, 64, 3)
ALL = "everything"
UNTOUCHED = -7


class Features(nn.Module):
    """A trunk that gives the same features whatever it sees."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.features = features

    def forward(self, observation: Tensor) -> Tensor:
        return self.features


class Difference(NamedTuple):
    """How the kernel's results differ from PyTorch's."""

    num_other_actions: int
    log_prob: float
    value: float
    num_clusters: int
    """Of the states that were compared."""
    others_untouched: bool
    """Whether all of the buffer but the row and the columns of this step is as it was."""


def make_policy(num_codes: int, num_actions: int) -> SemanticPolicy:
    policy = SemanticPolicy(num_actions, num_codes)
    nn.init.orthogonal_(policy.policy_head.weight, 1.0)
    for name, parameter in policy.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    if policy.semantic is not None:
        # Codes among the states, so that these differ in their clusters.
        policy.semantic.codebook.data = policy.semantic(torch.rand(num_codes, NUM_FEATURES)).embedding.detach()
    return policy


@torch.no_grad()
def compare_kernel(device: str, size: int, num_codes: int, num_actions: int, dtype: torch.dtype) -> Difference:
    """Act for some columns of a buffer with the kernel, and compare with `choose_actions`."""
    from semantic_rl.training.act_kernel import Columns, act

    torch.manual_seed(size + 100 * num_codes)
    features = torch.rand(size, NUM_FEATURES).to(device, dtype)
    policy = make_policy(num_codes, num_actions).to(device)
    uniform = torch.rand(NUM_STEPS, size, num_actions)
    uniform[1, 0, 0] = 0  # whose logarithm is clamped
    uniform = uniform.to(device)
    step = torch.ones(1, dtype=torch.int64, device=device)
    actions = torch.full((size,), UNTOUCHED, device=device)
    buffer = RolloutBuffer(NUM_STEPS, size + 4, SHAPE, torch.device(device))
    columns = Columns(buffer.action, buffer.log_prob, buffer.value)
    for column in columns:
        column.fill_(UNTOUCHED)
    act(policy, features, uniform, step, actions, Columns(*(column[:, 3 : size + 3] for column in columns)))
    alone = torch.full_like(actions, UNTOUCHED)
    act(policy, features, uniform, step, alone, None)
    assert torch.equal(actions, alone)

    policy.trunk = Features(features)
    output = policy(torch.zeros(size, *SHAPE, dtype=torch.uint8, device=device))
    expected, log_prob = choose_actions(output.logits, uniform[1])
    rows = [column[1, 3 : size + 3].clone() for column in columns]
    assert torch.equal(actions, rows[0])
    for column in columns:
        column[1, 3 : size + 3] = UNTOUCHED
    return Difference(
        int((actions != expected).sum()),
        float((rows[1] - log_prob).abs().max()),
        float((rows[2] - output.value).abs().max()),
        0 if output.code_index is None else len(output.code_index.unique()),
        all(bool((column == UNTOUCHED).all()) for column in columns),
    )


@torch.no_grad()
def compare_acting(device: str, as_graphs: bool) -> list[float]:
    """Act for some steps with the kernel and without it; return the differences of all that the buffers hold."""
    torch.manual_seed(1)
    learner = Learner(
        make_policy(8, 15).to(device),
        PPOConfig(),
        SemanticConfig(),
        "fp32",
        torch.Generator(),
        Workers(),
        execution=Execution.STATIC,
    )
    num_steps, size = 6, 4
    observation = torch.randint(256, (num_steps, size, *SHAPE), dtype=torch.uint8).numpy()
    uniform = torch.rand(num_steps, size, 15)
    buffers = [RolloutBuffer(num_steps, size + 2, SHAPE, torch.device(device)) for _ in range(2)]
    for buffer, in_one_kernel in zip(buffers, (True, False), strict=True):
        for column in vars(buffer).values():
            column.zero_()
        shapes = (num_steps, size, 15), SHAPE
        network = learner.network if in_one_kernel else (lambda images: learner.network(images))
        acting = StaticActing(network, slice(1, size + 1), buffer, *shapes, torch.device(device), as_graphs)
        if device == "cpu" and in_one_kernel:
            acting._choose = acting._choose_in_one_kernel
        assert (acting._choose == acting._choose_in_one_kernel) == in_one_kernel
        acting.begin(uniform)
        for images in observation:
            acting.submit(images)
            acting.actions()
        acting.end()
    left, right = (vars(buffer).values() for buffer in buffers)
    return [float((ours.float() - theirs.float()).abs().max()) for ours, theirs in zip(left, right, strict=True)]


def compare_all(device: str, as_graphs: bool) -> dict[str, list[float]]:
    """Return the differences of all cases by name."""
    found = {}
    for num_codes in CODES:
        for size in SIZES:
            dtype = torch.float32 if size == 5 else torch.bfloat16
            found[f"{num_codes} {size}"] = list(compare_kernel(device, size, num_codes, 15, dtype))
    for num_actions in (1, 16, 31, 32):
        found[f"{num_actions} actions"] = list(compare_kernel(device, 3, 1, num_actions, torch.bfloat16))
    found[ALL] = compare_acting(device, as_graphs)
    return found


@pytest.fixture(scope="module", params=DEVICES)
def found(request: pytest.FixtureRequest) -> dict[str, list[float]]:
    if request.param == "cuda":
        return compare_all("cuda", as_graphs=True)
    if find_spec("triton") is None:
        pytest.skip("no CUDA device, for which PyTorch would bring Triton")
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, Path(__file__)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_same(difference: Difference) -> None:
    assert difference.num_other_actions == 0
    assert difference.log_prob < 1e-5
    assert difference.value < 1e-5
    assert difference.others_untouched


@pytest.mark.parametrize("num_codes", CODES)
@pytest.mark.parametrize("size", SIZES)
def test_the_kernel_chooses_and_stores_what_pytorch_does(found: dict[str, list[float]], size: int, num_codes: int):
    difference = Difference(*found[f"{num_codes} {size}"])
    assert_same(difference)
    assert difference.num_clusters >= min(num_codes, size // 8), "the states should differ in their clusters"


@pytest.mark.parametrize("num_actions", [1, 16, 31, 32])
def test_the_kernel_takes_any_number_of_actions_up_to_32(found: dict[str, list[float]], num_actions: int):
    assert_same(Difference(*found[f"{num_actions} actions"]))


def test_acting_with_the_kernel_fills_the_buffer_as_without_it(found: dict[str, list[float]]):
    observation, action, log_prob, value = found[ALL]
    assert observation == action == 0
    assert log_prob < 1e-4
    assert value < 1e-4


if __name__ == "__main__":
    print(json.dumps(compare_all("cpu", as_graphs=False)))
