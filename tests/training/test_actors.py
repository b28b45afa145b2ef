"""Acting through tensors that never move, in groups and as graphs, equals acting as it is written."""

import numpy as np
import pytest
import torch
from devices import DEVICES, needs_cuda
from small_runs import NUM_ENVS
from torch._subclasses.fake_tensor import FakeTensorMode

from semantic_rl.config import EnvConfig
from semantic_rl.envs.factory import make_env_groups
from semantic_rl.models.policy import SemanticPolicy, choose_actions, sample_actions
from semantic_rl.training.actors import RolloutBuffer, StaticActing
from semantic_rl.training.rollout import Outcome, Player

NUM_STEPS, SHAPE = 6, (64, 64, 3)


def make_policy(device: str) -> SemanticPolicy:
    torch.manual_seed(0)
    policy = SemanticPolicy()
    torch.nn.init.orthogonal_(policy.policy_head.weight, 1.0)  # actions that depend on the pictures
    return policy.to(device)


def play(
    device: str, num_groups: int, is_static: bool, as_graphs: bool = False, lag: int | None = None
) -> tuple[list[Outcome], RolloutBuffer]:
    groups = make_env_groups(EnvConfig("coinrun", num_envs=NUM_ENVS), (1, 2, 3), num_groups)
    player = Player(groups, torch.Generator().manual_seed(3), torch.device(device), is_static, as_graphs)
    if lag is not None:
        player._lag = lag
    buffer = RolloutBuffer(NUM_STEPS, NUM_ENVS, SHAPE, torch.device(device))
    policy = make_policy(device)
    outcomes = [player.play(policy, NUM_STEPS, buffer) for _ in range(6)]
    player.close()
    return outcomes, buffer


def assert_same_play(
    ours: tuple[list[Outcome], RolloutBuffer], theirs: tuple[list[Outcome], RolloutBuffer], exact: bool
) -> None:
    for left, right in zip(ours[0], theirs[0], strict=True):
        assert np.array_equal(left.reward, right.reward)
        assert np.array_equal(left.done, right.done)
        np.testing.assert_allclose(left.next_value, right.next_value, rtol=0 if exact else 1e-4, atol=1e-4)
    assert torch.equal(ours[1].observation.cpu(), theirs[1].observation.cpu())
    assert torch.equal(ours[1].action.cpu(), theirs[1].action.cpu())
    tolerance = {"rtol": 0.0, "atol": 0.0} if exact else {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(ours[1].value.cpu(), theirs[1].value.cpu(), **tolerance)
    torch.testing.assert_close(ours[1].log_prob.cpu(), theirs[1].log_prob.cpu(), **tolerance)


@pytest.mark.parametrize("num_groups", [1, 2, 4])
@pytest.mark.parametrize("device", DEVICES)
def test_static_acting_plays_what_plain_acting_plays(device: str, num_groups: int):
    assert_same_play(play(device, num_groups, True), play(device, num_groups, False), exact=device == "cpu")


@pytest.mark.parametrize("is_ready", [False, True])
def test_waiting_for_actions_as_for_a_gpu_plays_the_same(is_ready: bool, monkeypatch: pytest.MonkeyPatch):
    expected = play("cpu", 4, False)
    monkeypatch.setattr(StaticActing, "is_ready", lambda self: is_ready)
    assert_same_play(play("cpu", 4, True, lag=2), expected, exact=True)


@needs_cuda
@pytest.mark.parametrize("num_groups", [1, 2, 4])
def test_graphs_play_what_a_cpu_plays(num_groups: int):
    assert_same_play(play("cuda", num_groups, True, True), play("cpu", num_groups, False), exact=False)


def test_numbers_drawn_beforehand_are_those_drawn_step_by_step():
    logits = torch.randn(7, NUM_ENVS, 15, generator=torch.Generator().manual_seed(5))
    together = torch.rand(7, NUM_ENVS, 15, generator=torch.Generator().manual_seed(6))
    generator = torch.Generator().manual_seed(6)

    for step, uniform in zip(logits, together, strict=True):
        actions, log_prob = sample_actions(step, generator)
        expected_actions, expected_log_prob = choose_actions(step, uniform)
        assert torch.equal(actions, expected_actions)
        assert torch.equal(log_prob, expected_log_prob)


def test_another_number_of_steps_another_buffer_and_none_are_followed():
    groups = make_env_groups(EnvConfig("coinrun", num_envs=4), (1, 2), 2)
    player = Player(groups, torch.Generator().manual_seed(3), torch.device("cpu"), is_static=True)
    policy = make_policy("cpu")
    short, long = (RolloutBuffer(steps, 4, SHAPE, torch.device("cpu")) for steps in (2, 3))
    player.play(policy, 2, short)
    kept = short.action.clone()
    player.play(policy, 3, long)
    assert player.play(policy, 5).reward.shape == (5, 4)
    player.close()

    assert torch.equal(short.action, kept)
    assert ((long.action >= 0) & (long.action < 15)).all()


def test_a_step_on_a_gpu_asks_the_device_for_no_value():
    """Tensors of a pretended GPU have shapes and no content: whatever asks for a value fails."""
    with FakeTensorMode(), torch.no_grad():
        device = torch.device("cuda")
        acting = object.__new__(StaticActing)  # pinned memory and streams cannot be pretended
        buffer = RolloutBuffer(NUM_STEPS, 4, SHAPE, device)
        with device:
            acting._network = SemanticPolicy(keep_activations=True)
        acting._buffer = [
            column[:, 1:3] for column in (buffer.observation, buffer.action, buffer.log_prob, buffer.value)
        ]
        acting._uniform = torch.rand(NUM_STEPS, 2, 15, device=device)
        acting._step = torch.zeros(1, dtype=torch.int64, device=device)
        acting._observation = torch.zeros(2, *SHAPE, dtype=torch.uint8, device=device)
        acting._actions = torch.zeros(2, dtype=torch.int64, device=device)
        acting._values = torch.zeros(2, device=device)
        acting._choose_plainly()
        acting._find_values()
        assert buffer.action.device.type == "cuda"


@needs_cuda
def test_two_streams_see_the_weights_of_the_last_update():
    policy = make_policy("cuda")
    groups = make_env_groups(EnvConfig("coinrun", num_envs=4), (1, 2), 2)
    player = Player(groups, torch.Generator().manual_seed(3), torch.device("cuda"), True, True)
    buffer = RolloutBuffer(NUM_STEPS, 4, SHAPE, torch.device("cuda"))
    for _ in range(4):
        player.play(policy, NUM_STEPS, buffer)
        with torch.no_grad():
            policy.value_head.bias.add_(1.0)
            expected = policy(buffer.observation.flatten(0, 1)).value.view(NUM_STEPS, 4) - 1
        torch.testing.assert_close(buffer.value, expected, rtol=1e-3, atol=1e-3)
    player.close()
