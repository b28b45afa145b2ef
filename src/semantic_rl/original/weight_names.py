"""Converts weights of the original TensorFlow code, by its variable names, to ours.

TensorFlow stores convolutions as [height, width, in, out], dense kernels as [in, out] and the codebook as [2, K], and
flattens images in the order height × width × channels, whereas PyTorch flattens channels first.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.errors import UserError
from semantic_rl.models.impala import DEPTHS

_LAYERS = (
    *(
        f"trunk.blocks.{block}.{part}"
        for block in range(len(DEPTHS))
        for part in ("conv", "residual1.conv1", "residual1.conv2", "residual2.conv1", "residual2.conv2")
    ),
    "trunk.dense",
    "semantic.hidden",
    "semantic.output",
)
"""Our modules for the original's layer_0, layer_1, …, in order."""


def original_names(with_semantic: bool) -> dict[str, str]:
    """Map our parameter names to the original's variable names, without their scope."""
    layers = _LAYERS if with_semantic else _LAYERS[:-2]
    names: dict[str, str] = {}
    for index, module in enumerate(layers):
        names[f"{module}.weight"] = f"pi/layer_{index}/kernel:0"
        names[f"{module}.bias"] = f"pi/layer_{index}/bias:0"
    if with_semantic:
        names["semantic.codebook"] = "pi/embeddings_vqvae:0"
    return names | {
        "policy_head.weight": "pi/w:0",
        "policy_head.bias": "pi/b:0",
        "value_head.weight": "vf/w:0",
        "value_head.bias": "vf/b:0",
    }


def to_our_layout(name: str, value: NDArray[np.float32]) -> Tensor:
    """Convert one of the original's arrays to the layout of our parameter `name`."""
    if value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    elif name == "trunk.dense.weight":
        height_width_channels = value.reshape(-1, DEPTHS[-1], value.shape[1])
        side = round(len(height_width_channels) ** 0.5)
        images = height_width_channels.reshape(side, side, DEPTHS[-1], -1)
        value = images.transpose(3, 2, 0, 1).reshape(value.shape[1], -1)
    elif value.ndim == 2:
        value = value.T
    return torch.from_numpy(np.ascontiguousarray(value, np.float32))


def from_original(variables: Mapping[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """Return the state dict of a SemanticPolicy from the original's variables.

    Optimiser slots and other variables are ignored. Raises UserError naming the first variable that is missing.
    """
    by_suffix = {name.split("/", 1)[-1]: value for name, value in variables.items()}
    state: dict[str, Tensor] = {}
    for ours, theirs in original_names("pi/embeddings_vqvae:0" in by_suffix).items():
        if theirs not in by_suffix:
            raise UserError(
                f"the file has no variable '{theirs}'; expected the weights of the original's IMPALA policy, "
                f"found {len(variables)} variables: {', '.join(list(variables)[:5])} …"
            )
        state[ours] = to_our_layout(ours, by_suffix[theirs])
    return state
