"""Statistics of an update: means over its minibatches, accumulated on the device and fetched once."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class UpdateStatistics(NamedTuple):
    """Means over the minibatches of an update."""

    losses: dict[str, float]
    """By the names of `Losses`; also `grad_norm`, before clipping."""
    codes_in_use: int
    perplexity: float
    """exp of the entropy of the codes' shares: the effective number of codes in use."""

    suspect: dict[str, float]
    """The losses of one minibatch: the first one with a loss that is not finite, or else the last one."""

    def first_not_finite(self) -> str | None:
        """Return the name of the term of the loss that stopped being finite; causes are named before consequences."""
        terms = [name for name in self.suspect if name != "loss"] + ["loss"]
        return next((name for name in terms if not math.isfinite(self.suspect[name])), None)


class Statistics:
    """Accumulates the losses of minibatches and the number of states of each code, in preallocated tensors."""

    def __init__(self, losses: Sequence[str], num_codes: int, device: torch.device) -> None:
        self._names = (*losses, "grad_norm")
        self._sums = torch.zeros(len(self._names), device=device)
        self._suspect = torch.zeros_like(self._sums)
        self._code_counts = torch.zeros(max(num_codes, 1), device=device)

    def reset(self) -> None:
        """Start a new update."""
        for tensor in (self._sums, self._suspect, self._code_counts):
            tensor.zero_()

    def add(self, losses: Tensor, counts: Tensor) -> None:
        """Add a minibatch: its losses followed by the gradient's norm, and the number of states of each code [K]."""
        self._sums += losses
        self._suspect.copy_(torch.where(self._suspect.isfinite().all(), losses, self._suspect))
        self._code_counts += counts

    def fetch(self, num_minibatches: int) -> UpdateStatistics:
        """Wait for the device and return the update's statistics."""
        everything = torch.cat([self._sums / num_minibatches, self._suspect, self._code_counts]).cpu()
        size = len(self._names)
        means, suspects, code_counts = everything.split([size, size, len(everything) - 2 * size])
        shares = (code_counts / code_counts.sum().clamp(min=1)).double()
        entropy = -torch.special.xlogy(shares, shares).sum()
        return UpdateStatistics(
            dict(zip(self._names, means.tolist(), strict=True)),
            int((code_counts > 0).sum()),
            float(entropy.exp()),
            dict(zip(self._names, suspects.tolist(), strict=True)),
        )
