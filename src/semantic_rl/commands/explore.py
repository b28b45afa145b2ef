"""semantic-rl explore."""

import contextlib
import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import ExploreConfig


def run(arguments: list[str]) -> None:
    """Serve the page until interrupted, or write it into a file."""
    explore(parse(ExploreConfig, arguments, "explore"))


def explore(config: ExploreConfig) -> None:
    """Do what the settings say; Ctrl-C is the way to end the server, and so no failure."""
    import webbrowser

    from semantic_rl.explorer.app import make_app
    from semantic_rl.explorer.opening import open_views
    from semantic_rl.explorer.security import Policy
    from semantic_rl.explorer.serve import Ending, Server, find_place

    views = open_views(config)
    place = find_place(config.host, config.port)
    ending = Ending()
    server = Server(make_app(views, Policy(place.token), ending), ending)
    if place.token:
        print(
            f"others can reach this server on {place.host}; whoever has this address with its token sees the recording "
            "and may write notes. It is not encrypted.",
            file=sys.stderr,
        )
    print(f"{place.address}   (Ctrl-C ends it)", flush=True)
    if config.browser and not webbrowser.open(place.address):
        print("no browser was found; open the address in one.", file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[place.listener])
