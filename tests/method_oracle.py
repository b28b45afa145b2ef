"""docs/method.md as plain NumPy in float64: the network's forward pass and the whole loss, written for reading.

It imports nothing of the package. Weights go by the package's parameter names, in PyTorch's layouts.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LAMBDA = 0.7
"""The control factor."""

Array = NDArray[np.float64]
Weights = dict[str, Array]


class Output(NamedTuple):
    """What the network says of B states."""

    features: Array
    embedding: Array
    code_index: NDArray[np.int64]
    policy_features: Array
    logits: Array
    value: Array


class Minibatch(NamedTuple):
    """What a minibatch holds besides observations, each [B]."""

    action: NDArray[np.int64]
    old_log_prob: Array
    old_value: Array
    advantage: Array
    returns: Array


class Losses(NamedTuple):
    """The terms of the loss, and the loss itself."""

    policy_loss: float
    value_loss: float
    entropy: float
    fdr_loss: float
    codebook_loss: float
    commitment_loss: float
    loss: float


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


def dense(x: Array, weights: Weights, name: str) -> Array:
    """x Wᵀ + b."""
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def convolution(x: Array, weights: Weights, name: str) -> Array:
    """3×3 convolution with padding 1 of x [B, C, H, W]: every 3×3 window times the kernel."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    result = np.einsum("bchwij,ocij->bohw", windows, weights[f"{name}.weight"], optimize=True)
    return result + weights[f"{name}.bias"][:, None, None]


def pooling(x: Array) -> Array:
    """3×3 maximum with stride 2; one row and column of padding behind, none before."""
    padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
    height, width = x.shape[2:]
    windows = [
        padded[:, :, row : row + height : 2, column : column + width : 2] for row in range(3) for column in range(3)
    ]
    return np.max(windows, axis=0)


def forward(weights: Weights, observation: NDArray[np.uint8]) -> Output:
    """Map images [B, 64, 64, 3] to everything the network says of them."""
    x = observation.transpose(0, 3, 1, 2) / 255
    for block in range(3):
        x = pooling(convolution(x, weights, f"trunk.blocks.{block}.conv"))
        for residual in ("residual1", "residual2"):
            name = f"trunk.blocks.{block}.{residual}"
            x = x + convolution(relu(convolution(relu(x), weights, f"{name}.conv1")), weights, f"{name}.conv2")
    features = relu(dense(relu(x.reshape(len(x), -1)), weights, "trunk.dense"))
    embedding = dense(dense(features, weights, "semantic.hidden"), weights, "semantic.output")
    codebook = weights["semantic.codebook"]
    code_index = np.argmin(((embedding[:, None] - codebook) ** 2).sum(2), axis=1)
    policy_features = features + (code_index / len(codebook))[:, None]
    logits = dense(policy_features, weights, "policy_head")
    value = dense(policy_features, weights, "value_head")[:, 0]
    return Output(features, embedding, code_index, policy_features, logits, value)


def similarities(points: Array, dof: float) -> Array:
    """p_ij: normalised over i for every column j, then clipped."""
    distances = ((points[:, None] - points) ** 2).sum(2)
    kernel = (1 + distances / dof) ** (-(dof + 1) / 2)
    np.fill_diagonal(kernel, 0)
    return np.clip(kernel / kernel.sum(0), 1e-10, 1)


def losses(weights: Weights, output: Output, before: Weights, stopped: Output, minibatch: Minibatch) -> Losses:
    """The whole loss at λ = `LAMBDA` of `output`, the network's forward pass with `weights`.

    `stopped` is the forward pass with the weights `before` they were moved: no gradient flows through what is taken of
    these two, so that a difference of two losses in which they are the same is what the gradient says.
    """
    log_probs = output.logits - np.log(np.exp(output.logits).sum(1, keepdims=True))
    ratio = np.exp(log_probs[np.arange(len(log_probs)), minibatch.action] - minibatch.old_log_prob)
    advantage = minibatch.advantage - minibatch.advantage.mean()
    advantage = advantage / (minibatch.advantage.std() + 1e-8)
    policy_loss = np.maximum(-advantage * ratio, -advantage * np.clip(ratio, 0.8, 1.2)).mean()
    clipped_value = minibatch.old_value + np.clip(output.value - minibatch.old_value, -0.2, 0.2)
    errors = np.maximum((output.value - minibatch.returns) ** 2, (clipped_value - minibatch.returns) ** 2)
    value_loss = 0.5 * errors.mean()
    entropy = -(np.exp(log_probs) * log_probs).sum(1).mean()
    p, q = similarities(output.features, 20), similarities(output.embedding, 20)
    fdr_loss = -(p * np.log(q)).sum() / len(p) ** 2
    codes = weights["semantic.codebook"][stopped.code_index]
    codebook_loss = ((codes - stopped.embedding) ** 2).mean()
    commitment_loss = ((before["semantic.codebook"][stopped.code_index] - output.embedding) ** 2).mean()
    semantic = 500 * fdr_loss + codebook_loss + 0.25 * commitment_loss
    loss = policy_loss - 0.01 * entropy + 0.5 * value_loss + LAMBDA * semantic
    terms: tuple[Any, ...] = (policy_loss, value_loss, entropy, fdr_loss, codebook_loss, commitment_loss, loss)
    return Losses(*map(float, terms))
