"""The optimiser of a fit."""

import subprocess
import sys

import torch
from torch import nn

from semantic_rl.clustering.adam import Adam


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))


def test_it_moves_as_pytorchs_does() -> None:
    ours, theirs = network(), network()
    optimizer = Adam(list(ours.parameters()))
    expected = torch.optim.Adam(theirs.parameters())
    generator = torch.Generator().manual_seed(1)
    for step in range(40):
        learning_rate = 0.01 * (1 + step % 7)
        expected.param_groups[0]["lr"] = learning_rate
        inputs = torch.randn(16, 5, generator=generator) * 10.0 ** (step % 5 - 2)
        for module in (ours, theirs):
            (optimizer if module is ours else expected).zero_grad()
            module(inputs).square().mean().backward()
        optimizer.step(learning_rate)
        expected.step()
        for found, wanted in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-8)
    for (mean, square), parameter in zip(optimizer.moments(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mean, expected.state[parameter]["exp_avg"], rtol=1e-5, atol=1e-8)
        torch.testing.assert_close(square, expected.state[parameter]["exp_avg_sq"], rtol=1e-5, atol=1e-8)


def test_a_fit_imports_no_compiler() -> None:
    code = """
import sys
import numpy as np
from semantic_rl.clustering.plane import PlaneFit
from semantic_rl.config.fit import FitConfig
from pathlib import Path
config = FitConfig(Path("r"), codes=2, steps=20, head="linear")
features = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
PlaneFit(features, None, config).run(Path("checkpoint"), False, lambda done, total: None)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"
