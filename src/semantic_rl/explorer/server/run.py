"""Runs the explorer's server: a port that is free, an address to open, and an end without noise."""

import errno
import secrets
import socket
import sys
import threading
from types import FrameType
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from semantic_rl.errors import UserError
from semantic_rl.explorer.server.access_control import LOOPBACK_NAMES
from semantic_rl.explorer.server.connections import Connection

PORTS_TRIED = 50
LAST_PORT = 65535
IN_USE = frozenset({errno.EADDRINUSE, errno.EACCES})


class Place(NamedTuple):
    """Where the server listens."""

    listener: socket.socket
    host: str
    port: int
    token: str | None
    """Needed by all who ask, if others than this machine can; None on its own address."""

    @property
    def address(self) -> str:
        """What to open in the browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in EVERYWHERE:
            host = socket.gethostname()
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


EVERYWHERE = frozenset({"0.0.0.0", "::"})


def find_place(host: str, port: int) -> Place:
    """Listen on `port` of `host` or, where it is taken, on the next that is free, and say so; 0 takes any.

    Raises UserError if there is none, or the address is not this machine's.
    """
    host = host.strip().strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = port if port == 0 else min(port + PORTS_TRIED - 1, LAST_PORT)
    for candidate in range(port, last + 1):
        listener = _listen(family, host, candidate)
        if listener is None:
            continue
        found = int(listener.getsockname()[1])
        if port not in (0, found):
            print(f"port {port} is in use; taking {found}.", file=sys.stderr)
        return Place(listener, host, found, None if host in LOOPBACK_NAMES else secrets.token_urlsafe(24))
    raise UserError(f"port: none of {port} to {last} of {host} is free or may be used; give another --port.")


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket | None:
    """Return a listening socket; None if the port is taken or not allowed."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in IN_USE:
            return None
        raise UserError(
            f"host: cannot listen on {host} ({error.strerror}); expected an address of this machine."
        ) from error
    except UnicodeError as error:
        listener.close()
        raise UserError(f"host: {host!r} is no address; expected one of this machine.") from error
    return listener


class Ending:
    """Tells connections that stay open when the server ends."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Say whether it does."""
        return self._event.is_set()

    def begin(self) -> None:
        """End."""
        self._event.set()


class Server(uvicorn.Server):
    """A server that says nothing, and does not wait for pages that stay open."""

    def __init__(self, app: ASGIApp, ending: Ending) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
                lifespan="off",
            )
        )
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn on Ctrl-C and SIGTERM."""
        self._ending.begin()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """End, from another thread."""
        self._ending.begin()
        self.should_exit = True
