"""One update: several epochs of minibatches over a rollout.

L = L_policy − c_entropy·entropy + c_value·L_value + λ·(c_FDR·L_FDR + c_VQ·(L_codebook + β·L_commitment)).
Statistics stay on the device until the update ends.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.losses.ppo import normalize_advantages, ppo_loss
from semantic_rl.losses.semantic import codebook_loss, commitment_loss, fdr_loss
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.adam import FlatAdam
from semantic_rl.training.device import autocast
from semantic_rl.training.distributed import Workers
from semantic_rl.training.rollout import Progress


class Batch(NamedTuple):
    """One rollout, flattened to S = T·N states, on the device."""

    observation: Tensor
    """[S, H, W, 3], uint8"""
    action: Tensor
    log_prob: Tensor
    value: Tensor
    advantage: Tensor
    returns: Tensor

    def take(self, indices: Tensor) -> "Batch":
        """Return the states [B] of one minibatch."""
        return Batch(*(tensor[indices] for tensor in self))


class Losses(NamedTuple):
    """Scalars of one minibatch; the first is what the gradient is taken of."""

    loss: Tensor
    policy_loss: Tensor
    value_loss: Tensor
    policy_entropy: Tensor
    approx_kl: Tensor
    clip_fraction: Tensor
    fdr_loss: Tensor
    vq_loss: Tensor


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


class Learner:
    """Holds policy and optimiser, whose flat gradient several workers average in one call."""

    def __init__(
        self,
        policy: SemanticPolicy,
        ppo: PPOConfig,
        semantic: SemanticConfig,
        precision: str,
        generator: torch.Generator,
        workers: Workers,
    ) -> None:
        self.policy = policy
        self._ppo = ppo
        self._semantic = semantic
        self._precision = precision
        self._generator = generator
        self._workers = workers
        self.optimizer = FlatAdam(policy, ppo.learning_rate, ppo.adam_epsilon)
        self._device = self.optimizer.gradient.device

    def losses(self, minibatch: Batch, semantic_weight: float) -> tuple[Losses, Tensor]:
        """Compute the losses of a minibatch, and how many of its states fall to each code [K]."""
        ppo, semantic = self._ppo, self._semantic
        with autocast(self._device, self._precision):
            output = self.policy(minibatch.observation)
        terms = ppo_loss(
            output.logits,
            output.value,
            minibatch.action,
            minibatch.log_prob,
            minibatch.value,
            normalize_advantages(minibatch.advantage),
            minibatch.returns,
            ppo.clip_range,
        )
        loss = terms.policy_loss - ppo.entropy_coef * terms.entropy + ppo.value_coef * terms.value_loss
        fdr = vq = torch.zeros((), device=self._device)
        counts = torch.zeros(max(self.policy.num_codes, 1), device=self._device)
        if output.embedding is not None:
            fdr = fdr_loss(output.features, output.embedding, semantic.feature_dof, semantic.embedding_dof)
            vq = codebook_loss(output.embedding, output.code_vector) + semantic.commitment_coef * commitment_loss(
                output.embedding, output.code_vector
            )
            loss = loss + semantic_weight * (semantic.fdr_coef * fdr + semantic.vq_coef * vq)
            codes = torch.arange(self.policy.num_codes, device=self._device)
            counts = (output.code_index.unsqueeze(1) == codes).sum(0).float()
        scalars = Losses(
            loss,
            terms.policy_loss,
            terms.value_loss,
            terms.entropy,
            terms.approx_kl,
            terms.clip_fraction,
            fdr,
            vq,
        )
        return scalars, counts

    def step(self, minibatch: Batch, semantic_weight: float) -> tuple[Tensor, Tensor]:
        """Take one optimiser step; return the losses and the gradient's norm as one vector, and the code counts."""
        losses, counts = self.losses(minibatch, semantic_weight)
        gradient = self.optimizer.gradient.zero_()
        losses.loss.backward()
        self._workers.average(gradient)
        norm = gradient.norm()
        gradient.mul_((self._ppo.max_grad_norm / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.step()
        return torch.stack([*losses, norm]).detach(), counts

    def update(self, batch: Batch, semantic_weight: float, progress: Progress | None = None) -> UpdateStatistics:
        """Learn from one rollout: reshuffled epochs of minibatches."""
        size = len(batch.action)
        total = self._ppo.num_epochs * self._ppo.num_minibatches
        sums = torch.zeros(len(Losses._fields) + 1, device=self._device)
        suspect = torch.zeros_like(sums)
        code_counts = torch.zeros(max(self.policy.num_codes, 1), device=self._device)
        for epoch in range(self._ppo.num_epochs):
            order = torch.randperm(size, generator=self._generator, device=self._device)
            for index, indices in enumerate(order.chunk(self._ppo.num_minibatches)):
                scalars, counts = self.step(batch.take(indices), semantic_weight)
                sums += scalars
                suspect = torch.where(suspect.isfinite().all(), scalars, suspect)
                code_counts += counts
                if progress is not None:
                    progress(epoch * self._ppo.num_minibatches + index + 1, total)
        names = (*Losses._fields, "grad_norm")
        means: list[float]
        suspects: list[float]
        means, suspects = torch.stack([sums / total, suspect]).tolist()
        shares = (code_counts / code_counts.sum().clamp(min=1)).double()
        entropy = -torch.special.xlogy(shares, shares).sum()
        return UpdateStatistics(
            dict(zip(names, means, strict=True)),
            int((code_counts > 0).sum()),
            float(entropy.exp()),
            dict(zip(names, suspects, strict=True)),
        )
