"""The FDR loss with p taken from nearest neighbours among all states, instead of from the features of a minibatch.

A minibatch holds pairs of neighbours. Of each state, p is 1 for its partner and 0 for all others; averaged over
minibatches, p_j|i is uniform over the nearest neighbours of i, as in t-SNE with a perplexity of that number. q is
Student's t over the plane, normalised over the other states of the minibatch, as in `losses.semantic`. So the loss is
the mean of −log q of the partners (Damrich et al., 2023, call it InfoNC-t-SNE).
"""

import torch
from torch import Tensor

from semantic_rl.shapes import check_shapes, check_types


def neighbour_fdr_loss(embedding: Tensor, embedding_dof: float = 1.0) -> Tensor:
    """Compute the loss of places [2A, 2] of which those of i and i + A are neighbours, for every i below A.

    Raises ValueError for another shape, an odd number of states or fewer than four.
    """
    check_shapes("neighbour_fdr_loss", least=4, embedding=(embedding, "B 2"))
    check_types("neighbour_fdr_loss", {"embedding": embedding})
    size = len(embedding)
    if size % 2 or not embedding_dof > 0:
        raise ValueError(
            f"neighbour_fdr_loss: got {size} states and embedding_dof {embedding_dof}, expected an even number of "
            "states and a number above 0."
        )
    half, power = size // 2, (embedding_dof + 1) / 2
    squares = embedding.square().sum(1)
    distances = torch.addmm(squares, embedding, embedding.T, alpha=-2) + squares.unsqueeze(1)
    kernel = distances.clamp_min(0).div(embedding_dof).add(1)
    kernel = kernel.reciprocal() if power == 1 else kernel.pow(-power)  # a logarithm of every pair would take longer
    total = kernel.sum(1) - kernel.diagonal()
    between = (embedding[:half] - embedding[half:]).square().sum(1)
    return total.log().mean() + power * torch.log1p(between / embedding_dof).mean()
