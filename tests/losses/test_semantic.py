"""The FDR loss is that of loops over pairs, its gradient that of plain autograd, and it never holds B×B×D numbers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from semantic_rl.losses import semantic
from semantic_rl.losses.semantic import codebook_loss, commitment_loss, fdr_loss

Points = tuple[Tensor, Tensor]


def loop_similarities(points: NDArray[np.float64], dof: float) -> NDArray[np.float64]:
    """p_ij of all pairs: normalised over i for every j, then clipped."""
    size = len(points)
    kernel = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            if i != j:
                distance = sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True))
                kernel[i, j] = (1 + distance / dof) ** (-(dof + 1) / 2)
    for j in range(size):
        kernel[:, j] /= sum(kernel[:, j])
    return np.clip(kernel, 1e-10, 1)


def loop_loss(features: NDArray[np.float64], embedding: NDArray[np.float64], dofs: tuple[float, float]) -> float:
    p, q = loop_similarities(features, dofs[0]), loop_similarities(embedding, dofs[1])
    size = len(features)
    return -sum(p[i, j] * math.log(q[i, j]) for i in range(size) for j in range(size)) / size**2


def plain_similarities(points: Tensor, dof: float) -> Tensor:
    distances = (points.unsqueeze(0) - points.unsqueeze(1)).square().sum(2)
    kernel = (1 + distances / dof) ** (-(dof + 1) / 2) * (1 - torch.eye(len(points), dtype=points.dtype))
    return (kernel / kernel.sum(0)).clamp(1e-10, 1)


def plain_loss(features: Tensor, embedding: Tensor, dofs: tuple[float, float]) -> Tensor:
    """The same, as autograd can follow it."""
    p, q = plain_similarities(features, dofs[0]), plain_similarities(embedding, dofs[1])
    return -(p * q.log()).sum() / len(features) ** 2


def make(size: int, spread: tuple[float, float], dimensions: int = 16, seed: int = 0) -> Points:
    """Features at least 0, and embeddings, of the given spread, in float64."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(size, dimensions, generator=generator, dtype=torch.float64).relu() * spread[0]
    embedding = torch.randn(size, 2, generator=generator, dtype=torch.float64) * spread[1]
    return features.requires_grad_(), embedding.requires_grad_()


def clustered(size: int, distances: tuple[float, float], seed: int = 0) -> Points:
    """Two clusters so far apart that pairs across them are clipped."""
    features, embedding = make(size, (0.3, 0.3), seed=seed)
    side = (torch.arange(size) % 2).double().unsqueeze(1)
    return (features.detach() + side * distances[0]).requires_grad_(), (
        embedding.detach() + side * distances[1]
    ).requires_grad_()


CASES: dict[str, Callable[[int], Points]] = {
    "as at first": lambda size: make(size, (0.3, 0.3)),
    "as when trained": lambda size: make(size, (2.0, 3.0)),
    "p clipped": lambda size: clustered(size, (6.0, 0.2)),
    "q clipped": lambda size: clustered(size, (0.2, 20.0)),
    "both clipped": lambda size: clustered(size, (6.0, 20.0)),
    "equal points": lambda size: make(size, (0.0, 0.0)),
}
DOFS = [(20.0, 20.0), (5.0, 1.0)]


def gradients(loss: Tensor, points: Points) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, points)


def assert_near(ours: Tensor, exact: Tensor, relative: float, absolute: float = 1e-15) -> None:
    assert ours.shape == exact.shape
    assert (ours.double() - exact).norm().item() <= relative * exact.norm().item() + absolute


@pytest.mark.parametrize("dofs", DOFS, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_that_of_loops_over_pairs(case: str, dofs: tuple[float, float]) -> None:
    features, embedding = CASES[case](23)
    expected = loop_loss(features.detach().numpy(), embedding.detach().numpy(), dofs)
    assert fdr_loss(features, embedding, *dofs).item() == pytest.approx(expected, rel=1e-11)
    single = fdr_loss(features.float(), embedding.float(), *dofs)
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(expected, rel=1e-5)


def test_the_cases_that_are_to_be_clipped_are() -> None:
    for name, p_clipped, q_clipped in (("p clipped", 1, 0), ("q clipped", 0, 1), ("both clipped", 1, 1)):
        features, embedding = CASES[name](23)
        for points, clipped in ((features, p_clipped), (embedding, q_clipped)):
            similarities = loop_similarities(points.detach().numpy(), 20.0)
            at_limit = (similarities == 1e-10).sum() - 23  # a state and itself
            assert (at_limit > 100) if clipped else (at_limit == 0), name


@pytest.mark.parametrize("dofs", DOFS, ids=str)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [2, 3, 50, 150])
def test_gradients_are_those_of_plain_autograd(case: str, size: int, dofs: tuple[float, float]) -> None:
    points = CASES[case](size)
    expected = gradients(plain_loss(*points, dofs), points)
    # Clipped similarities stand in for exact zeros in one sum of the features' gradient: 1e-10 each, some 20 times.
    allowed = (4e-8 / size, 1e-15)
    for ours, exact, beyond in zip(gradients(fdr_loss(*points, *dofs), points), expected, allowed, strict=True):
        assert_near(ours, exact, 1e-9, beyond)
    single: Points = tuple(part.detach().float().requires_grad_() for part in points)  # pyright: ignore
    for ours, exact in zip(gradients(fdr_loss(*single, *dofs), single), expected, strict=True):
        assert ours.dtype == torch.float32
        assert_near(ours, exact, 1e-3, 4e-8 / size)


