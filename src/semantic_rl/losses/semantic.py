"""Losses of the semantic clustering module.

FDR (feature dimensionality reduction) compares Student-t similarities of the features with those of the embedding:
p_ij ∝ (1 + ‖f_i − f_j‖²/ν_f)^(−(ν_f+1)/2), normalised over i for every j, p_jj = 0, clipped to [1e-10, 1]; q is defined
likewise from the embedding; L = −(1/B²) Σ_ij p_ij log q_ij. Gradients flow through p and q. VQ: van den Oord et al.
(2017).

For a column j both p and q are softmaxes over i of s_ij = −(ν+1)/2·log u_ij, u = 1 + d/ν, and L is their
cross-entropy. So ∂L/∂s^q_ij = (q_ij·Σ_l p_lj − p_ij)/B² and ∂L/∂s^p_ij = p_ij·(Σ_l p_lj log q_lj − log q_ij)/B², where
nothing is clipped; ∂s/∂d = −(ν+1)/(2ν)/u; and a gradient G_ij with respect to the squared distances contributes
Σ_j 2(G_ij + G_ji)(x_i − x_j) to that of x_i. `fdr_loss` computes loss and gradient in one pass over blocks of columns,
which threads divide among them, in buffers that stay in the cache; it never holds a B×B matrix, and autograd keeps
nothing of that size. A GPU with Triton uses `losses.fdr_kernels`.
"""

import functools
import math
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from semantic_rl.config import SemanticConfig
from semantic_rl.shapes import check_shapes, check_types
from semantic_rl.torch_threads import thread_pool

CLIP_MIN = 1e-10
LOG_CLIP_MIN = math.log(CLIP_MIN)
CPU_BLOCK = 128
"""Number of columns in a block on a CPU: the buffers of a block, 128×2048 floats each, stay in the cache."""

_keep_where_above = torch.ops.aten.threshold_backward.grad_input
"""(gradient, x, threshold) → gradient where x > threshold, else 0, in one pass over memory."""


class _Points(NamedTuple):
    """Points scaled by 1/√ν and extended so that left·rightᵀ is u_ij = 1 + ‖x_i − x_j‖²/ν."""

    left: Tensor
    """[B, D+2]: (−2z, 1 + ‖z‖², 1)"""
    right: Tensor
    """[B, D+2]: (z, 1, ‖z‖²)"""
    dof: float

    def log_kernel(self, start: int, stop: int, u: Tensor, log_kernel: Tensor) -> None:
        """Fill u and s for a block of columns, each [J, B]; s of a state with itself is −∞."""
        torch.mm(self.left[start:stop], self.right.T, out=u)
        u.clamp_(min=1)  # rounding can take the distance of near-equal points below 0
        torch.log(u, out=log_kernel).mul_(-(self.dof + 1) / 2)
        log_kernel.diagonal(start).fill_(-torch.inf)

    def add_moves(self, towards: Tensor, start: int, stop: int, total: Tensor) -> None:
        """Add H·x, for H the sum of (∂L/∂s)/u and its transpose, of which `towards` are the columns j: [J, B]."""
        right = self.right[:, :-1]
        total[start:stop].addmm_(towards, right)
        total.addmm_(towards.T, right[start:stop])

    def gradient(self, moves: Tensor) -> Tensor:
        """Turn the total of `add_moves` [B, D+1], (H·z, Σ_j H_ij), into the gradient of the points [B, D]."""
        size, dof = len(self.right), self.dof
        gradient = self.right[:, :-2] * moves[:, -1:] - moves[:, :-1]
        return gradient.mul_(-(dof + 1) / math.sqrt(dof) / size**2)


class _Sums(NamedTuple):
    """What a thread has added up over its blocks."""

    negative_loss: Tensor
    """[]"""
    feature_moves: Tensor
    """[B, D+1], or empty without a gradient."""
    embedding_moves: Tensor
    """[B, 3], or empty without a gradient."""


def _sum_blocks(features: _Points, embedding: _Points, block: int, starts: range, wants_gradient: bool) -> _Sums:
    """Compute loss and gradient of the blocks of columns that begin at `starts`."""
    size = len(features.right)
    new_zeros = features.right.new_zeros
    num_rows = size if wants_gradient else 0
    moves = [new_zeros(num_rows, points.right.shape[1] - 1) for points in (features, embedding)]
    sums = _Sums(new_zeros(()), *moves)
    buffers = features.right.new_empty(6, min(block, size), size)
    for start in starts:
        stop = min(start + block, size)
        feature_u, embedding_u, p, clipped_p, q, log_q = buffers[:, : stop - start].unbind()
        features.log_kernel(start, stop, feature_u, clipped_p)
        torch.softmax(clipped_p, 1, out=p)
        torch.clamp(p, min=CLIP_MIN, out=clipped_p)
        embedding.log_kernel(start, stop, embedding_u, q)
        torch.log_softmax(q, 1, out=log_q)
        torch.exp(log_q, out=q)
        log_q.clamp_(min=LOG_CLIP_MIN)
        column_sums = torch.linalg.vecdot(clipped_p, log_q)
        sums.negative_loss.add_(column_sums.sum())
        if wants_gradient:
            # The gradient through the softmax of q, where q is not clipped.
            _keep_where_above(clipped_p, q, CLIP_MIN, grad_input=clipped_p)
            torch.addcmul(clipped_p, q, clipped_p.sum(1, keepdim=True), value=-1, out=q)
            embedding.add_moves(q.div_(embedding_u).neg_(), start, stop, sums.embedding_moves)
            # The gradient through the softmax of p, where p is not clipped: ∂L/∂p = −log q there. The sum over
            # the column is reused from the loss; it includes clipped p, which are at most 1e-10 each.
            _keep_where_above(log_q, p, CLIP_MIN, grad_input=log_q)
            p.mul_(torch.sub(column_sums.unsqueeze(1), log_q, out=log_q))
            features.add_moves(p.div_(feature_u), start, stop, sums.feature_moves)
    return sums


