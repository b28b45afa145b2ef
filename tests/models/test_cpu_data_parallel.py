"""Images divided among threads give what all of them give at once."""

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from semantic_rl.models.cpu_data_parallel import MIN_SHARE, MIN_SHARE_FORWARD, in_shares, map_shares
from semantic_rl.models.policy import SemanticPolicy

NUM_THREADS = 3


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(NUM_THREADS)
    yield
    torch.set_num_threads(before)


def images(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def gradients(policy: SemanticPolicy, observation: Tensor) -> tuple[Tensor, dict[str, Tensor | None]]:
    policy.zero_grad()
    features = policy.features(observation)
    directions = torch.randn(features.shape, generator=torch.Generator().manual_seed(1))
    (features * directions).sum().backward()
    return features.detach(), {name: parameter.grad for name, parameter in policy.trunk.named_parameters()}


def test_features_and_gradients_are_those_of_all_images_at_once() -> None:
    torch.manual_seed(0)
    policy, observation = SemanticPolicy(), images(NUM_THREADS * MIN_SHARE + 5)
    policy.trunk.blocks[1].conv.weight.requires_grad_(False)  # type: ignore[union-attr]
    features, expected = gradients(policy, observation)
    policy.trunk_chunk = 7
    shared_features, shared = gradients(policy, observation)
    torch.testing.assert_close(shared_features, features, rtol=1e-4, atol=1e-5)
    for name, gradient in expected.items():
        if gradient is None:
            assert name == "blocks.1.conv.weight"
            assert shared[name] is None
        else:
            assert (shared[name] - gradient).norm() < 1e-4 * gradient.norm(), name


def test_the_same_number_of_threads_gives_the_same_bits() -> None:
    torch.manual_seed(0)
    policy = SemanticPolicy(trunk_chunk=7)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        features, first = gradients(policy, images(64))
        again, second = gradients(policy, images(64))
    assert torch.equal(features, again)
    assert all(torch.equal(first[name], second[name]) for name in first)  # type: ignore[arg-type]


class Witness(nn.Module):
    """Notes in which thread, with how many further threads and in what precision it computes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.seen: list[tuple[str, int, int, torch.dtype]] = []

    def forward(self, x: Tensor) -> Tensor:
        result = self.layer(x)
        self.seen.append((threading.current_thread().name, len(x), torch.get_num_threads(), result.dtype))
        return result


def test_each_thread_computes_its_share_alone_in_the_callers_precision() -> None:
    witness = Witness()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        in_shares(witness, torch.randn(100, 4), witness).sum().backward()
    assert sorted(size for _, size, _, _ in witness.seen) == [33, 33, 34]
    assert {(threads, dtype) for _, _, threads, dtype in witness.seen} == {(1, torch.bfloat16)}
    assert threading.current_thread().name not in {name for name, _, _, _ in witness.seen}
    assert torch.get_num_threads() == NUM_THREADS
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [NUM_THREADS]


def test_fewer_shares_than_threads_leave_the_number_of_threads_as_it_was() -> None:
    witness = Witness()
    in_shares(witness, torch.randn(2 * MIN_SHARE + 1, 4), witness)
    assert [size for _, size, _, _ in witness.seen] in ([17, 16], [16, 17])
    assert torch.get_num_threads() == NUM_THREADS


@pytest.mark.parametrize("case", ["no gradient", "few images", "frozen", "one thread"])
def test_where_threads_do_not_pay_all_images_pass_at_once(case: str) -> None:
    witness = Witness()
    count = 2 * MIN_SHARE - 1 if case == "few images" else 100
    if case == "frozen":
        witness.requires_grad_(False)
    if case == "one thread":
        torch.set_num_threads(1)
    with torch.set_grad_enabled(case != "no gradient"):
        in_shares(witness, torch.randn(count, 4), witness)
    assert [(name, size) for name, size, _, _ in witness.seen] == [(threading.current_thread().name, count)]


@pytest.mark.parametrize("count", [0, 1, 2 * MIN_SHARE_FORWARD - 1, 2 * MIN_SHARE_FORWARD, 100])
def test_without_a_gradient_no_operation_is_divided(count: int) -> None:
    witness, x = Witness(), torch.randn(count, 4)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        found, expected = map_shares(witness, x), witness.layer(x)
    assert not any(part.requires_grad for part in found)
    assert torch.equal(torch.cat(found), expected)
    sizes = [size for _, size, _, _ in witness.seen]
    assert sum(sizes) == count
    assert len(sizes) == max(1, min(NUM_THREADS, count // MIN_SHARE_FORWARD))
    assert {(threads, dtype) for _, _, threads, dtype in witness.seen} == {(1, torch.bfloat16)}
    assert threading.current_thread().name not in {name for name, _, _, _ in witness.seen}


def test_with_one_thread_the_one_share_is_computed_here() -> None:
    torch.set_num_threads(1)
    witness = Witness()
    (found,) = map_shares(witness, torch.randn(100, 4))
    assert not found.requires_grad
    assert [(name, size) for name, size, _, _ in witness.seen] == [(threading.current_thread().name, 100)]


@pytest.mark.parametrize("num_codes", [8, 0])
@pytest.mark.parametrize("count", [5, 100])
def test_a_policy_in_its_place_says_of_each_image_what_it_says_of_all(num_codes: int, count: int) -> None:
    torch.manual_seed(0)
    policy, observation = SemanticPolicy(num_codes=num_codes), images(count)
    with torch.no_grad():
        expected = policy(observation)
        found = policy.place(torch.device("cpu"))(observation)
    for name, values in expected._asdict().items():
        if values is None:
            assert found._asdict()[name] is None
        else:
            torch.testing.assert_close(found._asdict()[name], values, rtol=1e-4, atol=1e-5)


def test_an_error_in_a_thread_reaches_the_caller_and_the_threads_go_on() -> None:
    witness = Witness()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        in_shares(witness, torch.randn(100, 5), witness)
    in_shares(witness, torch.randn(100, 4), witness).sum().backward()
    assert witness.layer.weight.grad is not None


def test_a_second_backward_pass_is_refused() -> None:
    witness = Witness()
    total = in_shares(witness, torch.randn(100, 4), witness).sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="only once"):
        total.backward()
