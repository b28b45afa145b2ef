"""Connection limits of the explorer's server: timeouts for slow or vanished clients, and a maximum number of them.

uvicorn itself waits forever for the rest of a request, and for a client that does not read its response.
"""

import asyncio
import socket
from enum import Enum
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from semantic_rl.explorer.encoding import to_json

MOST_CONNECTIONS = 200
"""Most connections at once; beyond this, the one that has been idle longest is closed."""
LEAST_READ = 16 * 1024
"""Bytes of a response that a client must read within the timeout of `Turn.READ`."""
SECONDS_UNTIL_GONE = 30
"""Time without a sign of life after which the client's machine counts as gone."""
NOT_HTTP = "this is no HTTP request."


class Turn(Enum):
    """What the server is waiting for the client to do."""

    ASK = "ask"
    """Send the head of a request; timed from the connection or from the end of the previous response."""
    BRING = "bring"
    """Send the rest of the request's body."""
    READ = "read"
    """Read the response, or at least `LEAST_READ` of it."""


SECONDS = {Turn.ASK: 10.0, Turn.BRING: 30.0, Turn.READ: 20.0}
"""Timeout of each turn."""


class Connection(H11Protocol):
    """A connection that enforces these timeouts."""

    _turn: Turn | None = None
    _timer: asyncio.TimerHandle | None = None
    _since = 0.0
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Called by asyncio; makes room for the new connection if there are too many."""
        super().connection_made(transport)
        _notice_who_is_gone(transport.get_extra_info("socket"))
        self._watch()
        others = [other for other in self.connections if isinstance(other, Connection)]
        still_open = [other for other in others if not other.transport.is_closing()]
        if len(still_open) > MOST_CONNECTIONS:
            idle = [(other._since, id(other), other) for other in still_open if other._turn is Turn.ASK]
            (min(idle)[2] if idle else self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """Called by asyncio: the client reads its response more slowly than it is produced."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Called by asyncio: the client has read most of the buffered response."""
        super().resume_writing()
        self._stop_watching()
        self._watch()

    def on_response_complete(self) -> None:
        """Called by uvicorn."""
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for invalid HTTP; answers with one sentence, unless a response has begun, and closes."""
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None and not cycle.response_complete:  # the application must not respond as well
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        content = to_json({"error": NOT_HTTP})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(cast(Any, event)) or b"")
        self.transport.close()

    def _whose_turn(self) -> Turn | None:
        """Return what the client must do next; None while it is the server's turn, or if the connection is closed."""
        if self.transport.get_write_buffer_size():
            return Turn.READ
        if self.transport.is_closing():
            return None
        turns: dict[Any, Turn] = {h11.IDLE: Turn.ASK, h11.SEND_BODY: Turn.BRING}
        return turns.get(self.conn.their_state)

    def _watch(self) -> None:
        """Start the timeout if the turn has changed."""
        turn = self._whose_turn()
        if turn is self._turn:
            return
        self._stop_watching()
        if turn is not None:
            self._turn, self._since, self._unread = turn, self.loop.time(), self.transport.get_write_buffer_size()
            self._timer = self.loop.call_later(SECONDS[turn], self._at_the_end)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._turn = None

    def _at_the_end(self) -> None:
        """Close the connection, unless the client has kept reading."""
        has_read = self._unread - self.transport.get_write_buffer_size() >= LEAST_READ
        over, self._turn = self._turn, None
        if over is Turn.READ and (has_read or self._whose_turn() is not Turn.READ):
            self._watch()
        else:
            self.transport.abort()


def _notice_who_is_gone(connection: socket.socket | None) -> None:
    """Enable TCP keep-alive and a send timeout, so that the system notices if the client's machine is gone."""
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"TCP_KEEPIDLE": SECONDS_UNTIL_GONE // 2, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    for name, value in {**options, "TCP_USER_TIMEOUT": SECONDS_UNTIL_GONE * 1000}.items():
        if hasattr(socket, name):  # not every system has all of these options
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
