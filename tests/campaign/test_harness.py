"""The campaign finds what it looks for: crashes, hangs, memory, tracebacks, half-written and lost files."""

import faulthandler
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import process_tree
from .batches import Batch, late_of, said_of_both, try_late_again
from .children import Verdict, hangs, try_all
from .examples import apply, draw, edits_of_bytes, edits_of_json
from .kills import half_written
from .said import Said, run_here, wrong_with
from .stage import canaries, lost
from .table import Result, read_results, show


def behave(index: int) -> str | None:
    """Do what one after the other of the inputs makes the child do."""
    if index == 1:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), signal.SIGSEGV)
    elif index == 2:
        time.sleep(30)
    elif index == 3:
        raise RuntimeError("the reason")
    elif index == 4:
        return "what was wrong"
    elif index == 5:
        assert len(bytearray(b"x") * 1_200_000_000) > 0
    elif index == 6:
        os._exit(3)
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: /proc")
def test_inputs_that_crash_hang_or_take_memory_are_found_and_the_others_go_on() -> None:
    verdicts = list(try_all(range(8), behave, lambda: None, seconds=4))
    assert [verdict.index for verdict in verdicts] == list(range(8))
    wrong = {verdict.index: verdict.wrong for verdict in verdicts}
    assert wrong[0] is None
    assert wrong[1] == "died of SIGSEGV"
    slept = verdicts[2].wrong or verdicts[2].late  # which of them, depends on what else this machine does
    assert "more than 4 s, of which it computed for 0.0 s" in str(slept)
    assert "the reason" in str(wrong[3])
    assert wrong[4] == "what was wrong"
    assert wrong[5] == "took 1.1 GB" or verdicts[5].late  # which takes a busy machine longer than it may
    assert wrong[6] == "ended with exit code 3"
    assert wrong[7] is None


@pytest.mark.parametrize(
    ("computed", "load", "expected"), [(0.1, 0.5, True), (0.1, 3.0, False), (9.0, 0.5, False), (2.6, 1.0, False)]
)
def test_what_takes_too_long_hangs_if_it_neither_computes_nor_waits_for_a_processor(
    computed: float, load: float, expected: bool
) -> None:
    assert hangs(computed, 10, load, 2) == expected


@pytest.mark.parametrize(
    ("second", "again", "wrong"),
    [
        (Verdict(3, None, None, 1.25), "1.2 s", None),
        (Verdict(3, None, "over 10 s"), "over 10 s", "took FIRST; once more by itself over 10 s"),
        (Verdict(3, "a traceback", None, 2.0), "2.0 s", "a traceback (took FIRST, and was tried again)"),
    ],
)
def test_what_took_too_long_is_wrong_if_it_does_so_again(second: Verdict, again: str, wrong: str | None) -> None:
    assert said_of_both("FIRST", second) == (again, wrong)


def test_what_took_too_long_is_tried_once_more_and_both_times_are_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "materials").mkdir()
    batch = Batch("flags", "command lines", 0, 4)
    path = tmp_path / f"{batch.file_name}.json"
    path.write_text('{"tried": 4, "wrong": [], "late": [[2, "more than 10 s", null]], "seconds": 1}')
    assert read_results(tmp_path, [batch])[0].wrong == [
        "took more than 10 s, and was not tried again (seed 0, input 2)"
    ]
    assert late_of(batch, tmp_path) == [2]
    with capfd.disabled():
        try_late_again(batch, tmp_path)
    assert late_of(batch, tmp_path) == []
    (result,) = read_results(tmp_path, [batch])
    assert not result.wrong
    assert result.late[0].startswith("more than 10 s; by itself ")
    assert "late: flags: command lines: more than 10 s" in show([result])


def test_all_that_a_process_started_is_ended_with_it() -> None:
    child = subprocess.Popen(["sh", "-c", "setsid sleep 60 & setsid sleep 60 & wait"])
    while len(tree := process_tree.tree_of(child.pid)) < 3:
        time.sleep(0.01)
    process_tree.kill_tree(child.pid)
    child.wait()
    for pid in tree:
        while (status := Path(f"/proc/{pid}/status")).exists() and "Z (zombie)" not in status.read_text():
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(0, "anything\nat all", 1), None),
        (Said(2, "semantic-rl: error: one line\n", 1), None),
        (Said(2, "note: what is well\nsemantic-rl: error: one line\n", 1), None),
        (Said(2, "", 1), "0 lines"),
        (Said(2, "one\ntwo\n", 1), "2 lines"),
        (Said(1, "Traceback (most recent call last):\nValueError: x\n", 1), "a traceback: ValueError: x"),
        (Said(0, "thread '<unnamed>' panicked at x.rs:1\n", 1), "a traceback"),
        (Said(-11, "", 1), "SIGSEGV"),
        (Said(-9, "", 1), "more than 10 s"),
        (Said(3, "", 1), "exit code 3"),
    ],
)
def test_a_wrong_end_of_a_command_is_seen(said: Said, expected: str | None) -> None:
    wrong = wrong_with(said, 10)
    assert wrong is None if expected is None else expected in str(wrong)


def test_what_a_command_says_on_stderr_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        said = run_here(["no-such-command"])
    assert said.code == 2
    assert "unknown command 'no-such-command'" in said.err


def test_files_of_the_users_that_are_lost_are_seen(tmp_path: Path) -> None:
    for canary in canaries(tmp_path, "report"):
        canary.write_text("the user's")
    assert lost(tmp_path, "report") is None
    (tmp_path / "out.html.tmp").write_text("<html>")
    assert "out.html.tmp" in str(lost(tmp_path, "report"))


@pytest.mark.parametrize(("name", "content"), [("a.json", "{"), ("a.png", "\x89PNG"), ("a.html", "<html>")])
def test_half_written_files_are_seen(tmp_path: Path, name: str, content: str) -> None:
    assert half_written(tmp_path) is None
    (tmp_path / name).write_text(content)
    assert f"{name} is half-written" in str(half_written(tmp_path))


def test_the_same_seed_draws_the_same_damage() -> None:
    data = b'{"a": [1, 2, {"b": null}]}'
    for kind in (edits_of_bytes, edits_of_json):
        first, second = ([apply(edits, data) for edits in draw(kind(), 3, 50)] for _ in range(2))
        assert first == second
        assert len(set(first)) > 20
        assert first != [apply(edits, data) for edits in draw(kind(), 4, 50)]


def test_the_table_counts_and_shows_what_is_alike_once(tmp_path: Path) -> None:
    (tmp_path / f"{Batch('files', 'x', 0, 5).file_name}.json").write_text(
        '{"tried": 5, "wrong": [[1, "died at /tmp/work-a/1"], [3, "died at /tmp/work-b/2"]]}'
    )
    results = read_results(tmp_path, [Batch("files", "x", 0, 5), Batch("files", "x", 1, 7)])
    assert [(result.kind, result.tried, len(result.wrong)) for result in results] == [("files: x", 5, 2)]
    shown = show([*results, Result("kills: y", 1_000, [])])
    assert "| **all** | 1,005 | 1,003 | 2 |" in shown
    assert shown.count("died at") == 1
    assert "2 times" in shown
