"""Runs the explorer's server: a port that is free, an address, and an end without noise."""

import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from semantic_rl.errors import UserError

PORTS_TRIED = 50
LAST_PORT = 65535


def bind(host: str, port: int) -> socket.socket:
    """Listen on `port` of `host` or, where it is taken, on the next that is free; 0 takes any.

    Raises UserError if there is none, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = port if port == 0 else min(port + PORTS_TRIED - 1, LAST_PORT)
    for candidate in range(port, last + 1):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if isinstance(error, socket.gaierror) or error.errno in _NOT_OURS:
                raise UserError(f"host: {host} is not an address of this machine ({error.strerror}).") from error
            continue
        if candidate != port:
            print(f"port {port} is in use; taking {candidate}.", file=sys.stderr)
        return listener
    raise UserError(f"port: none of {port} to {last} is free or may be used; give another --port.")


def _error_numbers() -> frozenset[int]:
    import errno

    return frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


_NOT_OURS = _error_numbers()


def run_server(app: ASGIApp, listener: socket.socket) -> None:
    """Answer until interrupted."""
    make_server(app).run(sockets=[listener])


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Make a server that says nothing and does not wait for pages that stay open."""
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, lifespan="off"
        )
    )
