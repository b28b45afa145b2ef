"""The policy joins trunk, module and heads as the paper has it: shapes, init, and where no gradient flows."""

import numpy as np
import pytest
import torch
from torch import Tensor

from semantic_rl.errors import UserError
from semantic_rl.models.policy import PolicyOutput, SemanticPolicy, choose_actions, log_prob_of, sample_actions
from semantic_rl.models.semantic import SemanticClustering

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
    for state, value in enumerate(log_prob_of(logits, actions).tolist()):
        weights = np.exp(logits[state].double().numpy())
        assert value == pytest.approx(np.log(weights[actions[state]] / weights.sum()), abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (images().float() / 255, r"got float32 \[6, 64, 64, 3\]"),
        (images().permute(0, 3, 1, 2), r"got uint8 \[6, 3, 64, 64\]"),
        (torch.zeros(2, 84, 84, 3, dtype=torch.uint8), r"got uint8 \[2, 84, 84, 3\]"),
        (torch.zeros(2, 84, 84, 4), r"got float32 \[2, 84, 84, 4\]"),
        (images()[0], r"got uint8 \[64, 64, 3\]"),
        (images(0), r"got uint8 \[0, 64, 64, 3\]"),
        (images().to(torch.int64), r"got int64 \[6, 64, 64, 3\]"),
        (images().numpy(), "got ndarray, expected a tensor; torch.from_numpy makes one"),
    ],
)
@pytest.mark.parametrize("trunk_chunk", [0, 128])
@pytest.mark.parametrize("with_gradient", [False, True])
def test_frames_of_another_kind_are_refused_with_what_was_expected(
    wrong: Tensor, found: str, trunk_chunk: int, with_gradient: bool
) -> None:
    policy = make_policy(trunk_chunk=trunk_chunk, spread=False)
    with torch.set_grad_enabled(with_gradient):
        for see in (policy, policy.features):
            with pytest.raises(UserError, match=found) as caught:
                see(wrong)
            assert "\n" not in str(caught.value)
            assert isinstance(wrong, np.ndarray) or "expected uint8 [B, 64, 64, 3]" in str(caught.value)


def test_a_single_frame_and_one_that_is_no_block_of_memory_are_seen() -> None:
    policy = make_policy()
    frames = images().permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert not frames.is_contiguous()
    torch.testing.assert_close(policy(frames[:1]).logits, policy(frames.contiguous()[:1]).logits)


def test_the_module_and_the_actions_name_shapes_that_do_not_fit() -> None:
    module = SemanticClustering(K)
    with pytest.raises(ValueError, match=r"SemanticClustering: got features \[6, 255\]; expected features \[B, 256\]"):
        module(torch.zeros(B, 255))
    with pytest.raises(ValueError, match=r"code_distances: got embedding \[2\]; expected embedding \[B, 2\]"):
        module.code_distances(torch.zeros(2))
    with pytest.raises(ValueError, match=r"choose_actions: got logits \[6, 15\], uniform \[6, 14\]"):
        choose_actions(torch.zeros(B, 15), torch.zeros(B, 14))
    with pytest.raises(ValueError, match=r"log_prob_of: got logits \[6, 15\], actions \[5\]; expected logits \[B, A\]"):
        log_prob_of(torch.zeros(B, 15), torch.zeros(5, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"actions is torch.float32, expected torch.int64"):
        log_prob_of(torch.zeros(B, 15), torch.zeros(B))


@pytest.mark.parametrize(("num_actions", "num_codes"), [(0, 8), (15, -1)])
def test_a_network_without_actions_or_with_less_than_no_codes_is_refused(num_actions: int, num_codes: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1 action"):
        SemanticPolicy(num_actions, num_codes)
