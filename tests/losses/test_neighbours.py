"""The FDR loss over pairs of neighbours equals a loop over states, and its gradient equals autograd's of that loop."""

import pytest
import torch
from torch import Tensor

from semantic_rl.losses.neighbours import neighbour_fdr_loss


def by_loop(embedding: Tensor, dof: float) -> Tensor:
    """Compute the mean of −log q of the partners, state by state."""
    size = len(embedding)
    total = embedding.new_zeros(())
    for i in range(size):
        others = [j for j in range(size) if j != i]
        kernel = (1 + (embedding[i] - embedding[others]).square().sum(1) / dof) ** (-(dof + 1) / 2)
        total = total - (kernel[others.index((i + size // 2) % size)] / kernel.sum()).log()
    return total / size


@pytest.mark.parametrize("dof", [1.0, 3.0, 20.0])
def test_loss_and_gradient_equal_those_of_a_loop(dof: float) -> None:
    embedding = (5 * torch.randn(12, 2, generator=torch.Generator().manual_seed(0))).requires_grad_()
    expected = by_loop(embedding.double(), dof)
    (wanted,) = torch.autograd.grad(expected, embedding)
    found = neighbour_fdr_loss(embedding, dof)
    (gradient,) = torch.autograd.grad(found, embedding)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-6)


def test_places_that_coincide_have_finite_gradients() -> None:
    embedding = torch.zeros(8, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(neighbour_fdr_loss(embedding), embedding)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(("size", "dof"), [(5, 1.0), (2, 1.0), (8, 0.0), (8, float("nan"))])
def test_other_shapes_and_degrees_of_freedom_are_refused(size: int, dof: float) -> None:
    with pytest.raises(ValueError, match="neighbour_fdr_loss"):
        neighbour_fdr_loss(torch.zeros(size, 2), dof)
