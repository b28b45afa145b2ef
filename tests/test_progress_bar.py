"""A progress bar is drawn on a terminal only, shows what is done, and leaves nothing behind."""

import os
import sys

import pytest

from semantic_rl.progress_bar import phase_bar, progress_bar


def test_nothing_is_drawn_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar("counting", 3, counts=True) as on_progress:
        on_progress(1, 3)
    with phase_bar("measuring") as on_phase:
        on_phase("t-SNE", 2, 3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "is_drawn"), [(0.0, True), (1000.0, False)])
def test_on_a_terminal_it_shows_the_phase_at_once_or_after_some_seconds(
    monkeypatch: pytest.MonkeyPatch, seconds: float, is_drawn: bool
) -> None:
    openpty = pytest.importorskip("pty", reason="needs a pseudo-terminal").openpty
    reader, writer = openpty()
    try:
        with open(writer, "w", encoding="utf-8") as terminal:
            monkeypatch.setattr(sys, "stderr", terminal)
            monkeypatch.setenv("TERM", "xterm")
            with phase_bar("", after_seconds=seconds) as on_phase:
                on_phase("measuring", 1, 2)
        shown = os.read(reader, 65536).decode()
    finally:
        os.close(reader)
    assert ("measuring" in shown) == is_drawn
