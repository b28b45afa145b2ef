"""Parameters as pieces of one vector: in either layout, whole or only the first of them."""

import pytest
import torch
from torch import nn

from semantic_rl.training.flat import FlatLayout


def make() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict({"trunk": nn.Conv2d(3, 4, 3), "head": nn.Linear(5, 2)})


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("prefix", ["", "trunk."])
def test_joined_tensors_come_back_as_pieces(channels_last: bool, prefix: str):
    module = make()
    parameters = {name: value for name, value in module.named_parameters() if name.startswith(prefix)}
    layout = FlatLayout(module, channels_last)
    vector = torch.empty(layout.size(prefix))
    layout.join([parameter.detach() for parameter in parameters.values()], vector)

    pieces = layout.pieces(vector)
    assert list(pieces) == list(parameters)
    for name, piece in pieces.items():
        assert torch.equal(piece, parameters[name])
        assert piece.untyped_storage().data_ptr() == vector.data_ptr()


def test_without_channels_last_the_order_is_pytorchs():
    module = make()
    layout = FlatLayout(module)
    vector = torch.empty(layout.size())
    layout.join([parameter.detach() for parameter in module.parameters()], vector)
    assert torch.equal(vector, nn.utils.parameters_to_vector(module.parameters()))
