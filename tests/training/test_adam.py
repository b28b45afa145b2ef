"""The flat Adam against a loop over scalars, and its state."""

import math

import torch
from torch import nn

from semantic_rl.training.adam import FlatAdam


def make() -> tuple[nn.Module, FlatAdam]:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    return module, FlatAdam(module, learning_rate=0.01, epsilon=1e-3)


def take_steps(module: nn.Module, optimizer: FlatAdam, count: int) -> None:
    x = torch.linspace(-1, 1, 8).view(2, 4)
    for _ in range(count):
        optimizer.gradient.zero_()
        module(x).square().sum().backward()
        optimizer.step()


def test_steps_equal_tensorflows_rule_computed_one_weight_at_a_time():
    module, optimizer = make()
    weights = [p.item() for q in module.parameters() for p in q.detach().flatten()]
    moments = [[0.0, 0.0] for _ in weights]
    for step in range(1, 6):
        before = list(weights)
        optimizer.gradient.zero_()
        module(torch.linspace(-1, 1, 8).view(2, 4)).square().sum().backward()
        gradients = optimizer.gradient.tolist()
        optimizer.step()
        rate = 0.01 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        for index, gradient in enumerate(gradients):
            mean, square = moments[index]
            moments[index] = [0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2]
            mean, square = moments[index]
            weights[index] = before[index] - rate * mean / (math.sqrt(square) + 1e-3)
        now = torch.cat([p.detach().flatten() for p in module.parameters()])
        torch.testing.assert_close(now, torch.tensor(weights), rtol=1e-5, atol=1e-7)


def test_gradients_of_the_module_live_in_the_flat_vector():
    module, optimizer = make()
    module(torch.ones(1, 4)).sum().backward()

    assert torch.equal(optimizer.gradient, torch.cat([p.grad.flatten() for p in module.parameters()]))
    assert optimizer.gradient.abs().sum() > 0


def test_restored_state_goes_on_bit_for_bit():
    module, optimizer = make()
    take_steps(module, optimizer, 3)
    weights, state = {k: v.clone() for k, v in module.state_dict().items()}, optimizer.state()
    take_steps(module, optimizer, 2)

    other, other_optimizer = make()
    other.load_state_dict(weights)
    other_optimizer.restore(state)
    take_steps(other, other_optimizer, 2)

    for name, value in module.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_a_move_equals_addcdiv_bit_for_bit():
    module, optimizer = make()
    take_steps(module, optimizer, 3)
    before, state = optimizer.weights.clone(), optimizer.state()
    mean, square = (
        torch.cat([state[f"{name}/{key}"].flatten() for key, _ in module.named_parameters()])
        for name in ("mean", "square")
    )
    mean.lerp_(optimizer.gradient, 1 - 0.9)
    square.mul_(0.999).addcmul_(optimizer.gradient, optimizer.gradient, value=1 - 0.999)
    rate = 0.01 * math.sqrt(1 - 0.999**4) / (1 - 0.9**4)
    expected = torch.addcdiv(before, mean, square.sqrt().add_(1e-3), value=-rate)

    optimizer.step()
    assert torch.equal(optimizer.weights, expected)


def test_channels_last_weights_take_the_same_steps_and_have_the_same_state():
    def train(channels_last: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))
        optimizer = FlatAdam(module, 0.01, 1e-3, channels_last)
        for _ in range(3):
            optimizer.gradient.zero_()
            module(torch.linspace(-1, 1, 96).view(2, 3, 4, 4)).square().sum().backward()
            optimizer.step()
        assert module[0].weight.is_contiguous(memory_format=torch.channels_last) or not channels_last
        return optimizer.weights_by_name(), optimizer.state()

    for ours, theirs in zip(train(True), train(False), strict=True):
        assert list(ours) == list(theirs)
        for name, value in ours.items():
            assert value.is_contiguous()
            torch.testing.assert_close(value, theirs[name], rtol=1e-5, atol=1e-7)