def _sum_in_threads(features: _Points, embedding: _Points, block: int, wants_gradient: bool) -> _Sums:
    """Divide the blocks among as many threads as PyTorch uses; on a GPU, and for few states, there is only one."""
    starts = range(0, len(features.right), block)
    num_threads = min(torch.get_num_threads(), len(starts)) if features.right.device.type == "cpu" else 1
    if num_threads < 2:
        return _sum_blocks(features, embedding, block, starts, wants_gradient)

    def run(thread: int) -> _Sums:
        with torch.no_grad():
            return _sum_blocks(features, embedding, block, starts[thread::num_threads], wants_gradient)

    total, *others = thread_pool(torch.get_num_threads()).map(run, range(num_threads))
    for other in others:
        for sum_so_far, addend in zip(total, other, strict=True):
            sum_so_far.add_(addend)
    return total


def _extend(points: Tensor, dof: float) -> _Points:
    # Distances from a matrix product lose as many digits as the norms need: far from the origin, all of them.
    scaled = (points - points.mean(0)) / math.sqrt(dof)
    squares = scaled.square().sum(1, keepdim=True)
    ones = torch.ones_like(squares)
    return _Points(torch.cat([-2 * scaled, 1 + squares, ones], 1), torch.cat([scaled, ones, squares], 1), dof)


@functools.cache
def _gpu_kernels() -> ModuleType | None:
    """Import the GPU kernels when they are first needed; return None if Triton is not installed."""
    try:
        from semantic_rl.losses import fdr_kernels
    except ImportError:
        return None
    return fdr_kernels


class _FDRLoss(torch.autograd.Function):
    """The loss; its gradient is computed in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, embedding: Tensor, feature_dof: float, embedding_dof: float, block: int
    ) -> Tensor:
        size = len(features)
        wants_gradient = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        if features.is_cuda and (kernels := _gpu_kernels()) is not None and kernels.can_run(features):
            found = kernels.loss_and_gradients(features, embedding, feature_dof, embedding_dof, wants_gradient)
            if wants_gradient:
                ctx.save_for_backward(found.features, found.embedding)
            return found.loss
        feature_points, embedding_points = _extend(features, feature_dof), _extend(embedding, embedding_dof)
        sums = _sum_in_threads(feature_points, embedding_points, block, wants_gradient)
        if wants_gradient:
            ctx.save_for_backward(
                feature_points.gradient(sums.feature_moves), embedding_points.gradient(sums.embedding_moves)
            )
        return -sums.negative_loss / size**2

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None, None, None]:  # pyright: ignore
        feature_gradient, embedding_gradient = ctx.saved_tensors
        scale = grad_outputs[0]
        return feature_gradient * scale, embedding_gradient * scale, None, None, None


def fdr_loss(
    features: Tensor,
    embedding: Tensor,
    feature_dof: float = SemanticConfig.feature_dof,
    embedding_dof: float = SemanticConfig.embedding_dof,
) -> Tensor:
    """Compute the FDR loss of features [B, D] and embedding [B, 2], both float32; about ln(B − 1)/B at initialisation.

    Differentiable once. A CPU works on blocks of columns to bound memory; a GPU takes all columns at once, in
    float32 by kernels of its own. Raises ValueError for other shapes, and for B below 2, since similarities are
    normalised over the other states.
    """
    check_shapes("fdr_loss", least=2, features=(features, "B D"), embedding=(embedding, "B 2"))
    check_types("fdr_loss", {"features": features, "embedding": embedding})
    if not (feature_dof > 0 and embedding_dof > 0):
        raise ValueError(
            f"fdr_loss: got feature_dof {feature_dof} and embedding_dof {embedding_dof}, expected numbers above 0."
        )
    block = CPU_BLOCK if features.device.type == "cpu" else len(features)
    loss: Tensor = _FDRLoss.apply(features, embedding, feature_dof, embedding_dof, block)  # pyright: ignore
    return loss


def codebook_loss(embedding: Tensor, code_vector: Tensor) -> Tensor:
    """Return the mean of (E_k − sg[y])² for embedding and code vectors [B, 2]; its gradient moves the codes."""
    check_shapes("codebook_loss", embedding=(embedding, "B 2"), code_vector=(code_vector, "B 2"))
    return (code_vector - embedding.detach()).square().mean()


def commitment_loss(embedding: Tensor, code_vector: Tensor) -> Tensor:
    """Return the mean of (sg[E_k] − y)² for embedding and code vectors [B, 2]; its gradient moves the embedding."""
    check_shapes("commitment_loss", embedding=(embedding, "B 2"), code_vector=(code_vector, "B 2"))
    return (code_vector.detach() - embedding).square().mean()
