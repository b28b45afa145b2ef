"""The semantic clustering module: a linear map from the features to a plane, and a codebook in that plane.

Section 3 of the paper. The embedding y of a state is assigned to the nearest code, k = argmin_j ‖y − E_j‖². The index
is not differentiable; the codes are trained by the losses in `losses.semantic`.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semantic_rl.models.impala import NUM_FEATURES, initialize_glorot
from semantic_rl.shapes import check_shapes

HIDDEN_SIZE = 128
EMBEDDING_SIZE = 2


class SemanticOutput(NamedTuple):
    """Embeddings of states, and their clusters."""

    embedding: Tensor
    """[B, 2]."""
    code_index: Tensor
    """[B], int64 in 0–K−1."""
    code_vector: Tensor
    """[B, 2]: the code of each state; gradients reach the codebook through it."""


class SemanticClustering(nn.Module):
    """The FDR head and the codebook."""

    def __init__(self, num_codes: int) -> None:
        super().__init__()
        if num_codes < 1:
            raise ValueError(f"SemanticClustering: got {num_codes} codes, expected at least 1.")
        self.hidden = nn.Linear(NUM_FEATURES, HIDDEN_SIZE)
        self.output = nn.Linear(HIDDEN_SIZE, EMBEDDING_SIZE)
        self.codebook = nn.Parameter(torch.empty(num_codes, EMBEDDING_SIZE))
        for layer in (self.hidden, self.output):
            initialize_glorot(layer)
        nn.init.uniform_(self.codebook, -1 / num_codes, 1 / num_codes)

    def code_distances(self, embedding: Tensor) -> Tensor:
        """Return squared distances [B, K] of embeddings [B, 2] to every code; raises ValueError for another shape."""
        check_shapes("code_distances", least=0, embedding=(embedding, f"B {EMBEDDING_SIZE}"))
        return (embedding.unsqueeze(1) - self.codebook).square().sum(2)

    def forward(self, features: Tensor) -> SemanticOutput:
        """Embed float32 features [B, 256] and assign them to clusters; raises ValueError for another shape."""
        check_shapes("SemanticClustering", least=0, features=(features, f"B {NUM_FEATURES}"))
        embedding = self.output(self.hidden(features))  # no activation in between, so the map is linear
        code_index = self.code_distances(embedding.detach()).argmin(1)
        return SemanticOutput(embedding, code_index, _look_up(code_index, self.codebook))


def _look_up(code_index: Tensor, codebook: Tensor) -> Tensor:
    """Return the codes [B, 2] of indices [B].

    On a GPU the gradient of `embedding` is slow if many states share few codes. There the code is computed as a sum
    over all codes, each multiplied by 0 or 1: the result is the same, and its gradient is summed in parallel.
    """
    if not (codebook.is_cuda and torch.is_grad_enabled()):
        return F.embedding(code_index, codebook)
    return _select(code_index, codebook)


def _select(code_index: Tensor, codebook: Tensor) -> Tensor:
    is_code = code_index.unsqueeze(1) == torch.arange(len(codebook), device=codebook.device)
    return (is_code.unsqueeze(2) * codebook).sum(1)
