"""Network, losses and gradients are those of docs/method.md, as `method_oracle` writes them in float64.

PyTorch computes in float32 here; differences are those of rounding.
"""

from collections.abc import Generator
from typing import NamedTuple

import method_oracle as oracle
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.batch import Batch
from semantic_rl.training.distributed import Workers
from semantic_rl.training.learner import Learner

SIZE = 4
STEP = 1e-8
"""Larger steps cross the kinks of relu and pooling."""


class Case(NamedTuple):
    """A network, a minibatch, and what our code makes of them."""

    learner: Learner
    weights: oracle.Weights
    observation: NDArray[np.uint8]
    output: oracle.Output
    """The oracle's."""
    minibatch: oracle.Minibatch
    batch: Batch


@pytest.fixture(scope="module")
def case() -> Generator[Case]:
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    policy = SemanticPolicy()
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (SIZE, 8, 8, 3), np.uint8)  # images that differ in what they show
    observation = np.clip(coarse.repeat(8, 1).repeat(8, 2) + generator.normal(0, 9, (SIZE, 64, 64, 3)), 0, 255).astype(
        np.uint8
    )
    with torch.no_grad():
        for name, parameter in policy.named_parameters():  # away from zero biases and from heads that say nothing
            parameter.add_(torch.randn(parameter.shape) * (0.05 if name.endswith("bias") else 0.01))
        embedding = policy(torch.from_numpy(observation)).embedding
        assert policy.semantic is not None
        policy.semantic.codebook[:SIZE] = embedding + 0.05  # so that states are of several clusters
    weights = {name: value.detach().double().numpy() for name, value in policy.named_parameters()}
    output = oracle.forward(weights, observation)
    log_probs = output.logits - np.log(np.exp(output.logits).sum(1, keepdims=True))
    action = generator.integers(0, 15, SIZE)
    minibatch = oracle.Minibatch(
        action,
        log_probs[np.arange(SIZE), action] + generator.normal(0, 0.3, SIZE),
        output.value + generator.normal(0, 0.3, SIZE),
        generator.normal(0, 1, SIZE),
        output.value + generator.normal(0, 0.5, SIZE),
    )
    floats = (torch.from_numpy(column.astype(np.float32)) for column in minibatch[1:])
    batch = Batch(torch.from_numpy(observation), torch.from_numpy(action), *floats)
    learner = Learner(policy, PPOConfig(), SemanticConfig(), "fp32", torch.Generator(), Workers())
    yield Case(learner, weights, observation, output, minibatch, batch)
    torch.set_num_threads(threads)


def exact_losses(case: Case, weights: oracle.Weights) -> oracle.Losses:
    output = oracle.forward(weights, case.observation)
    return oracle.losses(weights, output, case.weights, case.output, case.minibatch)


def test_the_case_is_one_that_can_fail(case: Case) -> None:
    """States of several clusters, ratios and values inside and outside of their clips."""
    assert len(set(case.output.code_index)) >= 3
    change = np.abs(case.output.value - case.minibatch.old_value)
    assert (change > 0.2).any()
    assert (change < 0.2).any()


@torch.no_grad()
def test_the_network_says_what_the_method_says(case: Case) -> None:
    found = case.learner.network(case.batch.observation)
    for name in ("features", "embedding", "policy_features", "logits", "value"):
        exact = getattr(case.output, name)
        np.testing.assert_allclose(getattr(found, name).numpy(), exact, rtol=1e-4, atol=2e-6, err_msg=name)
    assert found.code_index is not None
    np.testing.assert_array_equal(found.code_index.numpy(), case.output.code_index)


@torch.no_grad()
def test_the_losses_are_the_method_s(case: Case) -> None:
    found, counts = case.learner.losses(case.batch, oracle.LAMBDA)
    exact = exact_losses(case, case.weights)
    assert found.policy_loss.item() == pytest.approx(exact.policy_loss, rel=1e-5, abs=2e-6)
    assert found.value_loss.item() == pytest.approx(exact.value_loss, rel=1e-5)
    assert found.policy_entropy.item() == pytest.approx(exact.entropy, rel=1e-6)
    assert found.fdr_loss.item() == pytest.approx(exact.fdr_loss, rel=1e-6)
    assert found.vq_loss.item() == pytest.approx(exact.codebook_loss + 0.25 * exact.commitment_loss, rel=1e-5, abs=1e-7)
    assert found.loss.item() == pytest.approx(exact.loss, rel=1e-6)
    assert counts.tolist() == np.bincount(case.output.code_index, minlength=8).tolist()


@pytest.mark.slow
def test_the_gradient_is_that_of_differences(case: Case) -> None:
    """Along one random direction in each tensor of weights."""
    case.learner.find_gradient(case.batch, oracle.LAMBDA)
    generator = np.random.default_rng(1)
    for name, parameter in case.learner.policy.named_parameters():
        direction = generator.normal(0, 1, parameter.shape)
        there, back = (
            exact_losses(case, {**case.weights, name: case.weights[name] + step * direction}).loss
            for step in (STEP, -STEP)
        )
        assert parameter.grad is not None
        ours = float((parameter.grad.double().numpy() * direction).sum())
        scale = float(np.linalg.norm(parameter.grad.numpy()))
        assert ours == pytest.approx((there - back) / (2 * STEP), rel=1e-4, abs=1e-4 * scale), name
