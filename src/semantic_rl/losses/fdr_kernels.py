"""The FDR loss and its gradients on a GPU: two matrix products and two Triton kernels with a program per state.

`losses.semantic` has the formulas. There a matrix H holds (∂L/∂s)/u, and the gradient of x_i is a constant times
Σ_j S_ij (x_i − x_j) with S = H + Hᵀ. Distances are symmetric, so H_ji needs only u_ij and four numbers of column i: the
logarithms of both softmaxes' denominators and two sums. The first kernel finds these numbers and the loss. The second
computes S row by row from them, which spares writing and transposing H, and writes diag(S·1) − S over the distances, so
that one product with the features is their gradient. The embedding's distances and gradient need no matrix at all.

A program holds a row in registers. Sums are taken in a fixed order, so results are the same from run to run.
"""

# Triton's kernels are compiled from untyped Python.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from semantic_rl.losses.semantic import CLIP_MIN, LOG_CLIP_MIN
from semantic_rl.triton_support import can_start_kernels

MAX_STATES = 4096
"""Largest number of states; a longer row would not fit into a program's registers."""

_CLIP_MIN = tl.constexpr(CLIP_MIN)
_LOG_CLIP_MIN = tl.constexpr(LOG_CLIP_MIN)


class FDR(NamedTuple):
    """The loss and, if they were asked for, its gradients."""

    loss: Tensor
    """[]"""
    features: Tensor | None
    """[B, D]"""
    embedding: Tensor | None
    """[B, 2]"""


# Maxima are computed with `where`, which propagates NaN, so that a diverged run is noticed.


@triton.jit
def _log_kernels(
    products, norms, embedding, row, column, valid, size, feature_scale, feature_power, embedding_scale, embedding_power
):  # fmt: skip
    """Return a row's u and s of the features, u and s of the embedding, and the differences of the embedding."""
    product = tl.load(products + row * size + column, mask=valid, other=0.0)
    norm = tl.load(norms + column, mask=valid, other=0.0)
    x = tl.load(embedding + 2 * column, mask=valid, other=0.0)
    y = tl.load(embedding + 2 * column + 1, mask=valid, other=0.0)
    x = tl.load(embedding + 2 * row) - x
    y = tl.load(embedding + 2 * row + 1) - y
    feature_u = 1 + feature_scale * (tl.load(norms + row) + norm - 2 * product)
    feature_u = tl.where(feature_u < 1, 1.0, feature_u)  # rounding can take the distance of near-equal points below 0
    embedding_u = 1 + embedding_scale * (x * x + y * y)
    other = valid & (column != row)
    feature_s = tl.where(other, feature_power * tl.log(feature_u), float("-inf"))
    embedding_s = tl.where(other, embedding_power * tl.log(embedding_u), float("-inf"))
    return feature_u, feature_s, embedding_u, embedding_s, x, y


@triton.jit
def _similarities(feature_s, embedding_s, feature_total, embedding_total):
    """Return p, clipped p, q and clipped log q from s and the logarithms of the softmaxes' denominators."""
    p = tl.exp(feature_s - feature_total)
    log_q = embedding_s - embedding_total
    q = tl.exp(log_q)
    return p, tl.where(p < _CLIP_MIN, _CLIP_MIN, p), q, tl.where(log_q < _LOG_CLIP_MIN, _LOG_CLIP_MIN, log_q)


@triton.jit
def _softmax_gradients(feature_s, embedding_s, feature_total, embedding_total, cross_entropy, kept):
    """Return −B²·∂L/∂s of features and embedding, through what is not clipped."""
    p, clipped_p, q, log_q = _similarities(feature_s, embedding_s, feature_total, embedding_total)
    feature = p * (cross_entropy - tl.where(p > _CLIP_MIN, log_q, 0.0))
    embedding = q * kept - tl.where(q > _CLIP_MIN, clipped_p, 0.0)
    return feature, embedding


@triton.jit
def _log_sum_exp(s):
    largest = tl.max(s, 0)
    return largest + tl.log(tl.sum(tl.exp(s - largest), 0))


