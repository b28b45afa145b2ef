"""The trunk from PyTorch's own differentiable parts, to hold ours against."""

from torch import Tensor
from torch.nn import functional as F

from semantic_rl.models.impala import DEPTHS, ImpalaCNN


def plain_features(trunk: ImpalaCNN, observation: Tensor) -> Tensor:
    """Map uint8 images [B, 64, 64, 3] to features [B, 256], in the precision of the trunk's weights."""
    weights: dict[str, Tensor] = dict(trunk.named_parameters())

    def convolution(x: Tensor, name: str) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    x = observation.permute(0, 3, 1, 2).to(trunk.dense.weight.dtype) / 255
    for block in range(len(DEPTHS)):
        x = F.max_pool2d(convolution(x, f"blocks.{block}.conv"), 3, 2, ceil_mode=True)
        for residual in ("residual1", "residual2"):
            name = f"blocks.{block}.{residual}"
            x = x + convolution(F.relu(convolution(F.relu(x), f"{name}.conv1")), f"{name}.conv2")
    return F.relu(F.linear(F.relu(x.flatten(1)), weights["dense.weight"], weights["dense.bias"]))
