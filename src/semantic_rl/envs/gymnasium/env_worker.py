"""A process that plays environments for another one, which has started it: see `env_processes`.

A message holds requests, each (number of the environment, function, arguments). The function is called with the
environment, or, to make it, without. Its reply is (True, result) or (False, what was raised); one message has the
replies to all requests of another one, in their order. The other process may send the next message before it has read
the replies to the last.
"""

import signal
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from semantic_rl.errors import UserError


def serve(connection: Connection) -> None:
    """Answer requests until the other process is gone."""
    envs: dict[int, Any] = {}
    while True:
        try:
            requests = connection.recv()
        except (EOFError, OSError):
            return
        replies = [answer(envs, *request) for request in requests]
        try:
            connection.send(replies)
        except OSError:
            return


def answer(
    envs: dict[int, Any], number: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[bool, Any]:
    """Answer one request."""
    try:
        if number in envs:
            return True, function(envs[number], *arguments)
        envs[number] = function(*arguments)
        return True, None
    except UserError as error:
        return False, error
    except Exception:
        return False, RuntimeError(traceback.format_exc())


if __name__ == "__main__":
    # Who stops the other process means this one, too, and it lets this one finish its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(Connection(socket.socket(fileno=int(sys.argv[1])).detach()))
