"""The FDR loss's GPU kernels give loss and gradients of the CPU's way in float64; a CPU interprets them.

Triton decides whether to interpret when it is imported, so that a process of its own does it.
"""

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from semantic_rl.losses.semantic import fdr_loss

HAS_CUDA = torch.cuda.is_available()
needs_cuda = pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="no CUDA device, nor Triton to interpret its kernels"
)
KINDS = ["trained", "near-equal pairs", "equal points", "far from the origin", "clipped", "NaN"]
SOURCE = Path(__file__).resolve().parents[2] / "src"

INTERPRET = """
import sys, torch
from semantic_rl.losses.fdr_kernels import loss_and_gradients
torch.save([tuple(loss_and_gradients(*case)) for case in torch.load(sys.argv[1])], sys.argv[2])
"""


class Case(NamedTuple):
    kind: str
    size: int
    dofs: tuple[float, float]

    def points(self) -> tuple[Tensor, Tensor]:
        """Features [B, 16] and embedding [B, 2] in float32."""
        generator = torch.Generator().manual_seed(self.size)
        features = torch.randn(self.size, 16, generator=generator).relu() * 2
        embedding = torch.randn(self.size, 2, generator=generator) * 3
        if self.kind == "near-equal pairs":
            half = self.size // 2
            features[:half] = features[-half:] + 1e-3 * features[:half]
            embedding[:half] = embedding[-half:] + 1e-3 * embedding[:half]
        elif self.kind == "equal points":
            features, embedding = torch.full_like(features, 0.3), torch.full_like(embedding, -0.7)
        elif self.kind == "far from the origin":
            features, embedding = features + 500, embedding - 500
        elif self.kind == "clipped":
            side = torch.arange(self.size).unsqueeze(1) % 2
            features, embedding = features * 0.15 + side * 6, embedding * 0.1 + side * 20
        elif self.kind == "NaN":
            features[0, 0] = embedding[-1, 0] = torch.nan
        return features, embedding


DOFS = [(20.0, 20.0), (20.0, 1.0), (1.0, 20.0)]
CASES = [Case(kind, size, (20.0, 20.0)) for kind in KINDS for size in (2, 3, 17)]
CASES += [Case("trained", 3, dofs) for dofs in DOFS[1:]]
CASES += [Case("far from the origin", 17, (1.0, 1.0)), Case("near-equal pairs", 17, (1.0, 20.0))]
CASES += [Case("clipped", 33, (20.0, 1.0))]
LARGE = [Case("clipped", 140, (20.0, 20.0))]
ON_CUDA = [Case(kind, size, (20.0, 20.0)) for kind in KINDS for size in (127, 2048)]
ON_CUDA += [Case("trained", size, (20.0, 1.0)) for size in (512, 2048, 2049, 4096)]


@functools.cache
def interpreted(large: bool) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Loss and gradients of all cases."""
    arguments = [(*case.points(), *case.dofs, True) for case in (LARGE if large else CASES)]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.pt"), Path(folder, "found.pt")
        torch.save(arguments, given)
        environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(SOURCE), "TRITON_CACHE_DIR": folder}
        subprocess.run([sys.executable, "-c", INTERPRET, given, found], env=environment, check=True)
        return torch.load(found)


def on_cuda(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    points = [part.cuda().requires_grad_() for part in case.points()]
    loss = fdr_loss(*points, *case.dofs)
    features, embedding = torch.autograd.grad(loss, points)
    return loss.detach().cpu(), features.cpu(), embedding.cpu()


def cpus_way(case: Case, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    points = [part.to(dtype).requires_grad_() for part in case.points()]
    loss = fdr_loss(*points, *case.dofs)
    features, embedding = torch.autograd.grad(loss, points)
    return loss.detach(), features, embedding


def assert_agree(found: tuple[Tensor, Tensor, Tensor], case: Case) -> None:
    exact = cpus_way(case, torch.float64)
    if case.kind == "NaN":
        assert all(part.isnan().any() for part in exact)
        assert all(part.isnan().any() for part in found)
        return
    # Where u is 1 but for a few bits, so are the features' softmaxes equal, and their gradient is what is left.
    allowed = (2e-6, 5e-3 if case.kind == "near-equal pairs" else 2e-4, 2e-4)
    for part, expected, relative in zip(found, exact, allowed, strict=True):
        assert part.dtype == torch.float32
        assert part.shape == expected.shape
        assert (part.double() - expected).norm() <= relative * expected.norm() + 1e-8 / case.size


@pytest.mark.skipif(HAS_CUDA, reason="no CUDA device is missing: the kernels run on it")
@pytest.mark.parametrize("index", range(len(CASES)), ids=[str(tuple(case)) for case in CASES])
def test_interpreted_kernels_agree_with_the_cpus_way(index: int) -> None:
    assert_agree(interpreted(False)[index], CASES[index])


@pytest.mark.slow
@pytest.mark.skipif(HAS_CUDA, reason="no CUDA device is missing: the kernels run on it")
@pytest.mark.parametrize("index", range(len(LARGE)), ids=[str(tuple(case)) for case in LARGE])
def test_interpreted_kernels_agree_with_the_cpus_way_on_larger_minibatches(index: int) -> None:
    assert_agree(interpreted(True)[index], LARGE[index])


@needs_cuda
@pytest.mark.parametrize("case", CASES + LARGE + ON_CUDA, ids=lambda case: str(tuple(case)))
def test_kernels_agree_with_the_cpus_way(case: Case) -> None:
    assert_agree(on_cuda(case), case)


@needs_cuda
def test_a_gpu_uses_the_kernels_where_they_fit() -> None:
    from semantic_rl.losses import fdr_kernels

    assert fdr_kernels.can_run(torch.zeros(4096, 3, device="cuda"))
    assert not fdr_kernels.can_run(torch.zeros(4097, 3, device="cuda"))
    assert not fdr_kernels.can_run(torch.zeros(4, 3, device="cuda", dtype=torch.float64))
    for size in (4097, 30):
        case = Case("trained", size, (20.0, 20.0))
        assert_agree(on_cuda(case), case)


@needs_cuda
def test_kernels_give_the_same_bits_again_also_in_a_graph_and_without_gradient() -> None:
    points = [part.cuda().requires_grad_() for part in Case("trained", 2048, (20.0, 20.0)).points()]

    def compute() -> list[Tensor]:
        loss = fdr_loss(*points)
        return [loss.detach(), *torch.autograd.grad(loss, points)]

    once = compute()
    with torch.no_grad():
        assert torch.equal(fdr_loss(*points), once[0])
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        replayed = compute()
    graph.replay()
    for again in (compute(), replayed):
        assert all(torch.equal(first, second) for first, second in zip(once, again, strict=True))
