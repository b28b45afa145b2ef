"""semantic-rl explore."""

import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import ExploreConfig


def run(arguments: list[str]) -> None:
    """Serve the page until interrupted, or write it into a file."""
    explore(parse(ExploreConfig, arguments, "explore"))


def explore(config: ExploreConfig) -> None:
    """Do what the settings say."""
    import contextlib
    import webbrowser

    from semantic_rl.explorer.app import make_app
    from semantic_rl.explorer.opening import open_views
    from semantic_rl.explorer.serve import bind, run_server

    views = open_views(config)
    listener = bind(config.host, config.port)
    address = f"http://{config.host}:{listener.getsockname()[1]}/"
    app = make_app(views)
    print(f"{address}   (Ctrl-C ends it)", flush=True)
    if config.browser and not webbrowser.open(address):
        print("no browser was found; open the address in one.", file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        run_server(app, listener)
