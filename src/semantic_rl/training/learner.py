"""One PPO update: several epochs of minibatches over a rollout.

L = L_policy − c_entropy·entropy + c_value·L_value + λ·(c_FDR·L_FDR + c_VQ·(L_codebook + β·L_commitment)).
Statistics stay on the device until the update ends, so nothing synchronises with the device before.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.losses.ppo import normalize_advantages, ppo_loss
from semantic_rl.losses.semantic import codebook_loss, commitment_loss, fdr_loss
from semantic_rl.models.policy import PolicyOutput, SemanticPolicy
from semantic_rl.progress_bar import OnProgress
from semantic_rl.training.actors import Network
from semantic_rl.training.adam import FlatAdam
from semantic_rl.training.batch import Batch
from semantic_rl.training.cast_weights import WorkingPolicy
from semantic_rl.training.device import autocast, to_device
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution, StaticWork
from semantic_rl.training.statistics import Statistics, UpdateStatistics


class Losses(NamedTuple):
    """Scalars of one minibatch; the first is the total loss, which is differentiated."""

    loss: Tensor
    policy_loss: Tensor
    value_loss: Tensor
    policy_entropy: Tensor
    approx_kl: Tensor
    clip_fraction: Tensor
    fdr_loss: Tensor
    vq_loss: Tensor


class Learner:
    """Trains a policy with an optimiser whose flat gradient several workers average in one call.

    Unless the `execution` is plain, minibatches are copied into preallocated tensors and the network computes with
    copies of its weights in the run's precision (`training.cast_weights`).
    """

    def __init__(
        self,
        policy: SemanticPolicy,
        ppo: PPOConfig,
        semantic: SemanticConfig,
        precision: str,
        generator: torch.Generator,
        workers: Workers,
        execution: Execution = Execution.PLAIN,
    ) -> None:
        self.policy = policy
        self._ppo = ppo
        self._semantic = semantic
        self._precision = precision
        self._generator = generator
        self._workers = workers
        is_static = execution is not Execution.PLAIN
        self.optimizer = FlatAdam(policy, ppo.learning_rate, ppo.adam_epsilon, channels_last=is_static)
        self._device = self.optimizer.gradient.device
        self._codes = torch.arange(policy.num_codes, device=self._device)
        self._statistics = Statistics(Losses._fields, policy.num_codes, self._device)
        self.working = WorkingPolicy(policy, self.optimizer, precision) if is_static else None
        self._as_graphs = execution is Execution.GRAPHS
        self._static: StaticLearning | None = None

    @property
    def network(self) -> Network:
        """The network in the run's precision, which maps uint8 observations [B, 64, 64, 3] to all its outputs."""
        return self._autocast_policy if self.working is None else self.working

    def _autocast_policy(self, observation: Tensor) -> PolicyOutput:
        with autocast(self._device, self._precision):
            return self.policy(observation)

    def losses(self, minibatch: Batch, semantic_weight: float | Tensor) -> tuple[Losses, Tensor]:
        """Compute the losses of a minibatch, and the number of its states that are assigned to each code [K]."""
        ppo, semantic = self._ppo, self._semantic
        output = self.network(minibatch.observation)
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
        if output.embedding is not None and output.code_vector is not None and output.code_index is not None:
            fdr = fdr_loss(output.features, output.embedding, semantic.feature_dof, semantic.embedding_dof)
            vq = codebook_loss(output.embedding, output.code_vector) + semantic.commitment_coef * commitment_loss(
                output.embedding, output.code_vector
            )
            loss = loss + semantic_weight * (semantic.fdr_coef * fdr + semantic.vq_coef * vq)
            counts = (output.code_index.unsqueeze(1) == self._codes).sum(0).float()
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
        losses, counts = self.find_gradient(minibatch, semantic_weight)
        self._workers.average(self.optimizer.gradient)
        self.optimizer.advance()
        return torch.stack([*losses, self.move()]).detach(), counts

    def restore(self, optimizer: dict[str, Tensor]) -> None:
        """Restore the optimiser's state, after the policy's weights have been set."""
        self.optimizer.restore(optimizer)
        if self.working is not None:
            self.working.refresh()

    def find_gradient(self, minibatch: Batch, semantic_weight: float | Tensor) -> tuple[Losses, Tensor]:
        """Compute losses and code counts, and write the gradient into the optimiser's vector."""
        losses, counts = self.losses(minibatch, semantic_weight)
        if self.working is None:
            self.optimizer.gradient.zero_()
            losses.loss.backward()
        else:
            self.working.backward(losses.loss)
        return losses, counts

    def move(self) -> Tensor:
        """Clip the gradient and update the weights; return the gradient's norm before clipping."""
        gradient = self.optimizer.gradient
        norm = gradient.norm()
        gradient.mul_((self._ppo.max_grad_norm / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.move()
        if self.working is not None:
            self.working.refresh()
        return norm

    def update(
        self,
        batch: Batch,
        semantic_weight: float,
        on_progress: OnProgress | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> UpdateStatistics:
        """Learn from one rollout, in epochs of minibatches that are reshuffled each time.

        `meanwhile` is called after all work has been submitted; a GPU is still busy with it for a while.
        """
        size, num_minibatches = len(batch.action), self._ppo.num_minibatches
        total = self._ppo.num_epochs * num_minibatches
        statistics = self._statistics
        statistics.reset()
        orders = torch.stack([torch.randperm(size, generator=self._generator) for _ in range(self._ppo.num_epochs)])
        orders = to_device(orders, self._device)
        for epoch, order in enumerate(orders):
            for index, indices in enumerate(order.chunk(num_minibatches)):
                if self.working is None:
                    statistics.add(*self.step(batch.take(indices), semantic_weight))
                else:
                    self._static_learning(batch, len(indices)).step(batch, indices, semantic_weight)
                if on_progress is not None:
                    on_progress(epoch * num_minibatches + index + 1, total)
        if meanwhile is not None:
            meanwhile()
        return statistics.fetch(total)

    def _static_learning(self, batch: Batch, size: int) -> "StaticLearning":
        if self._static is None or self._static.size != size:
            self._static = StaticLearning(self, self._statistics, self._workers, batch, size, self._as_graphs)
        return self._static


class StaticLearning:
    """Optimiser steps on minibatches of one size, which are copied into preallocated tensors."""

    def __init__(
        self, learner: Learner, statistics: Statistics, workers: Workers, batch: Batch, size: int, as_graphs: bool
    ) -> None:
        self.size = size
        self._learner = learner
        self._statistics = statistics
        self._workers = workers
        self._minibatch = Batch(*(column.new_empty(size, *column.shape[1:]) for column in batch))
        device = batch.action.device
        self._semantic_weight = torch.zeros((), device=device)
        self._losses = torch.zeros(len(Losses._fields), device=device)
        self._counts = torch.zeros(max(learner.policy.num_codes, 1), device=device)
        # Several workers average their gradients between the two parts, which cannot be captured in a graph.
        parts = (self._step,) if workers.size == 1 else (self._find_gradient, self._move)
        self._work = [StaticWork(part, as_graphs) for part in parts]

    def step(self, batch: Batch, indices: Tensor, semantic_weight: float) -> None:
        """Take one optimiser step on some states of the batch and add up its statistics; the host does not wait."""
        for column, buffer in zip(batch, self._minibatch, strict=True):
            torch.index_select(column, 0, indices, out=buffer)
        self._semantic_weight.fill_(semantic_weight)
        self._learner.optimizer.advance()
        self._work[0]()
        if len(self._work) > 1:
            self._workers.average(self._learner.optimizer.gradient)
            self._work[1]()

    def _step(self) -> None:
        self._find_gradient()
        self._move()

    def _find_gradient(self) -> None:
        losses, counts = self._learner.find_gradient(self._minibatch, self._semantic_weight)
        self._losses.copy_(torch.stack(losses).detach())
        self._counts.copy_(counts)

    def _move(self) -> None:
        norm = self._learner.move()
        self._statistics.add(torch.cat([self._losses, norm.unsqueeze(0)]), self._counts)
