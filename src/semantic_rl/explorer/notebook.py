"""The explorer in a notebook: the page in an iframe, its server in a thread."""

import html
import threading
from pathlib import Path

from semantic_rl.config.explore import ExploreConfig
from semantic_rl.explorer.open_recordings import open_views, warm_up
from semantic_rl.explorer.server.access_control import Policy
from semantic_rl.explorer.server.routes import make_app
from semantic_rl.explorer.server.run import Ending, Server, find_place
from semantic_rl.recording.store import Recording

FRAMED_BY = (
    "http://localhost:*",
    "http://127.0.0.1:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "vscode-webview:",
)
"""Origins of notebooks that run on this machine."""


class Explorer:
    """A running explorer; a notebook displays it if it is the last value of a cell."""

    def __init__(self, address: str, height: int, server: Server, thread: threading.Thread) -> None:
        self.address = address
        """The address to open in a browser on this machine."""
        self._height = height
        self._server = server
        self._thread = thread

    def _repr_html_(self) -> str:
        address = html.escape(self.address)
        return (
            f'<iframe src="{address}" width="100%" height="{self._height}" style="border: 0" '
            f'title="semantic-rl explorer" allow="fullscreen"></iframe>'
        )

    def __repr__(self) -> str:
        return f"Explorer at {self.address}"

    def stop(self) -> None:
        """Stop the server; otherwise it ends with the notebook's kernel."""
        self._server.stop()
        self._thread.join(timeout=10)


def explore(
    recording: str | Path | Recording, other: str | Path | Recording | None = None, height: int = 760, port: int = 0
) -> Explorer:
    """Show a recording, or two side by side, in an iframe of `height` pixels; `port` 0 takes any free port.

    Raises UserError if a recording cannot be opened.
    """
    paths = [
        given.path if isinstance(given, Recording) else Path(given) for given in (recording, other) if given is not None
    ]
    names = [given.clustering_name if isinstance(given, Recording) else None for given in (recording, other)]
    views = open_views(
        ExploreConfig(
            paths[0],
            paths[1] if len(paths) > 1 else None,
            browser=False,
            clustering=names[0],
            other_clustering=names[1],
        )
    )
    place = find_place(ExploreConfig.host, port)
    ending = Ending()
    server = Server(make_app(views, Policy(framed_by=FRAMED_BY), ending), ending)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [place.listener]}, name="semantic-rl explorer", daemon=True
    )
    thread.start()
    warm_up(views)
    return Explorer(place.address, height, server, thread)
