"""Clients that dawdle or leave, over real connections: they are cut off in time, and nothing of theirs piles up."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from semantic_rl.explorer.background_jobs import MOST_AT_WORK, MOST_KEPT, Jobs, Pending
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server import connections
from semantic_rl.explorer.server.connections import MOST_CONNECTIONS, Turn
from semantic_rl.explorer.server.responses import answering, json_answer
from semantic_rl.explorer.server.routes import make_app
from semantic_rl.explorer.server.run import Ending, Server, find_place

HEAD = b"Host: 127.0.0.1\r\nX-Semantic-RL: 1\r\n"


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SECONDS", dict.fromkeys(Turn, 0.6))


@contextmanager
def serving(app: ASGIApp) -> Generator[int]:
    """Run the explorer's server in a thread; gives its port."""
    place = find_place("127.0.0.1", 0)
    server = Server(app, Ending())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.listener]})
    thread.start()
    try:
        yield place.port
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def seconds_until_cut_off(client: socket.socket, sign_of_life: bytes = b"") -> float:
    """Send a sign of life now and then until the server has closed the connection."""
    begun = time.monotonic()
    client.settimeout(0.05)
    while time.monotonic() - begun < 10:
        try:
            if sign_of_life:
                client.sendall(sign_of_life)
            if not client.recv(65536):
                return time.monotonic() - begun
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - begun
    raise AssertionError("the connection stays open")


