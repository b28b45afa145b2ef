"""One minibatch of the original: losses, clipped gradients and the weights after one step of Adam are its own."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from plain_trunk import plain_features
from torch import Tensor

from semantic_rl.losses.ppo import ppo_loss
from semantic_rl.losses.semantic import codebook_loss, commitment_loss, fdr_loss
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.original.weight_names import from_original, original_names, to_our_layout
from semantic_rl.training.adam import FlatAdam

Case = dict[str, NDArray[Any]]
NAMES = original_names(True)
ROWS_KEPT = 64
"""Of the 2048×256 kernel the file has the first rows, and the norm of the whole."""


class Outcome(NamedTuple):
    """What our code makes of the minibatch."""

    losses: dict[str, float]
    gradients: dict[str, Tensor]
    """After clipping."""


@pytest.fixture(scope="module")
def case(reference_dir: Path) -> Case:
    """The file's arrays; our names stand for the original's."""
    arrays = dict(np.load(reference_dir / "original_minibatch.npz"))
    for ours, theirs in NAMES.items():
        for kind in ("g", "w1", "w"):
            key = next(key for key in arrays if key.startswith(f"{kind}/") and key.endswith(f"/{theirs}"))
            for suffix in ("", "/norm"):
                if key + suffix in arrays:
                    arrays[f"{kind}:{ours}{suffix}"] = arrays[key + suffix]
    return arrays


def load(case: Case) -> SemanticPolicy:
    policy = SemanticPolicy()
    policy.load_state_dict(from_original({name[2:]: case[name] for name in case if name.startswith("w/")}))
    return policy


@pytest.fixture(scope="module")
def outcome(case: Case) -> Outcome:
    policy = load(case)
    losses = backward(policy, case)
    gradients = {name: value.grad for name, value in policy.named_parameters() if value.grad is not None}
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients.values()))
    scale = min(1.0, float(case["max_grad_norm"]) / norm)
    return Outcome(losses, {name: gradient * scale for name, gradient in gradients.items()})


def backward(policy: SemanticPolicy, case: Case) -> dict[str, float]:
    """Compute the losses by the original's names, and their gradient."""
    given = {name: torch.from_numpy(case[name]) for name in ("obs", "actions", "advantages", "returns", "old_values")}
    output = policy(given["obs"])
    ppo = ppo_loss(
        output.logits,
        output.value,
        given["actions"],
        -torch.from_numpy(case["old_neglogp"]),
        given["old_values"],
        given["advantages"],
        given["returns"],
        float(case["clip"]),
    )
    fdr = fdr_loss(output.features, output.embedding, float(case["alpha1"]), float(case["alpha2"]))
    vq = codebook_loss(output.embedding, output.code_vector)
    vq = vq + float(case["beta"]) * commitment_loss(output.embedding, output.code_vector)
    semantic = float(case["skill_coef"]) * fdr + float(case["vq_coef"]) * vq
    loss = ppo.policy_loss - float(case["ent_coef"]) * ppo.entropy + float(case["vf_coef"]) * ppo.value_loss
    loss = loss + float(case["semantic_weight"]) * semantic
    loss.backward()
    named = {
        "loss": loss,
        "policy_loss": ppo.policy_loss,
        "value_loss": ppo.value_loss,
        "skill_loss": fdr,
        "vq_loss": vq,
        "policy_entropy": ppo.entropy,
        "approxkl": ppo.approx_kl,
        "clipfrac": ppo.clip_fraction,
    }
    return {name: value.item() for name, value in named.items()}


@pytest.mark.parametrize(
    "name",
    ["loss", "value_loss", "skill_loss", "vq_loss", "policy_entropy", "approxkl", "clipfrac"],
)
def test_losses_are_the_originals(case: Case, outcome: Outcome, name: str) -> None:
    assert outcome.losses[name] == pytest.approx(float(case[f"loss/{name}"]), rel=2e-5)


@torch.no_grad()
def exact_policy_loss(case: Case) -> float:
    """The policy loss in float64, from PyTorch's own parts and the formula as it is written."""
    policy = load(case).double()
    features = plain_features(policy.trunk, torch.from_numpy(case["obs"]))
    assert policy.semantic is not None
    index = policy.semantic(features).code_index
    logits = policy.policy_head(features + (index.double() / policy.num_codes).unsqueeze(1))
    chosen = logits.log_softmax(1).gather(1, torch.from_numpy(case["actions"]).long().unsqueeze(1)).squeeze(1)
    ratio = torch.exp(chosen + torch.from_numpy(case["old_neglogp"]).double())
    advantages, clip = torch.from_numpy(case["advantages"]).double(), float(case["clip"])
    return float(torch.maximum(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)).mean())


def test_the_policy_loss_is_what_the_originals_formula_gives(case: Case, outcome: Outcome) -> None:
    """It is a small mean of large terms: the original's own float32 value is 2.1e-5 from its formula's in float64."""
    exact = exact_policy_loss(case)
    assert float(case["loss/policy_loss"]) == pytest.approx(exact, rel=2.2e-5)
    assert outcome.losses["policy_loss"] == pytest.approx(exact, rel=2e-5)


def in_file(name: str, value: Tensor) -> Tensor:
    """Return a view of what the file has of our parameter."""
    if name != "trunk.dense.weight":
        return value
    height_width_channels = value.view(256, 32, 8, 8).permute(2, 3, 1, 0)
    return height_width_channels[0, : ROWS_KEPT // 32]


def of_file(name: str, value: NDArray[np.float32]) -> Tensor:
    """Bring the file's array into our layout; of the large kernel [width, channel, feature] of its first rows."""
    if name == "trunk.dense.weight":
        return torch.from_numpy(value[:ROWS_KEPT].reshape(-1, 32, 256))
    return to_our_layout(name, value)


def relative_distance(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return ((ours - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize("name", NAMES)
def test_clipped_gradients_are_the_originals(case: Case, outcome: Outcome, name: str) -> None:
    gradient = outcome.gradients[name]
    assert relative_distance(in_file(name, gradient), of_file(name, case[f"g:{name}"])) < 3e-3
    if f"g:{name}/norm" in case:
        assert gradient.norm().item() == pytest.approx(float(case[f"g:{name}/norm"]), rel=3e-3)


@pytest.fixture(scope="module")
def stepped(case: Case) -> SemanticPolicy:
    """The policy after one step of our Adam along the original's own gradient."""
    policy = load(case)
    adam = FlatAdam(policy, float(case["lr"]), float(case["adam_eps"]))
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None
        in_file(name, parameter.grad).copy_(of_file(name, case[f"g:{name}"]))
    adam.step()
    return policy


@pytest.mark.parametrize("name", NAMES)
def test_a_step_of_adam_along_the_originals_gradient_is_the_originals(
    case: Case, stepped: SemanticPolicy, name: str
) -> None:
    """Along our own gradient it would magnify what is left of differences: Adam divides by their size."""
    before, after = (of_file(name, case[f"{kind}:{name}"]) for kind in ("w", "w1"))
    step = in_file(name, dict(stepped.named_parameters())[name].detach()) - before
    assert relative_distance(step, after - before) < 1e-4