def test_gradients_pass_the_numerical_check() -> None:
    points = make(7, (1.0, 1.0), dimensions=3)
    assert torch.autograd.gradcheck(fdr_loss, points)


@pytest.mark.parametrize("block", [1, 7, 16, 49, 50, 51, 128])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Also those that do not divide the minibatch."""
    points = make(50, (2.0, 3.0))
    expected = plain_loss(*points, (20.0, 20.0))
    monkeypatch.setattr(semantic, "CPU_BLOCK", block)
    loss = fdr_loss(*points)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for ours, exact in zip(gradients(loss, points), gradients(expected, points), strict=True):
        assert_near(ours, exact, 1e-8, 1e-9)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_threads_divide_the_blocks_and_change_nothing(monkeypatch: pytest.MonkeyPatch, num_threads: int) -> None:
    points = make(50, (2.0, 3.0))
    expected = plain_loss(*points, (20.0, 20.0))
    monkeypatch.setattr(semantic, "CPU_BLOCK", 8)
    number_before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        found = []
        for _ in range(2):
            loss = fdr_loss(*points)
            found.append([loss.detach(), *gradients(loss, points)])
        with torch.no_grad():
            assert fdr_loss(*points).item() == found[0][0].item()
    finally:
        torch.set_num_threads(number_before)
    for one, again in zip(*found, strict=True):
        assert torch.equal(one, again), "the same number of threads gives the same bits"
    assert found[0][0].item() == pytest.approx(expected.item(), rel=1e-12)
    for ours, exact in zip(found[0][1:], gradients(expected, points), strict=True):
        assert_near(ours, exact, 1e-8, 1e-9)


@pytest.mark.parametrize("scale", [500.0, -0.25, 0.0])
def test_gradients_scale_with_what_comes_from_above(scale: float) -> None:
    points = make(40, (2.0, 3.0))
    once = gradients(fdr_loss(*points), points)
    for ours, exact in zip(gradients(scale * fdr_loss(*points), points), once, strict=True):
        torch.testing.assert_close(ours, scale * exact)


def test_gradient_is_computed_for_one_of_the_two_alone() -> None:
    features, embedding = make(30, (2.0, 3.0))
    expected = gradients(fdr_loss(features, embedding), (features, embedding))
    for index, (one, other) in enumerate(((features, embedding.detach()), (features.detach(), embedding))):
        (ours,) = torch.autograd.grad(fdr_loss(one, other), (features, embedding)[index])
        torch.testing.assert_close(ours, expected[index])


def test_the_loss_is_the_same_without_gradient() -> None:
    features, embedding = make(30, (2.0, 3.0))
    with torch.no_grad():
        loss = fdr_loss(features, embedding)
    assert not loss.requires_grad
    assert loss.item() == fdr_loss(features, embedding).item()


def test_points_that_do_not_move_leave_the_loss_alone() -> None:
    features, embedding = make(30, (2.0, 3.0))
    moved = fdr_loss(features + 3.0, embedding - 7.0)
    assert moved.item() == pytest.approx(fdr_loss(features, embedding).item(), rel=1e-10)


def test_far_from_the_origin_the_gradient_is_as_exact_as_near_it() -> None:
    """In float32, where squares of large coordinates leave few digits for the distances."""
    features, embedding = make(50, (2.0, 3.0))
    expected = gradients(plain_loss(features, embedding, (20.0, 20.0)), (features, embedding))
    far: Points = (features.detach().float() + 500, embedding.detach().float() - 500)
    for points in far:
        points.requires_grad_()
    for ours, exact in zip(gradients(fdr_loss(*far), far), expected, strict=True):
        assert_near(ours, exact, 1e-3)


@pytest.mark.parametrize("size", [48, 2048])
def test_before_training_it_is_about_the_entropy_of_equal_neighbours(size: int) -> None:
    """ln(B − 1)/B: 0.00372 for the paper's minibatch of 2048."""
    features, embedding = make(size, (0.05, 0.05), dimensions=256)
    loss = fdr_loss(features.detach().float(), embedding.detach().float())
    assert loss.item() == pytest.approx(math.log(size - 1) / size, rel=0.01)


