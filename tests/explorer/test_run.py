"""The server as users run it: a process of its own, on a real port."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from semantic_rl.errors import UserError
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server.run import find_place

from ..recording.synthetic import make_recording
from .conftest import WRITE


@contextmanager
def serving(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run `semantic-rl explore` until it has printed its address; ends it, if the test has not."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "semantic_rl.cli", "explore", *arguments, "--no-browser"]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = re.match(r"(http://\S+) ", line)
            assert address, (line, process.stderr.read() if process.stderr else "")
            yield process, address[1]
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str]:
    """End the server by a signal; returns its exit code and what it said on stderr."""
    process.send_signal(by)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


@pytest.fixture
def folder(make_view: Callable[..., RecordingView]) -> Path:
    return make_view().explored.recording.path


def test_a_server_answers_and_ctrl_c_ends_it_quietly(folder: Path) -> None:
    with serving(str(folder), "--port", "0") as (process, address):
        meta = httpx.get(f"{address}api/recordings").json()["recordings"][0]
        assert meta["name"] == folder.name
        assert httpx.get(address).headers["content-type"].startswith("text/html")
        with httpx.stream("GET", f"{address}api/a/events") as events:  # a page that stays open
            assert next(events.iter_lines()) == 'data: {"annotations": 0}'
            begun = time.monotonic()
            code, said = ended(process, signal.SIGINT)
        assert (code, said) == (0, "")
        assert time.monotonic() - begun < 10


def test_events_tell_of_changes_by_this_and_by_other_processes(folder: Path) -> None:
    with (
        serving(str(folder), "--port", "0") as (_, address),
        httpx.stream("GET", f"{address}api/a/events", timeout=20) as events,
    ):
        lines = (line for line in events.iter_lines() if line.startswith("data: "))
        assert json.loads(next(lines)[6:]) == {"annotations": 0}
        content = {"name": "x", "seen": 0}
        assert httpx.put(f"{address}api/a/annotations/clusters/1", json=content, headers=WRITE).status_code == 200
        assert json.loads(next(lines)[6:]) == {"annotations": 1}
        file = folder / "annotations.json"
        file.write_text(file.read_text().replace('"version": 1,\n  "clusters"', '"version": 7,\n  "clusters"'))
        assert json.loads(next(lines)[6:]) == {"annotations": 7}
        file.unlink()
        assert json.loads(next(lines)[6:]) == {"annotations": 0}


def test_where_the_port_is_in_use_the_next_one_is_taken_and_said(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(str(folder), "--port", str(port)) as (process, address):
            found = int(address.rstrip("/").rpartition(":")[2])
            assert found > port
            assert httpx.get(f"{address}api/recordings").status_code == 200
            assert ended(process, signal.SIGTERM)[1] == f"port {port} is in use; taking {found}.\n"


def test_on_another_address_a_token_is_printed_and_needed(folder: Path) -> None:
    with serving(str(folder), "--port", "0", "--host", "0.0.0.0") as (process, address):
        port = int(re.findall(r":(\d+)/", address)[0])
        token = address.partition("?token=")[2]
        assert len(token) >= 32
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/api/recordings").status_code == 401
        with httpx.Client(follow_redirects=True) as page:
            assert page.get(f"{base}/?token={token}").status_code == 200
            assert page.get(f"{base}/api/recordings").status_code == 200
        code, said = ended(process, signal.SIGINT)
        assert code == 0
        assert "not encrypted" in said
        assert token not in said


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: all of 127.0.0.0/8 is this machine's own")
def test_on_a_second_address_of_this_machine_a_token_keeps_its_other_users_out() -> None:
    place = find_place("127.0.0.2", 0)
    place.listener.close()
    assert place.token


def test_an_address_that_is_not_this_machines_is_refused() -> None:
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(UserError, match=r"expected an address of this machine|is no address"):
            find_place(host, 0)


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semantic_rl.explorer.server.run.PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="is free or may be used; give another --port"):
            find_place("127.0.0.1", taken.getsockname()[1])


def test_computations_that_are_asked_for_at_once_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    """Each imports modules of scikit-learn and SciPy in a thread of its own, as soon as the server answers."""
    first, second = (str(make_recording(tmp_path / name, picture_size=64).path) for name in "ab")
    asked = ("compare", "a/clusters", "b/clusters", "a/playlist/lookalikes", "b/transitions", "a/plane/pca")
    for _ in range(3):
        with serving(first, second, "--port", "0") as (_, address):
            left = set(asked)
            deadline = time.monotonic() + 60
            with ThreadPoolExecutor(len(asked)) as threads:
                while left:
                    assert time.monotonic() < deadline, f"still computing: {sorted(left)}"
                    names = sorted(left)
                    answers = threads.map(lambda name: httpx.get(f"{address}api/{name}", timeout=30).status_code, names)
                    left = {name for name, status in zip(names, answers, strict=True) if status == 202}
                    time.sleep(0.2)
