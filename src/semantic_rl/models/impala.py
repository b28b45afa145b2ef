"""The IMPALA residual CNN (Espeholt et al., 2018) as in train-procgen: maps uint8 observations to 256 features.

Convolutions run in the precision of the caller's autocast. TensorFlow's 'same' pooling pads an even size only at the
end, which corresponds to `ceil_mode` without padding here.

The layers have four implementations in `models.impala_layers`, which agree up to rounding: `onednn` for x86 CPUs,
`fused`, which computes whole blocks, for bf16 on NVIDIA GPUs with Triton, `autograd` for learning on other GPUs and in
float32 (`keep_activations`), and `recompute` for the rest.
"""

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semantic_rl.envs.procgen.games import OBSERVATION_SHAPE
from semantic_rl.models.impala_layers import autograd, fused, onednn, recompute

DEPTHS = (16, 32, 32)
NUM_FEATURES = 256


class Layers(Protocol):
    """An implementation of the layers; each module documents the memory layout of its activations."""

    def convolve_and_pool(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Map uint8 pixels or activations [B, C, H, W] to activations of half the size in the type of `weight`."""
        ...

    def residual_block(self, x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
        """Compute x + conv(relu(conv(relu(x))))."""
        ...


def _weights(layer: nn.Module, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return weight and bias cast to `dtype`; their gradients are float32."""
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None
    return layer.weight.to(dtype), layer.bias.to(dtype)


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(relu(x))))."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(depth, depth, 3, padding=1)
        self.conv2 = nn.Conv2d(depth, depth, 3, padding=1)

    def forward(self, x: Tensor, layers: Layers, dtype: torch.dtype) -> Tensor:
        """Map activations [B, C, H, W] to the same shape and precision."""
        return layers.residual_block(x, *_weights(self.conv1, dtype), *_weights(self.conv2, dtype))


class ImpalaBlock(nn.Module):
    """Convolution, max-pooling to half the size, two residual blocks."""

    def __init__(self, depth_in: int, depth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(depth_in, depth, 3, padding=1)
        self.residual1 = ResidualBlock(depth)
        self.residual2 = ResidualBlock(depth)

    def forward(self, x: Tensor, layers: Layers, dtype: torch.dtype) -> Tensor:
        """Map uint8 observations or activations [B, C, H, W] to activations [B, depth, H/2, W/2] of `dtype`."""
        x = layers.convolve_and_pool(x, *_weights(self.conv, dtype))
        return self.residual2(self.residual1(x, layers, dtype), layers, dtype)

    def weights(self, dtype: torch.dtype) -> list[Tensor]:
        """Return weight and bias of the five convolutions, cast to `dtype`."""
        convolutions = (self.conv, *self.residual1.children(), *self.residual2.children())
        return [tensor for layer in convolutions for tensor in _weights(layer, dtype)]


class ImpalaCNN(nn.Module):
    """Three IMPALA blocks and a dense layer with ReLU, so that features are at least 0."""

    def __init__(
        self,
        depths: tuple[int, ...] = DEPTHS,
        observation_size: int = OBSERVATION_SHAPE[0],
        keep_activations: bool = False,
    ) -> None:
        super().__init__()
        self.keep_activations = keep_activations
        depths_in = (3, *depths[:-1])
        self.blocks = nn.ModuleList(ImpalaBlock(i, o) for i, o in zip(depths_in, depths, strict=True))
        self.dense = nn.Linear(depths[-1] * (observation_size // 2 ** len(depths)) ** 2, NUM_FEATURES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                initialize_glorot(module)

    def _choose_layers(self, observation: Tensor, dtype: torch.dtype) -> Any:
        if fused.suits(observation, dtype):
            return fused
        if self.keep_activations:
            return autograd
        return onednn if onednn.suits(observation.device, dtype) else recompute

    def forward(self, observation: Tensor) -> Tensor:
        """Map uint8 observations [B, 64, 64, 3] to features [B, 256] in the autocast's precision."""
        device = observation.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
        x = observation.permute(0, 3, 1, 2)
        layers = self._choose_layers(observation, dtype)
        if layers is fused:
            for block in self.blocks:
                assert isinstance(block, ImpalaBlock)
                x = fused.block(x, *block.weights(dtype))
            return self._dense_channels_last(x)
        for block in self.blocks:
            x = block(x, layers, dtype)
        if x.is_mkldnn:
            x = x.to_dense()
        return F.relu(self.dense(F.relu(x.flatten(1))))

    def _dense_channels_last(self, x: Tensor) -> Tensor:
        """Apply the dense layer to activations that are channels-last: reordering its weights moves fewer bytes."""
        weight = self.dense.weight.view(NUM_FEATURES, *x.shape[1:]).permute(0, 2, 3, 1).flatten(1)
        return F.relu(F.linear(F.relu(x.permute(0, 2, 3, 1).flatten(1)), weight, self.dense.bias))


def initialize_glorot(module: nn.Conv2d | nn.Linear) -> None:
    """Initialise with Glorot uniform weights and zero biases, TensorFlow's defaults."""
    nn.init.xavier_uniform_(module.weight)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
