"""The IMPALA residual CNN (Espeholt et al., 2018) as train-procgen has it: uint8 images to 256 features.

Convolutions run channels-last, as the images are, and in the precision of the caller's autocast. TensorFlow's 'same'
pooling of an even size pads only behind, which is `ceil_mode` without padding here.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semantic_rl.models.convolution import image_convolution, residual_branch
from semantic_rl.models.pooling import max_pool

DEPTHS = (16, 32, 32)
NUM_FEATURES = 256


def _weights(layer: nn.Conv2d, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return weight and bias in the precision asked for; gradients come back in float32."""
    assert layer.bias is not None
    return layer.weight.to(dtype), layer.bias.to(dtype)


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(relu(x))))."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(depth, depth, 3, padding=1)
        self.conv2 = nn.Conv2d(depth, depth, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, H, W] to the same shape and precision."""
        return x + residual_branch(x, *_weights(self.conv1, x.dtype), *_weights(self.conv2, x.dtype))


class ImpalaBlock(nn.Module):
    """Convolution, pooling to half the size, two residual blocks."""

    def __init__(self, depth_in: int, depth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(depth_in, depth, 3, padding=1)
        self.residual1 = ResidualBlock(depth)
        self.residual2 = ResidualBlock(depth)

    def forward(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Map uint8 images or activations [B, C, H, W] to [B, depth, H/2, W/2] of `dtype`."""
        weights = _weights(self.conv, dtype)
        x = image_convolution(x, *weights) if x.dtype == torch.uint8 else F.conv2d(x, *weights, padding=1)
        return self.residual2(self.residual1(max_pool(x)))


class ImpalaCNN(nn.Module):
    """Three IMPALA blocks and a dense layer; features are at least 0."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS, image_size: int = 64) -> None:
        super().__init__()
        depths_in = (3, *depths[:-1])
        self.blocks = nn.ModuleList(ImpalaBlock(i, o) for i, o in zip(depths_in, depths, strict=True))
        self.dense = nn.Linear(depths[-1] * (image_size // 2 ** len(depths)) ** 2, NUM_FEATURES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                initialize_glorot(module)

    def forward(self, observation: Tensor) -> Tensor:
        """Map uint8 images [B, 64, 64, 3] to features [B, 256] in the autocast's precision."""
        device = observation.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
        x = observation.permute(0, 3, 1, 2)
        for block in self.blocks:
            x = block(x, dtype)
        return F.relu(self.dense(F.relu(x.flatten(1))))


def initialize_glorot(module: nn.Conv2d | nn.Linear) -> None:
    """Glorot uniform weights, zero biases: TensorFlow's defaults."""
    nn.init.xavier_uniform_(module.weight)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
