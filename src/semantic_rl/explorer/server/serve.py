"""Serves the page until it is interrupted, says where it is, and opens it in the browser."""

import contextlib
import sys
import webbrowser
from collections.abc import Sequence

from semantic_rl.config import ExploreConfig
from semantic_rl.explorer.open_recordings import warm_up
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server.access_control import Policy
from semantic_rl.explorer.server.routes import make_app
from semantic_rl.explorer.server.run import Ending, Server, find_place


def serve(views: Sequence[RecordingView], config: ExploreConfig) -> None:
    """Serve the page until interrupted; Ctrl-C is the normal way to end it and not a failure."""
    place = find_place(config.host, config.port)
    ending = Ending()
    server = Server(make_app(views, Policy(place.token), ending), ending)
    if place.token:
        print(
            f"others can reach this server on {place.host}: anyone with the address below, and its token, can see the "
            "recording and may write notes. The connection is not encrypted.",
            file=sys.stderr,
        )
    print(f"{place.address}   (Ctrl-C ends it)", flush=True)
    if config.browser and not webbrowser.open(place.address):
        print("no browser was found; open the address in one.", file=sys.stderr)
    warm_up(views)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[place.listener])
