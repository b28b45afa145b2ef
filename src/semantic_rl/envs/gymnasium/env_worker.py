"""A process that plays environments for another one, which has started it: see `env_processes`.

Each request is (number of the environment, function, arguments). The function is called with the environment, or, to
make it, without. The reply is (True, result) or (False, what was raised). The other process may send the next request
before it has read a reply; the replies keep the order of the requests.
"""

import signal
import socket
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from semantic_rl.errors import UserError


def serve(connection: Connection) -> None:
    """Answer requests until the other process is gone."""
    envs: dict[int, Any] = {}
    while True:
        try:
            number, function, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if number in envs:
                reply = True, function(envs[number], *arguments)
            else:
                envs[number] = function(*arguments)
                reply = True, None
        except UserError as error:
            reply = False, error
        except Exception:
            reply = False, RuntimeError(traceback.format_exc())
        try:
            connection.send(reply)
        except OSError:
            return


if __name__ == "__main__":
    # Who stops the other process means this one, too, and it lets this one finish its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(Connection(socket.socket(fileno=int(sys.argv[1])).detach()))
