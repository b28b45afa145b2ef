"""Acting through tensors that never move, in groups, in threads and as graphs, equals acting as it is written."""

from threading import active_count, get_ident

import numpy as np
import pytest
import torch
from colour_game import ColourGame
from devices import DEVICES, needs_cuda
from numpy.typing import NDArray
from small_runs import NUM_ENVS
from torch._subclasses.fake_tensor import FakeTensorMode

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import EnvStep
from semantic_rl.envs.factory import make_env_groups
from semantic_rl.models.policy import SemanticPolicy, choose_actions, sample_actions
from semantic_rl.stop_signals import Interrupted
from semantic_rl.training.actors import RolloutBuffer, StaticActing
from semantic_rl.training.graphs import Execution
from semantic_rl.training.rollout import Player, Rollout

NUM_STEPS, SHAPE = 6, (64, 64, 3)


def make_policy(device: str) -> SemanticPolicy:
    torch.manual_seed(0)
    policy = SemanticPolicy()
    torch.nn.init.orthogonal_(policy.policy_head.weight, 1.0)  # actions that depend on the pictures
    return policy.to(device)


def play(
    device: str, num_groups: int, execution: Execution, in_threads: bool | None = None
) -> tuple[list[Rollout], RolloutBuffer]:
    groups = make_env_groups(EnvConfig("coinrun", num_envs=NUM_ENVS), (1, 2, 3), num_groups)
    player = Player(groups, torch.Generator().manual_seed(3), torch.device(device), execution, in_threads)
    buffer = RolloutBuffer(NUM_STEPS, NUM_ENVS, SHAPE, torch.device(device))
    policy = make_policy(device)
    outcomes = [player.play(policy, NUM_STEPS, buffer) for _ in range(6)]
    player.close()
    return outcomes, buffer


def assert_same_play(
    ours: tuple[list[Rollout], RolloutBuffer], theirs: tuple[list[Rollout], RolloutBuffer], exact: bool
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
    static, plain = (play(device, num_groups, execution) for execution in (Execution.STATIC, Execution.PLAIN))
    assert_same_play(static, plain, exact=device == "cpu")


@pytest.mark.parametrize("execution", [Execution.PLAIN, Execution.STATIC])
@pytest.mark.parametrize("num_groups", [1, 2, 4])
def test_groups_in_threads_play_what_groups_in_turn_play(num_groups: int, execution: Execution):
    expected = play("cpu", num_groups, Execution.PLAIN)
    assert_same_play(play("cpu", num_groups, execution, in_threads=True), expected, exact=True)


@needs_cuda
@pytest.mark.parametrize("num_groups", [1, 2, 4])
def test_graphs_play_what_a_cpu_plays(num_groups: int):
    assert_same_play(play("cuda", num_groups, Execution.GRAPHS), play("cpu", num_groups, Execution.PLAIN), exact=False)


class Game(ColourGame):
    """Counts steps that nobody has waited for, and fails in step `fails_in`."""

    def __init__(self, num_envs: int, fails_in: int = -1) -> None:
        super().__init__(num_envs)
        self.num_under_way = self.num_steps = 0
        self.fails_in = fails_in

    def act(self, actions: NDArray[np.integer]) -> None:
        self.num_under_way += 1
        super().act(actions)

    def observe(self) -> EnvStep:
        if self.num_under_way:
            self.num_under_way -= 1
            self.num_steps += 1
            if self.num_steps == self.fails_in:
                raise OSError("the game fails")
        return super().observe()


def threaded(games: list[Game]) -> tuple[Player, SemanticPolicy]:
    generator, device = torch.Generator().manual_seed(0), torch.device("cpu")
    player = Player(list(games), generator, device, Execution.STATIC, in_threads=True)
    return player, SemanticPolicy(num_actions=2)


def test_progress_of_threads_names_every_step_once_in_the_callers_thread():
    player, policy = threaded([Game(2), Game(2)])
    for num_steps in (3, 12):
        calls: list[tuple[int, int, int]] = []
        player.play_for_statistics(policy, num_steps, lambda *step, calls=calls: calls.append((*step, get_ident())))
        assert calls == [(step, num_steps, get_ident()) for step in range(1, num_steps + 1)]


def test_a_failure_in_a_thread_ends_all_of_them_and_reaches_the_caller():
    games = [Game(2), Game(2, fails_in=7), Game(2)]
    player, policy = threaded(games)
    before = active_count()
    with pytest.raises(OSError, match="the game fails"):
        player.play_for_statistics(policy, 10**5)
    assert active_count() == before
    assert not any(game.num_under_way for game in games)


@pytest.mark.parametrize("error", [Interrupted, KeyboardInterrupt])
def test_an_interruption_ends_the_threads_after_their_steps(error: type[BaseException]):
    games = [Game(2), Game(2)]
    player, policy = threaded(games)
    before = active_count()

    def stop_at_six(done: int, total: int) -> None:
        if done == 6:
            raise error

    with pytest.raises(error):
        player.play_for_statistics(policy, 10**5, on_progress=stop_at_six)
    assert active_count() == before
    assert not any(game.num_under_way for game in games)
    assert player.play(policy, 5, RolloutBuffer(5, 4, SHAPE, torch.device("cpu"))).reward.shape == (5, 4)


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
    player = Player(groups, torch.Generator().manual_seed(3), torch.device("cpu"), Execution.STATIC)
    policy = make_policy("cpu")
    short, long = (RolloutBuffer(steps, 4, SHAPE, torch.device("cpu")) for steps in (2, 3))
    player.play(policy, 2, short)
    kept = short.action.clone()
    player.play(policy, 3, long)
    player.play_for_statistics(policy, 5)
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
    player = Player(groups, torch.Generator().manual_seed(3), torch.device("cuda"), Execution.GRAPHS)
    buffer = RolloutBuffer(NUM_STEPS, 4, SHAPE, torch.device("cuda"))
    for _ in range(4):
        player.play(policy, NUM_STEPS, buffer)
        with torch.no_grad():
            policy.value_head.bias.add_(1.0)
            expected = policy(buffer.observation.flatten(0, 1)).value.view(NUM_STEPS, 4) - 1
        torch.testing.assert_close(buffer.value, expected, rtol=1e-3, atol=1e-3)
    player.close()
