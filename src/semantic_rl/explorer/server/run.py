"""Runs the explorer's server: finds a free port, gives the address to open, and shuts down cleanly."""

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
    """Token that requests need if other machines can reach the server; None on a loopback address."""

    @property
    def address(self) -> str:
        """Return the address to open in the browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in EVERYWHERE:
            host = socket.gethostname()
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


EVERYWHERE = frozenset({"0.0.0.0", "::"})


def find_place(host: str, port: int) -> Place:
    """Listen on `port` of `host` or, if it is taken, on the next free one, with a note; 0 takes any free port.

    Raises UserError if there is none, or if the address does not belong to this machine.
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
    """Return a listening socket; None if the port is taken or not permitted."""
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
    """A flag that tells long-lived connections that the server is shutting down."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Say whether the server is shutting down."""
        return self._event.is_set()

    def begin(self) -> None:
        """Begin the shutdown."""
        self._event.set()


class Server(uvicorn.Server):
    """A server that logs nothing and does not wait for pages that stay open."""

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
        """Shut down, called from another thread."""
        self._ending.begin()
        self.should_exit = True
