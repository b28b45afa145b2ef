"""Work that is replayed is done exactly once a call, captured or not."""

import pytest
import torch
from devices import DEVICES

from semantic_rl.training.graphs import CALLS_BEFORE_CAPTURE, StaticWork


def _ignore(_: torch.Tensor) -> None:
    pass


@pytest.mark.parametrize("device", DEVICES)
def test_every_call_does_the_work_once_before_and_after_the_capture(device: str):
    count = torch.zeros((), device=device)
    work = StaticWork(lambda: _ignore(count.add_(1)), as_graph=device == "cuda")
    stream = torch.cuda.Stream() if device == "cuda" else None
    for call in range(1, CALLS_BEFORE_CAPTURE + 4):
        with torch.cuda.stream(stream):
            work()
        if stream is not None:
            stream.synchronize()
        assert count.item() == call
        assert work.is_captured == (device == "cuda" and call > CALLS_BEFORE_CAPTURE)


def test_without_graphs_nothing_is_captured():
    calls: list[int] = []
    work = StaticWork(lambda: calls.append(1), as_graph=False)
    for _ in range(10):
        work()
    assert len(calls) == 10
    assert not work.is_captured


def test_where_no_graph_can_be_made_the_error_says_how_to_do_without():
    work = StaticWork(lambda: None, as_graph=True)  # no graph can be made on the default stream, or without a GPU
    for _ in range(CALLS_BEFORE_CAPTURE):
        work()
    with pytest.raises(Exception, match=r"(?i)cuda|nvidia|stream") as caught:
        work()
    assert any("--no-cuda-graphs" in note for note in caught.value.__notes__)
