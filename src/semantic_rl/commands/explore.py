"""semantic-rl explore."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.commands.parse import parse
from semantic_rl.config import ExploreConfig

if TYPE_CHECKING:
    from semantic_rl.explorer.view import View


def run(arguments: list[str]) -> None:
    """Serve the page until interrupted, or write it into a file."""
    explore(parse(ExploreConfig, arguments, "explore"))


def explore(config: ExploreConfig) -> None:
    """Do what the settings say."""
    from semantic_rl.explorer.opening import open_views

    if config.export is None:
        serve(open_views(config), config)
        return
    from semantic_rl.explorer.export import check_place

    check_place(config.export)
    (view,) = open_views(config)
    export(view, config.export, config.frames)


def serve(views: "list[View]", config: ExploreConfig) -> None:
    """Serve the page until interrupted; Ctrl-C is the way to end it, and so no failure."""
    import webbrowser

    from semantic_rl.explorer.app import make_app
    from semantic_rl.explorer.opening import warm_up
    from semantic_rl.explorer.security import Policy
    from semantic_rl.explorer.serve import Ending, Server, find_place

    place = find_place(config.host, config.port)
    ending = Ending()
    server = Server(make_app(views, Policy(place.token), ending), ending)
    if place.token:
        print(
            f"others can reach this server on {place.host}: whoever has the address below, with its token, sees the "
            "recording and may write notes. The connection is not encrypted.",
            file=sys.stderr,
        )
    print(f"{place.address}   (Ctrl-C ends it)", flush=True)
    if config.browser and not webbrowser.open(place.address):
        print("no browser was found; open the address in one.", file=sys.stderr)
    warm_up(views)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[place.listener])


def export(view: "View", path: Path, num_frames: int) -> None:
    """Write the page and its data into one file, with all planes, and print its size."""
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.explorer.export import write_export
    from semantic_rl.explorer.exported import Exported
    from semantic_rl.explorer.jobs import Pending
    from semantic_rl.explorer.meta import TITLES
    from semantic_rl.explorer.planes import PLANES

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("", total=1.0)
        for name in PLANES:
            if view.explored.why_not(name) is None:
                bars.update(task, description=TITLES[name], completed=0)
                while not view.explored.is_ready(name):
                    try:
                        view.explored.plane(name, patience=0.2)
                    except Pending as pending:
                        bars.update(task, completed=pending.progress or 0)
        bars.update(task, description=f"writing {path}", completed=0)
        exported = Exported(view, num_frames, lambda done, total: bars.update(task, completed=done / total))
        write_export(exported, path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB. {exported.frames_text}")
