"""Signals that are noted, so that what runs can save its state before it ends."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from semantic_rl.stop_signals import StopSignals


@pytest.mark.parametrize(
    ("number", "ended"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_waits_until_it_is_asked_for(number: signal.Signals, ended: type[BaseException]) -> None:
    before = signal.getsignal(number)
    with StopSignals() as signals:
        signals.stop()
        os.kill(os.getpid(), number)
        assert signals.received == number
        assert signals.exit_code == 128 + number
        assert signal.getsignal(number) is before  # a second one has its usual effect
        with pytest.raises(ended):
            signals.stop()
    assert signal.getsignal(number) is before


def test_another_thread_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)

    def enter() -> int | None:
        with StopSignals() as signals:
            assert threading.current_thread() is not threading.main_thread()
            signals.stop()
            return signals.received

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter).result() is None
    assert signal.getsignal(signal.SIGINT) is before
