"""The IMPALA residual CNN (Espeholt et al., 2018) as train-procgen has it: uint8 images to 256 features.

Convolutions run channels-last, as the images are, and in the precision of the caller's autocast. TensorFlow's 'same'
pooling of an even size pads only behind, which is `ceil_mode` without padding here.

There are two ways to compute the same. On a CPU activations are made again rather than kept (`models.convolution`,
`models.pooling`). On a GPU, whose memory is ample and whose time is the traffic to it, `keep_activations` leaves all to
autograd, and biases come after the pooling.
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

    def forward(self, x: Tensor, keep: bool = False) -> Tensor:
        """Map [B, C, H, W] to the same shape and precision."""
        weights1, weights2 = _weights(self.conv1, x.dtype), _weights(self.conv2, x.dtype)
        if keep:
            inner = F.conv2d(F.relu(x), *weights1, padding=1).relu_()
            return F.conv2d(inner, *weights2, padding=1).add_(x)
        return x + residual_branch(x, *weights1, *weights2)


class ImpalaBlock(nn.Module):
    """Convolution, pooling to half the size, two residual blocks."""

    def __init__(self, depth_in: int, depth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(depth_in, depth, 3, padding=1)
        self.residual1 = ResidualBlock(depth)
        self.residual2 = ResidualBlock(depth)

    def forward(self, x: Tensor, dtype: torch.dtype, keep: bool = False) -> Tensor:
        """Map uint8 images or activations [B, C, H, W] to [B, depth, H/2, W/2] of `dtype`."""
        weight, bias = _weights(self.conv, dtype)
        is_image = x.dtype == torch.uint8
        if keep:
            x = F.conv2d(x.to(dtype) / 255 if is_image else x, weight, padding=1)
            # Rounding keeps order, so that the bias may as well come after the pooling: a quarter of the traffic.
            x = F.max_pool2d(x, 3, 2, ceil_mode=True).add_(bias.view(1, -1, 1, 1))
        else:
            x = image_convolution(x, weight, bias) if is_image else F.conv2d(x, weight, bias, padding=1)
            x = max_pool(x)
        return self.residual2(self.residual1(x, keep), keep)


class ImpalaCNN(nn.Module):
    """Three IMPALA blocks and a dense layer; features are at least 0."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS, image_size: int = 64, keep_activations: bool = False) -> None:
        super().__init__()
        self.keep_activations = keep_activations
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
            x = block(x, dtype, self.keep_activations)
        return F.relu(self.dense(F.relu(x.flatten(1))))


def initialize_glorot(module: nn.Conv2d | nn.Linear) -> None:
    """Glorot uniform weights, zero biases: TensorFlow's defaults."""
    nn.init.xavier_uniform_(module.weight)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
