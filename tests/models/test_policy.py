"""The policy joins trunk, module and heads as the paper has it: shapes, init, and where no gradient flows."""

import numpy as np
import pytest
import torch
from torch import Tensor

from semantic_rl.models.policy import PolicyOutput, SemanticPolicy, log_probs, sample_actions

B, K = 6, 8


def images(count: int = B, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8))


def make_policy(num_codes: int = K, trunk_chunk: int = 0, spread: bool = True) -> SemanticPolicy:
    """A policy whose codes lie among the embeddings (as they do after training), so that several are in use."""
    torch.manual_seed(0)
    policy = SemanticPolicy(num_codes=num_codes, trunk_chunk=trunk_chunk)
    if policy.semantic is not None and spread:
        with torch.no_grad():
            embedding = policy.semantic(policy.features(images(num_codes, seed=1))).embedding
            policy.semantic.codebook.copy_(embedding)
    return policy


def test_shapes_and_types() -> None:
    output = make_policy()(images())
    assert output.logits.shape == (B, 15)
    assert output.value.shape == (B,)
    assert output.features.shape == output.policy_features.shape == (B, 256)
    assert output.embedding is not None
    assert output.code_index is not None
    assert output.code_vector is not None
    assert output.embedding.shape == output.code_vector.shape == (B, 2)
    assert output.code_index.shape == (B,)
    assert output.code_index.dtype == torch.int64
    assert all(tensor.dtype == torch.float32 for tensor in output if tensor is not output.code_index)


def test_everything_but_the_trunk_is_float32_under_autocast() -> None:
    policy = make_policy()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        output = policy(images())
    assert all(tensor.dtype == torch.float32 for tensor in output if tensor is not output.code_index)
    assert policy.semantic is not None
    again = policy.semantic(output.features)
    assert torch.equal(again.embedding, output.embedding)


def test_plain_ppo_has_neither_head_nor_codebook() -> None:
    policy = make_policy(num_codes=0)
    output = policy(images())
    assert output[-3:] == (None, None, None)
    assert torch.equal(output.policy_features, output.features)
    assert not any("semantic" in name for name in policy.state_dict())


@pytest.mark.parametrize("num_codes", [1, 5, 8])
def test_policy_features_are_the_features_and_the_code_index_over_k(num_codes: int) -> None:
    policy = make_policy(num_codes)
    output = policy(images(16))
    assert policy.semantic is not None
    embedding, codebook = output.embedding.detach().double().numpy(), policy.semantic.codebook.detach().double().numpy()
    for state in range(16):
        distances = [sum((embedding[state] - codebook[code]) ** 2) for code in range(num_codes)]
        nearest = int(np.argmin(distances))
        assert int(output.code_index[state]) == nearest
        assert torch.equal(output.code_vector[state], policy.semantic.codebook[nearest])
        expected = output.features[state] + nearest / num_codes
        torch.testing.assert_close(output.policy_features[state], expected)
    assert len(set(output.code_index.tolist())) > 1 or num_codes == 1


def test_heads_are_linear_in_the_policy_features() -> None:
    policy = make_policy()
    output = policy(images())
    logits = output.policy_features @ policy.policy_head.weight.T + policy.policy_head.bias
    torch.testing.assert_close(output.logits, logits)
    value = output.policy_features @ policy.value_head.weight[0] + policy.value_head.bias
    torch.testing.assert_close(output.value, value)


def test_the_embedding_is_a_linear_map_of_the_features() -> None:
    """No activation between the two layers of the head: it keeps sums."""
    semantic = make_policy().semantic
    assert semantic is not None
    one, other, zero = torch.randn(3, 256), torch.randn(3, 256), torch.zeros(3, 256)
    at = lambda features: semantic(features).embedding  # noqa: E731
    torch.testing.assert_close(at(one + other) + at(zero), at(one) + at(other), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 2, 4, 5, 6, 100])
