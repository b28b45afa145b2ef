"""The trunk is the one that a NumPy loop computes, TensorFlow's pooling included, and so are its gradients.

However its layers are computed: in oneDNN's layout, recompute, or keeping all activations.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from plain_trunk import plain_features
from torch import Tensor, nn
from torch.nn import functional as F

from semantic_rl.models.impala import DEPTHS, NUM_FEATURES, ImpalaCNN, Layers
from semantic_rl.models.impala_layers import autograd, onednn, recompute
from semantic_rl.models.impala_layers.pooling import max_pool

Weights = dict[str, NDArray[np.float64]]

CPU = torch.device("cpu")
needs_onednn = pytest.mark.skipif(not onednn.suits(CPU, torch.float32), reason="no x86 CPU with oneDNN")
WAYS = [pytest.param("onednn", marks=needs_onednn), "recompute", "autograd"]


@pytest.fixture
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layers:
    """A way to compute the layers, which trunks made by the test use."""
    layers: Layers = {"onednn": onednn, "recompute": recompute, "autograd": autograd}[request.param]
    monkeypatch.setattr(ImpalaCNN, "_choose_layers", lambda trunk, observation, dtype: layers)
    return layers


def skip_unless_computed(way: Layers, dtype: torch.dtype) -> None:
    if way is onednn and not onednn.suits(CPU, dtype):
        pytest.skip("this CPU's oneDNN has no bf16")


every_way = pytest.mark.parametrize("way", WAYS, indirect=True)


def images(count: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8))


def make_trunk(seed: int = 0) -> ImpalaCNN:
    """A trunk with biases, which are zero at first."""
    torch.manual_seed(seed)
    trunk = ImpalaCNN()
    for name, parameter in trunk.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, 0, 0.1)
    return trunk


def convolve(x: NDArray[np.float64], weights: Weights, name: str) -> NDArray[np.float64]:
    """3×3 with one row and column of zeros on every side, [H, W, in] to [H, W, out]."""
    kernel, (height, width, _) = weights[f"{name}.weight"], x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    result = np.zeros((height, width, len(kernel)))
    for row in range(3):
        for column in range(3):
            result += padded[row : row + height, column : column + width] @ kernel[:, :, row, column].T
    return result + weights[f"{name}.bias"]


def pool_same(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """TensorFlow's 'same': the window of output i begins at input 2i; what lies behind the edge is left out."""
    size = x.shape[0] // 2
    result = np.zeros((size, size, x.shape[2]))
    for row in range(size):
        for column in range(size):
            result[row, column] = x[2 * row : 2 * row + 3, 2 * column : 2 * column + 3].max((0, 1))
    return result


def loop_features(image: NDArray[np.uint8], weights: Weights) -> NDArray[np.float64]:
    x = image.astype(np.float64) / 255
    for block in range(len(DEPTHS)):
        x = pool_same(convolve(x, weights, f"blocks.{block}.conv"))
        for residual in ("residual1", "residual2"):
            inner = convolve(np.maximum(x, 0), weights, f"blocks.{block}.{residual}.conv1")
            x = x + convolve(np.maximum(inner, 0), weights, f"blocks.{block}.{residual}.conv2")
    flat = np.maximum(x.transpose(2, 0, 1).flatten(), 0)
    return np.maximum(weights["dense.weight"] @ flat + weights["dense.bias"], 0)


@every_way
def test_features_are_those_of_a_loop(way: Layers) -> None:
    trunk, observation = make_trunk(), images(2)
    weights: Weights = {name: value.detach().numpy().astype(np.float64) for name, value in trunk.named_parameters()}
    features = trunk(observation).detach().numpy()
    for index, image in enumerate(observation.numpy()):
        expected = loop_features(image, weights)
        assert expected.max() > 0.1
        np.testing.assert_allclose(features[index], expected, atol=2e-6 * expected.max())


def test_pooling_that_pads_in_front_would_be_seen() -> None:
    """The alignment that PyTorch's `padding=1` gives is another network."""
    x = torch.randn(1, 4, 64, 64)
    ours = F.max_pool2d(x, 3, 2, ceil_mode=True)
    np.testing.assert_array_equal(ours[0].permute(1, 2, 0).numpy(), pool_same(x[0].permute(1, 2, 0).numpy()))
    assert (ours != F.max_pool2d(x, 3, 2, padding=1)).float().mean() > 0.5


