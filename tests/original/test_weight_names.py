"""Weights of the original, by its variable names, compute here what they computed there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.original.weight_names import from_original, original_names, to_our_layout


def test_our_names_are_those_of_the_policy() -> None:
    for num_codes in (0, 8):
        assert original_names(num_codes > 0).keys() == SemanticPolicy(num_codes=num_codes).state_dict().keys()


def test_every_variable_is_taken_once() -> None:
    names = list(original_names(True).values())
    assert len(names) == len(set(names)) == 41
    assert len(original_names(False)) == 36


def test_convolutions_dense_kernels_and_codebook_are_turned() -> None:
    kernel = np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)
    ours = to_our_layout("trunk.blocks.0.conv.weight", kernel)
    assert ours.shape == (4, 2, 3, 3)
    assert ours[3, 1, 2, 0] == kernel[2, 0, 1, 3]
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(to_our_layout("semantic.codebook", matrix).numpy(), matrix.T)
    bias = np.arange(5, dtype=np.float32)
    np.testing.assert_array_equal(to_our_layout("policy_head.bias", bias).numpy(), bias)


def test_the_dense_kernel_is_reordered_from_channels_last_to_channels_first() -> None:
    """An image times the kernel is the same number, flattened either way."""
    generator = np.random.default_rng(0)
    image, kernel = generator.normal(size=(8, 8, 32)), generator.normal(size=(2048, 256)).astype(np.float32)
    theirs = image.reshape(-1) @ kernel
    ours = to_our_layout("trunk.dense.weight", kernel).double().numpy() @ image.transpose(2, 0, 1).reshape(-1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(UserError, match=r"no variable 'pi/layer_0/kernel:0'.*found 1 variables: x/y:0"):
        from_original({"x/y:0": np.zeros(1, np.float32)})


@pytest.fixture(scope="module")
def case(reference_dir: Path) -> dict[str, NDArray[Any]]:
    """One minibatch through the original network."""
    return dict(np.load(reference_dir / "original_minibatch.npz"))


OUTPUTS = {
    "features": "features",
    "embedding": "embedding",
    "code_vector": "code_vec",
    "policy_features": "policy_features",
    "logits": "logits",
    "value": "vf",
}


@pytest.mark.parametrize("chunk", [0, 20])
def test_outputs_are_the_originals(case: dict[str, NDArray[Any]], chunk: int) -> None:
    policy = SemanticPolicy(trunk_chunk=chunk)
    policy.load_state_dict(from_original({name[2:]: case[name] for name in case if name.startswith("w/")}))
    output = policy(torch.from_numpy(case["obs"]))
    for ours, theirs in OUTPUTS.items():
        expected = case[f"out/{theirs}"]
        difference = np.abs(getattr(output, ours).detach().numpy() - expected).max()
        assert difference <= 2e-5 * np.abs(expected).max(), ours
    np.testing.assert_array_equal(output.code_index.numpy(), case["out/code"][:, 0])
    assert len(set(case["out/code"][:, 0])) > 1