def answer_of(client: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    received = b""
    while more := client.recv(65536):
        received += more
    return received


async def say_hello(request: Request) -> Response:
    return Response("hello")


HELLO = Starlette(routes=[Route("/", say_hello)])


@pytest.mark.parametrize("sign_of_life", [b"", b"x"])
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX-Slow: "])
def test_who_does_not_come_to_the_end_of_a_request_is_cut_off(begun: bytes, sign_of_life: bytes) -> None:
    with serving(HELLO) as port, connect(port) as client:
        client.sendall(begun)
        assert seconds_until_cut_off(client, sign_of_life) < 3


def test_who_does_not_bring_what_was_announced_is_cut_off(
    make_view: Callable[..., RecordingView], capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(make_app([make_view()])) as port, connect(port) as client:
        client.sendall(b"POST /api/a/inside HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n{")
        assert seconds_until_cut_off(client, b" ") < 3
    assert capfd.readouterr().err == ""


def test_who_goes_on_bringing_after_the_answer_is_cut_off() -> None:
    with serving(HELLO) as port, connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 100000\r\n\r\n{")
        assert seconds_until_cut_off(client, b" ") < 3


SIZE = 60_000_000


def large_answer(ended: threading.Event, in_pieces: bool) -> ASGIApp:
    """An application with one large answer, which tells when it is done with it."""

    async def pieces() -> Any:
        try:
            for _ in range(SIZE // 100_000):
                yield bytes(100_000)
        finally:
            ended.set()

    async def answer(request: Request) -> Response:
        return StreamingResponse(pieces()) if in_pieces else Response(bytes(SIZE))

    return Starlette(routes=[Route("/", answer)])


@pytest.mark.parametrize("in_pieces", [True, False])
def test_who_does_not_read_the_answer_is_cut_off(in_pieces: bool) -> None:
    ended = threading.Event()
    with serving(large_answer(ended, in_pieces)) as port, connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
        time.sleep(2)
        assert ended.is_set() or not in_pieces
        assert len(answer_of(client)) < SIZE


@pytest.mark.parametrize("in_pieces", [True, False])
def test_who_reads_slowly_but_steadily_gets_all_of_the_answer(in_pieces: bool) -> None:
    with serving(large_answer(threading.Event(), in_pieces)) as port, connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
        received = 0
        while more := client.recv(500_000, socket.MSG_WAITALL):
            received += len(more)
            time.sleep(0.03)
        assert received > SIZE


def test_an_answer_that_takes_long_to_make_is_waited_for() -> None:
    def slow(request: Request, content: dict[str, Any]) -> Response:
        time.sleep(2)
        return json_answer({})

    with serving(Starlette(routes=[Route("/", answering(slow))])) as port, connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
        assert b"200 OK" in answer_of(client)


def test_beside_a_crowd_that_asks_nothing_requests_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SECONDS", dict.fromkeys(Turn, 60.0))
    with serving(HELLO) as port:
        crowd = [connect(port) for _ in range(2 * MOST_CONNECTIONS)]
        with connect(port) as client:
            client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
            assert answer_of(client).endswith(b"hello")
        still_open = 0
        for idle in crowd:
            idle.setblocking(False)
            try:
                idle.recv(1)
            except BlockingIOError:
                still_open += 1
            except OSError:
                pass
            idle.close()
        assert still_open <= MOST_CONNECTIONS


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 17_000,
        b"GET / HTTP/2\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_a_sentence(sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(HELLO) as port, connect(port) as client:
        client.sendall(sent)
        head, _, content = answer_of(client).partition(b"\r\n\r\n")
        assert b" 400 " in head
        assert json.loads(content) == {"error": "this is no HTTP request."}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "rest", [b"Content-Length: 10\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n\r\n"]
)
def test_who_leaves_or_talks_nonsense_in_the_midst_of_a_request_leaves_no_trace(
    make_view: Callable[..., RecordingView], capfd: pytest.CaptureFixture[str], rest: bytes
) -> None:
    with serving(make_app([make_view()])) as port:
        for _ in range(5):
            with connect(port) as client:
                client.sendall(b"POST /api/a/inside HTTP/1.1\r\n" + HEAD + rest)
                time.sleep(0.05)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with connect(port) as client:
            client.sendall(b"GET /api/recordings HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
            assert b"200 OK" in answer_of(client)
    assert capfd.readouterr().err == ""


def test_requests_whose_clients_have_left_are_not_answered() -> None:
    answered: list[int] = []

    def slow(request: Request, content: dict[str, Any]) -> Response:
        answered.append(1)
        time.sleep(0.5)
        return json_answer({})

    with serving(Starlette(routes=[Route("/", answering(slow))])) as port:
        for _ in range(150):
            with connect(port) as client:
                client.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
        with connect(port) as client:
            client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
            assert b"200 OK" in answer_of(client)
    assert len(answered) < 100


def test_the_end_of_events_is_not_waited_for_where_only_the_head_is_asked_for(
    make_view: Callable[..., RecordingView],
) -> None:
    with serving(make_app([make_view()])) as port, connect(port) as client:
        client.sendall(b"HEAD /api/a/events HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
        assert b"200 OK" in answer_of(client)


def test_of_what_is_asked_once_little_is_kept() -> None:
    jobs = Jobs()
    for key in range(MOST_KEPT + 50):
        assert jobs.get(("inside", key), lambda _: key, None, is_asked_once=True) == key  # noqa: B023 — at once
    assert not jobs.is_ready(("inside", 0))
    assert jobs.is_ready(("inside", MOST_KEPT + 49))
    assert sum(jobs.is_ready(("inside", key)) for key in range(MOST_KEPT + 50)) == MOST_KEPT


def test_of_what_is_asked_once_little_is_begun_at_a_time() -> None:
    jobs, begun, may_end = Jobs(), list[int](), threading.Event()

    def work(_: object) -> None:
        begun.append(1)
        may_end.wait(20)

    for key in range(3 * MOST_AT_WORK):
        with pytest.raises(Pending):
            jobs.get(("inside", key), work, 0.01, is_asked_once=True)
    assert len(begun) == MOST_AT_WORK
    may_end.set()
    for key in range(MOST_AT_WORK):
        jobs.get(("inside", key), work, 20, is_asked_once=True)
    jobs.get(("inside", 3 * MOST_AT_WORK), work, 20, is_asked_once=True)
    assert len(begun) == MOST_AT_WORK + 1
