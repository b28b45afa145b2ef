"""The FDR loss with p taken from nearest neighbours among all states, instead of from the features of a minibatch.

A minibatch holds pairs of neighbours. Of each state, p is 1 for its partner and 0 for all others; averaged over
minibatches, p is uniform over the nearest neighbours of a state, as in t-SNE with about that perplexity. q is Student's
t over the plane, normalised over the other states of the minibatch, as in `losses.semantic`. So the loss is the mean of
−log q of the partners (InfoNC-t-SNE: Damrich et al., 2023).

With u_ij = 1 + ‖y_i − y_j‖²/ν, k = u^(−(ν+1)/2) and S_i = Σ_{j≠i} k_ij, the loss is the mean of log S_i plus (ν+1)/2
times the mean of log u of the pairs. The gradient of its first part with respect to the squared distances is
−(ν+1)/(2νB) · k_ij / (u_ij S_i), and a gradient G of these contributes 2 Σ_j (G_ij + G_ji)(y_i − y_j) to that of y_i.
Both are computed in one pass, without a logarithm or a power of every pair where ν is 1. Axis: B states.
"""

from typing import Any

import torch
from torch import Tensor

from semantic_rl.shapes import check_shapes, check_types


class _LogSums(torch.autograd.Function):
    """The mean of log S_i; its gradient is computed in the forward pass."""

    @staticmethod
    def forward(ctx: Any, embedding: Tensor, dof: float) -> Tensor:
        size, power = len(embedding), (dof + 1) / 2
        points = embedding - embedding.mean(0)
        squares = points.square().sum(1, keepdim=True) / dof
        ones = torch.ones_like(squares)
        u = torch.cat([points * (-2 / dof), 1 + squares, ones], 1) @ torch.cat([points, ones, squares], 1).T
        inverse = u.clamp_(min=1).reciprocal_()  # rounding can take the distance of near-equal points below 0
        inverse.fill_diagonal_(0)
        kernel = inverse if power == 1 else inverse.pow(power)
        sums = kernel.sum(1, keepdim=True)
        if ctx.needs_input_grad[0]:
            towards = (kernel * inverse).div_(sums)
            extended = torch.cat([points, ones], 1)
            moved = towards @ extended + towards.T @ extended
            ctx.save_for_backward((moved[:, 2:] * points - moved[:, :2]) * (-2 * power / (dof * size)))
        return sums.log().mean()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0], None


def neighbour_fdr_loss(embedding: Tensor, embedding_dof: float = 1.0) -> Tensor:
    """Compute the loss of positions [B, 2], where i and i + B/2 are neighbours for every i below B/2.

    Differentiable once. Raises ValueError for another shape, an odd number of states or fewer than four.
    """
    check_shapes("neighbour_fdr_loss", least=4, embedding=(embedding, "B 2"))
    check_types("neighbour_fdr_loss", {"embedding": embedding})
    half, odd = divmod(len(embedding), 2)
    if odd or not embedding_dof > 0:
        raise ValueError(
            f"neighbour_fdr_loss: got {len(embedding)} states and embedding_dof {embedding_dof}, expected an even "
            "number of states and a number above 0."
        )
    between = (embedding[:half] - embedding[half:]).square().sum(1)
    log_sums: Tensor = _LogSums.apply(embedding, embedding_dof)  # pyright: ignore
    return log_sums + (embedding_dof + 1) / 2 * torch.log1p(between / embedding_dof).mean()
