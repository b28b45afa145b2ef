"""Codes looked up by a sum, as a GPU does while it learns, and their gradient are those of `embedding`."""

import pytest
import torch
from devices import DEVICES
from torch.nn import functional as F

from semantic_rl.models.semantic import _look_up, _select


@pytest.mark.parametrize("device", DEVICES)
def test_codes_and_their_gradient_are_those_of_embedding(device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    codebook = torch.randn(8, 2, generator=generator).to(device).requires_grad_()
    code_index = torch.randint(7, (2048,), generator=generator).to(device)  # no state has the last code
    weight = torch.randn(2048, 2, generator=generator).to(device)
    expected = F.embedding(code_index, codebook)
    (expected_gradient,) = torch.autograd.grad((expected * weight).sum(), codebook)
    for find in (_select, _look_up):
        found = find(code_index, codebook)
        assert torch.equal(found, expected)
        (gradient,) = torch.autograd.grad((found * weight).sum(), codebook)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-4)
        assert not gradient[7].any()
