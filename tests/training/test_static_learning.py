"""Learning through tensors that never move equals learning as it is written, and never waits for the device."""

import pytest
import torch
from devices import DEVICES, needs_cuda
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.batch import Batch
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution
from semantic_rl.training.learner import Learner
from semantic_rl.training.statistics import UpdateStatistics

SIZE = 32
PPO = PPOConfig(num_minibatches=2, num_epochs=2, learning_rate=0.01, adam_epsilon=0.1)
"""With Adam's usual ε the smallest rounding of a gradient that is nearly zero moves its weight by a whole step."""


class TwoAlike(Workers):
    """Two workers that have found the same gradient."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(0, 2, device)
        self.num_averages = 0

    def average(self, tensor: Tensor) -> None:
        self.num_averages += 1


def make_batch(device: str) -> Batch:
    random = torch.Generator().manual_seed(1)
    numbers = [torch.randn(SIZE, generator=random) for _ in range(4)]
    images = torch.randint(0, 256, (SIZE, 64, 64, 3), generator=random, dtype=torch.uint8)
    actions = torch.randint(0, 15, (SIZE,), generator=random)
    return Batch(images.to(device), actions.to(device), *(column.to(device) for column in numbers))


def make_learner(
    device: str,
    execution: Execution,
    num_codes: int = 8,
    precision: str = "fp32",
    workers: Workers | None = None,
    pretended: bool = False,
) -> Learner:
    torch.manual_seed(0)
    with torch.device(device if pretended else "cpu"):
        policy = SemanticPolicy(num_codes=num_codes, keep_activations=execution is not Execution.PLAIN)
    if not pretended:
        policy.to(device)
    generator = torch.Generator().manual_seed(2)
    workers = workers or Workers(device=torch.device(device))
    return Learner(policy, PPO, SemanticConfig(), precision, generator, workers, execution)


def learn(learner: Learner, num_updates: int = 3) -> tuple[UpdateStatistics, dict[str, Tensor]]:
    batch = make_batch(learner.optimizer.weights.device.type)
    stream = torch.cuda.Stream() if batch.action.is_cuda else None
    with torch.cuda.stream(stream):  # graphs are captured on no default stream
        statistics = [learner.update(batch, semantic_weight=0.7) for _ in range(num_updates)]
    return statistics[-1], learner.optimizer.weights_by_name()


def assert_close(learner: Learner, other: Learner, rtol: float = 1e-4, atol: float = 2e-6) -> None:
    ours, theirs = learn(learner), learn(other)
    if learner.optimizer.weights.is_cuda:  # cuDNN's algorithms differ between the layers, and some add in any order
        rtol = max(rtol, 1e-3)
    assert ours[0].codes_in_use == theirs[0].codes_in_use
    for name, value in theirs[0].losses.items():
        assert ours[0].losses[name] == pytest.approx(value, rel=rtol, abs=1e-5), name
    for name, value in theirs[1].items():
        torch.testing.assert_close(ours[1][name], value, rtol=rtol, atol=atol, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("num_codes", [8, 0])
@pytest.mark.parametrize("device", DEVICES)
def test_static_updates_equal_plain_ones(device: str, num_codes: int):
    kinds = (Execution.STATIC, Execution.PLAIN)
    assert_close(*(make_learner(device, execution, num_codes=num_codes) for execution in kinds))


@needs_cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_graphs_learn_what_their_kernels_learn_one_by_one(precision: str):
    graphs, plain = (
        make_learner("cuda", execution, precision=precision) for execution in (Execution.GRAPHS, Execution.STATIC)
    )
    assert_close(graphs, plain, rtol=1e-4 if precision == "fp32" else 5e-2, atol=2e-6 if precision == "fp32" else 2e-3)
    assert graphs._static is not None  # pyright: ignore[reportPrivateUsage]
    assert all(work.is_captured for work in graphs._static._work)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("device", DEVICES)
def test_several_workers_average_between_gradient_and_step(device: str):
    workers = TwoAlike(torch.device(device))
    assert_close(make_learner(device, Execution.STATIC, workers=workers), make_learner(device, Execution.STATIC))
    assert workers.num_averages == 3 * PPO.num_epochs * PPO.num_minibatches


@pytest.mark.parametrize("device", DEVICES)
def test_bf16_keeps_weights_gradients_and_moments_in_float32_and_changes_losses_little(device: str):
    learner, exact = make_learner(device, Execution.STATIC, precision="bf16"), make_learner(device, Execution.STATIC)
    ours, theirs = learn(learner, 1)[0], learn(exact, 1)[0]

    assert learner.optimizer.weights.dtype == learner.optimizer.gradient.dtype == torch.float32
    assert {value.dtype for value in learner.policy.state_dict().values()} == {torch.float32}
    assert {value.dtype for value in learner.optimizer.state().values()} == {torch.float32, torch.int64}
    assert ours.losses["fdr_loss"] == pytest.approx(theirs.losses["fdr_loss"], rel=0.02)
    assert ours.losses["value_loss"] == pytest.approx(theirs.losses["value_loss"], rel=0.1)


def test_bf16_gradients_of_the_copies_are_those_of_layers_that_cast_their_own_weights():
    kinds = (Execution.STATIC, Execution.PLAIN)
    static, plain = (make_learner("cpu", execution, precision="bf16") for execution in kinds)
    plain.policy.trunk.keep_activations = True  # the same kernels, so that bf16 rounds alike
    for learner in (static, plain):
        learner.find_gradient(make_batch("cpu"), 0.7)

    ours, theirs = (learner.optimizer.layout.pieces(learner.optimizer.gradient) for learner in (static, plain))
    for name, gradient in theirs.items():
        difference = (ours[name] - gradient).norm() / gradient.norm()
        assert difference < 0.02, f"{name}: {difference}"


@pytest.mark.parametrize("num_codes", [8, 0])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_asks_the_device_for_no_value_and_has_fixed_shapes(precision: str, num_codes: int):
    """Pretended tensors have shapes and no content: whatever asks for a value fails."""
    with FakeTensorMode():
        batch = make_batch("cpu")
        learner = make_learner("cpu", Execution.STATIC, num_codes=num_codes, precision=precision, pretended=True)
        static = learner._static_learning(batch, SIZE // 2)  # pyright: ignore[reportPrivateUsage]
        for _ in range(2):
            static.step(batch, torch.zeros(SIZE // 2, dtype=torch.int64), 0.5)
        with pytest.raises(DataDependentOutputException):
            float(learner.optimizer.gradient[0])


@pytest.mark.parametrize("num_codes", [8, 0])
def test_the_losses_on_a_pretended_gpu_ask_for_no_value(num_codes: int):
    with FakeTensorMode():
        learner = make_learner("cuda", Execution.STATIC, num_codes=num_codes, precision="bf16", pretended=True)
        with torch.no_grad():
            losses, counts = learner.losses(make_batch("cuda"), torch.zeros((), device="cuda"))
        assert losses.loss.device.type == counts.device.type == "cuda"


@needs_cuda
def test_an_update_waits_for_the_device_once():
    learner, batch = make_learner("cuda", Execution.STATIC), make_batch("cuda")
    learn(learner)
    fetch = learner._statistics.fetch  # pyright: ignore[reportPrivateUsage]

    def fetch_at_the_end(num_minibatches: int) -> UpdateStatistics:
        torch.cuda.set_sync_debug_mode("default")
        return fetch(num_minibatches)

    learner._statistics.fetch = fetch_at_the_end  # type: ignore[method-assign]
    torch.cuda.set_sync_debug_mode("error")
    try:
        learner.update(batch, 0.7)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("device", DEVICES)
def test_a_restored_static_learner_goes_on_as_if_it_had_never_stopped(device: str):
    learner, other = make_learner(device, Execution.STATIC), make_learner(device, Execution.STATIC)
    learn(learner, 1)
    other.policy.load_state_dict(learner.optimizer.weights_by_name())
    other.restore(learner.optimizer.state())
    other._generator.set_state(learner._generator.get_state())  # pyright: ignore[reportPrivateUsage]

    ours, theirs = learn(learner, 1)[1], learn(other, 1)[1]
    for name, value in ours.items():
        if device == "cpu":
            assert torch.equal(value, theirs[name]), name
        else:  # some of cuDNN's gradients add up in any order
            torch.testing.assert_close(value, theirs[name], rtol=1e-4, atol=2e-6)
