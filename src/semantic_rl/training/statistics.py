"""What an update reports: means of its minibatches, added up on the device and fetched once."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class UpdateStatistics(NamedTuple):
    """Means over the minibatches of an update."""

    losses: dict[str, float]
    """By the names of `Losses`, and `grad_norm` before clipping."""
    codes_in_use: int
    perplexity: float
    """exp of the entropy of the codes' shares: how many codes are used evenly."""

    suspect: dict[str, float]
    """The same of one minibatch: the first in which one of them was not finite, or the last."""

    def first_not_finite(self) -> str | None:
        """Name the term of the loss that first was no finite number, causes before consequences."""
        terms = [name for name in self.suspect if name != "loss"] + ["loss"]
        return next((name for name in terms if not math.isfinite(self.suspect[name])), None)


class Statistics:
    """Adds up the losses of minibatches, and how many states fell to each code, in tensors that never move."""

    def __init__(self, losses: Sequence[str], num_codes: int, device: torch.device) -> None:
        self._names = (*losses, "grad_norm")
        self._sums = torch.zeros(len(self._names), device=device)
        self._suspect = torch.zeros_like(self._sums)
        self._code_counts = torch.zeros(max(num_codes, 1), device=device)

    def reset(self) -> None:
        """Begin an update."""
        for tensor in (self._sums, self._suspect, self._code_counts):
            tensor.zero_()

    def add(self, losses: Tensor, counts: Tensor) -> None:
        """Add a minibatch: its losses with the gradient's norm behind them, and states of each code [K]."""
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