def test_chunks_of_the_trunk_change_nothing(chunk: int) -> None:
    whole, parts = make_policy(), make_policy(trunk_chunk=chunk)
    observation, direction = images(), torch.randn(B, 15)
    outputs = whole(observation), parts(observation)
    for one, other in zip(*outputs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    for output in outputs:
        (output.logits * direction).sum().backward()
    for one, other in zip(whole.trunk.parameters(), parts.trunk.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5 * float(one.grad.abs().max()))


def test_no_gradient_passes_through_the_code_index() -> None:
    policy = make_policy()
    output = policy(images())
    (output.logits.square().sum() + output.value.sum()).backward()
    assert policy.semantic is not None
    assert all(parameter.grad is None for parameter in policy.semantic.parameters())
    assert all(parameter.grad is not None for parameter in policy.trunk.parameters())
    assert not output.code_index.requires_grad


def test_the_gradient_of_the_features_is_as_without_the_index() -> None:
    policy = make_policy()
    output: PolicyOutput = policy(images())
    direction = torch.randn(B, 15)
    (gradient,) = torch.autograd.grad((output.logits * direction).sum(), output.features)
    torch.testing.assert_close(gradient, direction @ policy.policy_head.weight)


def test_gradients_reach_codes_in_use_through_the_code_vector_and_no_others() -> None:
    policy = make_policy()
    output = policy(images())
    output.code_vector.sum().backward()
    assert policy.semantic is not None
    gradient = policy.semantic.codebook.grad
    assert gradient is not None
    counts = torch.bincount(output.code_index, minlength=K).float()
    torch.testing.assert_close(gradient, counts.unsqueeze(1).expand(K, 2))
    assert policy.trunk.dense.weight.grad is None
    assert policy.semantic.output.weight.grad is None


def test_heads_begin_orthogonal_with_zero_biases() -> None:
    policy = make_policy()
    weight = policy.policy_head.weight
    torch.testing.assert_close(weight @ weight.T, 1e-4 * torch.eye(15), atol=1e-9, rtol=1e-4)
    assert policy.value_head.weight.norm().item() == pytest.approx(1, rel=1e-5)
    assert not policy.policy_head.bias.any()
    assert not policy.value_head.bias.any()


@pytest.mark.parametrize("num_codes", [4, 8, 200])
def test_codes_begin_uniform_between_plus_and_minus_one_over_k(num_codes: int) -> None:
    semantic = make_policy(num_codes, spread=False).semantic
    assert semantic is not None
    assert semantic.codebook.shape == (num_codes, 2)
    bound = 1 / num_codes
    largest = float(semantic.codebook.detach().abs().max())
    assert 0.6 * bound < largest <= bound
    assert semantic.codebook.min().item() < 0 < semantic.codebook.max().item()


def test_the_module_begins_glorot_uniform_with_zero_biases() -> None:
    semantic = make_policy().semantic
    assert semantic is not None
    for layer, bound in ((semantic.hidden, (6 / 384) ** 0.5), (semantic.output, (6 / 130) ** 0.5)):
        assert 0.9 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert not layer.bias.any()


def test_the_size_is_the_originals() -> None:
    """626,256 weights in trunk and heads, 33,170 in the module."""
    counts = [sum(p.numel() for p in make_policy(num_codes).parameters()) for num_codes in (0, 8)]
    assert counts == [626_256, 626_256 + 256 * 128 + 128 + 128 * 2 + 2 + 16]


def test_actions_are_drawn_with_their_probabilities() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -50.0]).expand(40_000, 4)
    actions, log_prob = sample_actions(logits, torch.Generator().manual_seed(0))
    shares = torch.bincount(actions, minlength=4) / len(actions)
    torch.testing.assert_close(shares, logits[0].softmax(0), atol=0.01, rtol=0)
    torch.testing.assert_close(log_prob, logits[0].log_softmax(0)[actions])
    assert actions.dtype == torch.int64


def test_the_generator_decides_the_actions() -> None:
    logits = torch.zeros(100, 15)
    one, same, other = (sample_actions(logits, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_log_probs_are_those_of_a_loop() -> None:
    logits, actions = torch.randn(B, 15) * 3, torch.randint(0, 15, (B,))
    for state, value in enumerate(log_probs(logits, actions).tolist()):
        weights = np.exp(logits[state].double().numpy())
        assert value == pytest.approx(np.log(weights[actions[state]] / weights.sum()), abs=1e-5)
