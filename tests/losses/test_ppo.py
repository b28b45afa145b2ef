"""PPO's losses are those of a loop over states in NumPy, and so are their gradients."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.losses.ppo import PPOLoss, normalize_advantages, ppo_loss

B, A = 40, 15


def minibatch(seed: int = 0, shift: float = 0.3) -> dict[str, Tensor]:
    """A minibatch in float64 in which some ratios and values are clipped, on both sides."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, A, generator=generator, dtype=torch.float64)
    actions = torch.randint(0, A, (B,), generator=generator)
    log_prob = logits.log_softmax(1).gather(1, actions.unsqueeze(1)).squeeze(1)
    noise = torch.randn(5, B, generator=generator, dtype=torch.float64)
    return {
        "logits": logits,
        "value": noise[0],
        "actions": actions,
        "old_log_prob": log_prob + shift * noise[1],
        "old_value": noise[0] + shift * noise[2],
        "advantages": noise[3],
        "returns": noise[4],
    }


def loop(batch: dict[str, NDArray[Any]], clip: float) -> dict[str, float]:
    """All losses, state by state; the gradient's sign conventions are those of a loss to be made small."""
    sums = dict.fromkeys(PPOLoss._fields, 0.0)
    for state in range(B):
        weights = [math.exp(logit) for logit in batch["logits"][state]]
        probabilities = [weight / sum(weights) for weight in weights]
        log_ratio = math.log(probabilities[batch["actions"][state]]) - batch["old_log_prob"][state]
        ratio, advantage = math.exp(log_ratio), batch["advantages"][state]
        sums["policy_loss"] -= min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
        old, value, target = batch["old_value"][state], batch["value"][state], batch["returns"][state]
        clipped = old + min(max(value - old, -clip), clip)
        sums["value_loss"] += 0.5 * max((value - target) ** 2, (clipped - target) ** 2)
        sums["entropy"] -= sum(p * math.log(p) for p in probabilities)
        sums["approx_kl"] += 0.5 * log_ratio**2
        sums["clip_fraction"] += abs(ratio - 1) > clip
    return {name: total / B for name, total in sums.items()}


@pytest.mark.parametrize("clip", [0.2, 0.05])
@pytest.mark.parametrize("seed", [0, 1])
def test_losses_are_those_of_a_loop(clip: float, seed: int) -> None:
    batch = minibatch(seed)
    expected = loop({name: value.numpy() for name, value in batch.items()}, clip)
    assert 0 < expected["clip_fraction"] < 1
    for name, value in ppo_loss(**batch, clip_range=clip)._asdict().items():
        assert value.shape == ()
        # the clip fraction is counted in float32
        assert value.item() == pytest.approx(expected[name], rel=1e-6 if name == "clip_fraction" else 1e-12), name


@pytest.mark.parametrize("term", ["policy_loss", "value_loss", "entropy"])
def test_gradients_are_those_of_the_loops_differences(term: str) -> None:
    batch = minibatch()
    source = "value" if term == "value_loss" else "logits"
    batch[source].requires_grad_()
    (gradient,) = torch.autograd.grad(getattr(ppo_loss(**batch), term), batch[source])
    numbers = {name: value.detach().numpy().copy() for name, value in batch.items()}
    step = 1e-6
    for index in [(3,), (17,), (39,)] if source == "value" else [(0, 0), (5, 7), (39, 14)]:
        outcomes: list[float] = []
        for sign in (1, -1):
            moved = {name: value.copy() for name, value in numbers.items()}
            moved[source][index] += sign * step
            outcomes.append(loop(moved, 0.2)[term])
        slope = (outcomes[0] - outcomes[1]) / (2 * step)
        assert gradient[index].item() == pytest.approx(slope, abs=1e-9)


def test_a_clipped_ratio_gives_the_policy_no_gradient_where_it_would_go_on() -> None:
    """Ratio above 1.2 with an advantage: nothing; the same ratio with a disadvantage: pull back."""
    batch = minibatch(shift=0.0)
    batch["old_log_prob"] = batch["old_log_prob"] - 1.0
    for advantage, moves in ((1.0, False), (-1.0, True)):
        batch["advantages"] = torch.full((B,), advantage, dtype=torch.float64)
        batch["logits"] = batch["logits"].detach().requires_grad_()
        ppo_loss(**batch).policy_loss.backward()
        assert batch["logits"].grad is not None
        assert bool(batch["logits"].grad.any()) is moves


def test_what_is_only_watched_carries_no_gradient() -> None:
    batch = minibatch()
    batch["logits"].requires_grad_()
    loss = ppo_loss(**batch)
    assert not loss.approx_kl.requires_grad
    assert not loss.clip_fraction.requires_grad


def test_at_the_old_policy_the_loss_is_minus_the_mean_advantage() -> None:
    batch = minibatch(shift=0.0)
    loss = ppo_loss(**batch)
    assert loss.policy_loss.item() == pytest.approx(-batch["advantages"].mean().item(), rel=1e-12)
    assert loss.approx_kl.item() == pytest.approx(0, abs=1e-20)
    assert loss.clip_fraction.item() == 0


def test_a_uniform_policy_has_the_entropy_of_its_actions() -> None:
    batch = minibatch() | {"logits": torch.zeros(B, A, dtype=torch.float64)}
    assert ppo_loss(**batch).entropy.item() == pytest.approx(math.log(A))


def test_advantages_are_normalised_by_the_population_deviation() -> None:
    advantages = torch.randn(B, dtype=torch.float64) * 3 + 2
    numbers = advantages.numpy()
    deviation = math.sqrt(sum((value - numbers.mean()) ** 2 for value in numbers) / B)
    np.testing.assert_allclose(
        normalize_advantages(advantages).numpy(), (numbers - numbers.mean()) / (deviation + 1e-8), rtol=1e-12
    )


def test_equal_advantages_become_zero_and_not_nan() -> None:
    assert torch.equal(normalize_advantages(torch.full((B,), 5.0)), torch.zeros(B))


@pytest.mark.parametrize("name", ["value", "old_log_prob", "old_value", "advantages", "returns", "actions"])
@pytest.mark.parametrize("change", [lambda column: column[:-1], lambda column: column.unsqueeze(1)])
def test_columns_of_another_shape_are_named_and_not_stretched(name: str, change: Callable[[Tensor], Tensor]) -> None:
    batch = minibatch(0)
    with pytest.raises(ValueError, match=rf"ppo_loss: got .*; expected logits \[B, A\], .*{name} \[B\]"):
        ppo_loss(**{**batch, name: change(batch[name])})


def test_actions_of_another_type_and_an_empty_batch_are_named() -> None:
    batch = minibatch(0)
    with pytest.raises(ValueError, match=r"actions is torch.float64, expected torch.int64"):
        ppo_loss(**{**batch, "actions": batch["actions"].double()})
    with pytest.raises(ValueError, match="B of at least 1"):
        ppo_loss(**{name: column[:0] for name, column in batch.items()})
    with pytest.raises(ValueError, match=r"advantages \[0\]; expected advantages \[B\] and B of at least 1"):
        normalize_advantages(torch.zeros(0))


def test_a_single_state_has_the_losses_of_the_formula() -> None:
    batch = {name: column[:1] for name, column in minibatch(1).items()}
    losses = ppo_loss(**batch)._asdict()
    assert all(math.isfinite(value.item()) for value in losses.values())
    assert normalize_advantages(torch.tensor([3.0])).item() == 0