@every_way
@pytest.mark.parametrize("count", [1, 6])
def test_gradients_are_those_of_pytorchs_own_parts(count: int, way: Layers) -> None:
    trunk, observation = make_trunk(), images(count)
    direction = torch.randn(count, NUM_FEATURES)
    names, parameters = zip(*trunk.named_parameters(), strict=True)
    ours = torch.autograd.grad((trunk(observation) * direction).sum(), parameters)
    theirs = torch.autograd.grad((plain_features(trunk, observation) * direction).sum(), parameters)
    for name, one, other in zip(names, ours, theirs, strict=True):
        assert one.shape == other.shape
        assert float((one - other).norm()) < 1e-4 * float(other.norm()), name


@every_way
def test_bf16_features_are_near_and_their_gradients_are_float32(way: Layers) -> None:
    skip_unless_computed(way, torch.bfloat16)
    trunk, observation = make_trunk(), images(4)
    exact = trunk(observation)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        near = trunk(observation)
    assert near.dtype == torch.bfloat16
    assert (near.float() - exact).norm().item() < 0.02 * exact.norm().item()
    exact.sum().backward()
    exact_gradients = [parameter.grad for parameter in trunk.parameters()]
    trunk.zero_grad()
    near.float().sum().backward()
    for (name, parameter), gradient in zip(trunk.named_parameters(), exact_gradients, strict=True):
        assert parameter.grad is not None
        assert parameter.grad.dtype == torch.float32
        similarity = F.cosine_similarity(parameter.grad.flatten(), gradient.flatten(), dim=0)  # type: ignore[union-attr]
        assert similarity > 0.97, name


def test_features_are_at_least_zero_and_some_are_above() -> None:
    features = make_trunk()(images(3)).detach()
    assert features.shape == (3, NUM_FEATURES)
    assert float(features.min()) == 0
    assert float(features.max()) > 0


def test_weights_begin_glorot_uniform_with_zero_biases() -> None:
    torch.manual_seed(0)
    trunk = ImpalaCNN()
    for name, parameter in trunk.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
            continue
        receptive = parameter[0, 0].numel() if parameter.ndim == 4 else 1
        bound = (6 / ((parameter.shape[0] + parameter.shape[1]) * receptive)) ** 0.5
        largest = float(parameter.detach().abs().max())
        assert 0.97 * bound < largest <= bound, name
        deviation = float(parameter.detach().std())
        assert deviation == pytest.approx(bound / 3**0.5, rel=0.06), name


def test_pooling_without_a_gradient_gives_what_pooling_with_one_gives() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.randn(3, 16, 8, 12, generator=torch.Generator().manual_seed(0)).mul_(2).round_().to(dtype)
        x = x.to(memory_format=torch.channels_last)
        assert torch.equal(max_pool(x), max_pool(x.clone().requires_grad_()))
        assert torch.equal(max_pool(x), F.max_pool2d(x, 3, 2, ceil_mode=True))
        assert max_pool(x).is_contiguous(memory_format=torch.channels_last)


def test_pooling_routes_gradients_as_pytorch_does_where_maxima_tie() -> None:
    x = torch.randn(3, 16, 8, 12, generator=torch.Generator().manual_seed(0)).mul_(2).round_()
    ours, theirs = (x.to(memory_format=torch.channels_last).requires_grad_() for _ in range(2))
    gradient = torch.randn(3, 16, 4, 6, generator=torch.Generator().manual_seed(1))
    max_pool(ours).backward(gradient)
    F.max_pool2d(theirs, 3, 2, ceil_mode=True).backward(gradient)
    assert torch.equal(ours.grad, theirs.grad)  # type: ignore[arg-type]


@every_way
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_do_not_depend_on_whether_a_gradient_is_asked_for(dtype: torch.dtype, way: Layers) -> None:
    skip_unless_computed(way, dtype)
    trunk, observation = make_trunk(), images(5)
    with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16, cache_enabled=False):
        with_gradient = trunk(observation)
        with torch.no_grad():
            without = trunk(observation)
    assert with_gradient.requires_grad
    assert not without.requires_grad
    assert torch.equal(with_gradient, without)


