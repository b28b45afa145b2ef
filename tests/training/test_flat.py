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


def test_with_channels_last_the_channels_of_a_weight_lie_side_by_side():
    module = make()
    layout = FlatLayout(module, channels_last=True)
    vector = torch.empty(layout.size())
    layout.join([parameter.detach() for parameter in module.parameters()], vector)
    weight = module["trunk"].weight  # type: ignore[index]
    expected = [
        weight[out, depth, row, column].item()
        for out in range(4) for row in range(3) for column in range(3) for depth in range(3)
    ]  # fmt: skip
    assert vector[: weight.numel()].tolist() == expected
    assert layout.pieces(vector)["trunk.weight"].is_contiguous(memory_format=torch.channels_last)


def test_a_shorter_vector_has_the_first_parameters_alone():
    layout = FlatLayout(make())
    assert list(layout.pieces(torch.zeros(layout.size("trunk.")))) == ["trunk.weight", "trunk.bias"]


def test_without_channels_last_the_order_is_pytorchs():
    module = make()
    layout = FlatLayout(module)
    vector = torch.empty(layout.size())
    layout.join([parameter.detach() for parameter in module.parameters()], vector)
    assert torch.equal(vector, nn.utils.parameters_to_vector(module.parameters()))