@triton.jit
def column_sums_kernel(
    products, norms, embedding, sums, loss_scale,
    size, feature_scale, feature_power, embedding_scale, embedding_power, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the five numbers of a column j; it is a row of `products`, which is symmetric."""
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    valid = column < size
    _, feature_s, _, embedding_s, _, _ = _log_kernels(
        products, norms, embedding, row, column, valid,
        size, feature_scale, feature_power, embedding_scale, embedding_power,
    )  # fmt: skip
    feature_total, embedding_total = _log_sum_exp(feature_s), _log_sum_exp(embedding_s)
    _, clipped_p, q, log_q = _similarities(feature_s, embedding_s, feature_total, embedding_total)
    cross_entropy = tl.sum(tl.where(valid, clipped_p * log_q, 0.0), 0)
    tl.store(sums + row, feature_total)
    tl.store(sums + size + row, embedding_total)
    tl.store(sums + 2 * size + row, cross_entropy)
    tl.store(sums + 3 * size + row, tl.sum(tl.where(q > _CLIP_MIN, clipped_p, 0.0), 0))
    tl.store(sums + 4 * size + row, cross_entropy * loss_scale)


@triton.jit
def gradient_kernel(
    products, norms, embedding, sums, embedding_gradient, feature_factor, embedding_factor,
    size, feature_scale, feature_power, embedding_scale, embedding_power, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write a row's gradient of the embedding, and over the row of products that of diag(S·1) − S of the features."""
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    valid = column < size
    feature_u, feature_s, embedding_u, embedding_s, x, y = _log_kernels(
        products, norms, embedding, row, column, valid,
        size, feature_scale, feature_power, embedding_scale, embedding_power,
    )  # fmt: skip
    feature, embedding_part = _softmax_gradients(
        feature_s, embedding_s,
        tl.load(sums + row), tl.load(sums + size + row), tl.load(sums + 2 * size + row), tl.load(sums + 3 * size + row),
    )  # fmt: skip
    transposed_feature, transposed_embedding = _softmax_gradients(
        feature_s, embedding_s,
        tl.load(sums + column, mask=valid, other=0.0),
        tl.load(sums + size + column, mask=valid, other=0.0),
        tl.load(sums + 2 * size + column, mask=valid, other=0.0),
        tl.load(sums + 3 * size + column, mask=valid, other=0.0),
    )  # fmt: skip
    # A state and itself, and columns beyond the last, have p = q = 0, so they are 0 here.
    feature = (feature + transposed_feature) / feature_u * feature_factor
    pull = (embedding_part + transposed_embedding) / embedding_u * embedding_factor
    tl.store(embedding_gradient + 2 * row, tl.sum(pull * x, 0))
    tl.store(embedding_gradient + 2 * row + 1, tl.sum(pull * y, 0))
    feature = tl.where(column == row, tl.sum(feature, 0), -feature)
    tl.store(products + row * size + column, feature, mask=valid)


def can_run(features: Tensor) -> bool:
    """Tell whether these kernels can compute the loss of features [B, D]; fake tensors are left to PyTorch."""
    is_plain = type(features) is Tensor and features.is_cuda
    fits = features.dtype == torch.float32 and len(features) <= MAX_STATES
    return is_plain and fits and can_start_kernels(features.device)


def loss_and_gradients(
    features: Tensor, embedding: Tensor, feature_dof: float, embedding_dof: float, wants_gradients: bool
) -> FDR:
    """Compute the FDR loss of float32 features [B, D] and embedding [B, 2], and its gradients, without autograd."""
    size = len(features)
    embedding = embedding.contiguous()
    # Distances from a matrix product lose as many digits as the norms need: far from the origin, all of them.
    centred = features - features.mean(0)
    products = centred @ centred.T
    norms = products.diagonal().contiguous()  # rounded as the products are: the distance of equal points is 0
    sums = features.new_empty(5, size)
    block = max(128, triton.next_power_of_2(size))
    launch: dict[str, Any] = {
        "size": size,
        "feature_scale": 1 / feature_dof,
        "feature_power": -(feature_dof + 1) / 2,
        "embedding_scale": 1 / embedding_dof,
        "embedding_power": -(embedding_dof + 1) / 2,
        "BLOCK": block,
    }
    # Eight columns for each thread, and four in the second kernel, which needs more registers for each.
    launch["num_warps"] = max(1, block // 256)
    column_sums_kernel[(size,)](products, norms, embedding, sums, -1 / size**2, **launch)
    loss = sums[4].sum()
    if not wants_gradients:
        return FDR(loss, None, None)
    embedding_gradient = torch.empty_like(embedding)
    feature_factor, embedding_factor = (-(dof + 1) / (dof * size**2) for dof in (feature_dof, embedding_dof))
    launch["num_warps"] = max(1, block // 128)
    gradient_kernel[(size,)](
        products, norms, embedding, sums, embedding_gradient, feature_factor, embedding_factor, **launch
    )
    return FDR(loss, products @ centred, embedding_gradient)