class Largest(TorchDispatchMode):
    """Watches every tensor that an operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        for item in result if isinstance(result, tuple | list) else [result]:
            if isinstance(item, Tensor):
                self.elements = max(self.elements, item.untyped_storage().nbytes() // item.element_size())
        return result


def test_no_tensor_is_larger_than_a_few_matrices_of_pairs() -> None:
    size, dimensions = 512, 256
    points = [torch.rand(size, count).requires_grad_() for count in (dimensions, 2)]
    with Largest() as largest:
        fdr_loss(*points).backward()
    assert size**2 <= largest.elements <= 3 * size**2 < size**2 * dimensions


def test_the_peak_of_memory_is_that_of_a_few_matrices_of_pairs() -> None:
    """Six blocks of 128×B are three quarters of one, and there are some of B×D; a B×B×D tensor alone would be 256."""
    size, dimensions = 1024, 256
    points = [torch.rand(size, count).requires_grad_() for count in (dimensions, 2)]
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        fdr_loss(*points).backward()
    changes = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = peak = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    matrix = 4 * size**2
    assert 0.75 * matrix < peak < 3 * matrix


def test_codebook_and_commitment_losses_are_those_of_a_loop() -> None:
    embedding, codes = make(30, (1.0, 3.0))[1], make(30, (1.0, 2.0), seed=1)[1]
    numbers = embedding.detach().numpy(), codes.detach().numpy()
    expected = sum((numbers[1][i, k] - numbers[0][i, k]) ** 2 for i in range(30) for k in range(2)) / 60
    for loss in (codebook_loss(embedding, codes), commitment_loss(embedding, codes)):
        assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_each_of_the_two_moves_its_own_side_alone() -> None:
    embedding, codes = make(30, (1.0, 3.0))[1], make(30, (1.0, 2.0), seed=1)[1]
    slope = 2 * (codes - embedding).detach() / 60
    codebook = torch.autograd.grad(codebook_loss(embedding, codes), (embedding, codes), allow_unused=True)
    assert codebook[0] is None
    torch.testing.assert_close(codebook[1], slope)
    commitment = torch.autograd.grad(commitment_loss(embedding, codes), (embedding, codes), allow_unused=True)
    torch.testing.assert_close(commitment[0], -slope)
    assert commitment[1] is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("features", "embedding", "message"),
    [
        ((4, 16), (3, 2), r"fdr_loss: got features \[4, 16\], embedding \[3, 2\]; expected features \[B, D\], "),
        ((4, 16), (4, 3), r"embedding \[4, 3\]; expected"),
        ((4,), (4, 2), r"features \[4\]"),
        ((4, 16), (4,), r"embedding \[4\]"),
        ((1, 16), (1, 2), r"and B of at least 2"),
        ((0, 16), (0, 2), r"and B of at least 2"),
    ],
)  # fmt: skip
def test_the_fdr_loss_names_shapes_that_do_not_fit(
    features: tuple[int, ...], embedding: tuple[int, ...], message: str
) -> None:
    """Of one state there is no other to be like: the formula divides 0 by 0."""
    with pytest.raises(ValueError, match=message):
        fdr_loss(torch.zeros(features), torch.zeros(embedding))


def test_two_states_are_enough_and_wholly_alike_ones_too() -> None:
    """Of two states each is all of the other's neighbourhood: p and q are 1 off the diagonal, 1e-10 on it."""
    expected = -(2 * 1e-10 * math.log(1e-10)) / 4
    for points in (make(2, (1.0, 1.0)), (torch.zeros(2, 4), torch.zeros(2, 2))):
        assert fdr_loss(*points).item() == pytest.approx(expected, rel=1e-5)


def test_losses_name_types_and_settings_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"features torch.float64, embedding torch.float32; expected .* of one type"):
        fdr_loss(torch.zeros(4, 3, dtype=torch.float64), torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"features torch.int64, .* expected floating-point numbers"):
        fdr_loss(torch.zeros(4, 3, dtype=torch.int64), torch.zeros(4, 2))
    for dof in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="expected numbers above 0"):
            fdr_loss(torch.zeros(4, 3), torch.zeros(4, 2), feature_dof=dof)


@pytest.mark.parametrize("loss", [codebook_loss, commitment_loss])
@pytest.mark.parametrize(
    ("embedding", "code_vector"), [((4, 2), (1, 2)), ((4, 2), (2,)), ((4, 3), (4, 3)), ((0, 2), (0, 2))]
)
def test_the_codebook_losses_do_not_stretch_shapes_to_fit(
    loss: Callable[[Tensor, Tensor], Tensor], embedding: tuple[int, ...], code_vector: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"expected embedding \[B, 2\], code_vector \[B, 2\]"):
        loss(torch.zeros(embedding), torch.zeros(code_vector))