@every_way
def test_pooling_within_a_way_routes_gradients_as_pytorch_does_where_maxima_tie(way: Layers) -> None:
    """Convolutions that pass their input on, so that pooling alone is left; small whole numbers tie often."""
    identity = torch.zeros(16, 16, 3, 3)
    identity[range(16), range(16), 1, 1] = 1
    x = torch.randn(3, 16, 8, 12, generator=torch.Generator().manual_seed(0)).mul_(2).round_()
    gradient = torch.randn(3, 16, 4, 6, generator=torch.Generator().manual_seed(1))

    theirs = x.clone().requires_grad_()
    F.max_pool2d(theirs, 3, 2, ceil_mode=True).backward(gradient)
    ours = x.to(memory_format=torch.channels_last).requires_grad_()
    entered = ours.to_mkldnn() if way is onednn else ours
    left = way.convolve_and_pool(entered, identity.clone().requires_grad_(), torch.zeros(16, requires_grad=True))
    (left.to_dense() if way is onednn else left).backward(gradient)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-5)


@every_way
def test_layers_whose_weights_are_frozen_pass_gradients_on(way: Layers) -> None:
    free, frozen = make_trunk(), make_trunk()
    for name, parameter in frozen.named_parameters():
        parameter.requires_grad_(not name.startswith("blocks.1."))
    for trunk in (free, frozen):
        trunk(images(3)).square().sum().backward()
    for (name, expected), found in zip(free.named_parameters(), frozen.parameters(), strict=True):
        if name.startswith("blocks.1."):
            assert found.grad is None, name
        else:
            torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-4 * float(expected.grad.norm()))  # type: ignore[union-attr]


@needs_onednn
def test_batches_of_many_sizes_may_wait_for_their_backward_pass() -> None:
    """oneDNN's pooling needs the layout of what it pooled, of which only so many are remembered."""
    trunk = make_trunk()
    sizes = range(1, 8)
    waiting = [trunk(images(size)).sum() for size in sizes]
    for size, features in zip(sizes, waiting, strict=True):
        trunk.zero_grad()
        features.backward()
        gradients = [parameter.grad.clone() for parameter in trunk.parameters()]  # type: ignore[union-attr]
        trunk.zero_grad()
        plain_features(trunk, images(size)).sum().backward()
        for (name, parameter), gradient in zip(trunk.named_parameters(), gradients, strict=True):
            assert (gradient - parameter.grad).norm() < 1e-4 * parameter.grad.norm(), name  # type: ignore[operator,union-attr]


def test_a_switched_off_onednn_is_left_alone() -> None:
    with torch.backends.mkldnn.flags(enabled=False):  # type: ignore[no-untyped-call]
        assert not onednn.suits(CPU, torch.float32)
        assert make_trunk()._choose_layers(torch.zeros(1), torch.float32) is recompute
    assert not onednn.suits(torch.device("meta"), torch.float32)
    assert not onednn.suits(CPU, torch.float16)


@needs_onednn
def test_a_cpu_whose_onednn_has_no_bf16_computes_in_it_the_lean_way() -> None:
    program = """
import torch
from semantic_rl.models.impala_layers import recompute
from semantic_rl.models.impala_layers import onednn
from semantic_rl.models.impala import ImpalaCNN
trunk, cpu = ImpalaCNN(), torch.device("cpu")
assert trunk._choose_layers(torch.zeros(1), torch.float32) is onednn
assert trunk._choose_layers(torch.zeros(1), torch.bfloat16) is recompute
with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
    trunk(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).float().sum().backward()
"""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)


@pytest.mark.parametrize("num_images", [1, 5])
def test_keeping_activations_changes_neither_features_nor_gradients(num_images: int) -> None:
    recompute, autograd = make_trunk(), ImpalaCNN(keep_activations=True)
    autograd.load_state_dict(recompute.state_dict())
    for trunk in (recompute, autograd):
        trunk(images(num_images)).square().sum().backward()
    torch.testing.assert_close(autograd(images(num_images)), recompute(images(num_images)), rtol=1e-4, atol=1e-5)
    for (name, ours), theirs in zip(autograd.named_parameters(), recompute.parameters(), strict=True):
        difference = (ours.grad - theirs.grad).norm() / theirs.grad.norm()  # type: ignore[operator,union-attr]
        assert difference < 1e-4, name
