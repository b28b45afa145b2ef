"""semantic-rl explore."""

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.artifacts import CONFIG_FILE, RECORDING_FILE
from semantic_rl.commands.parse import parse
from semantic_rl.config import DemoConfig, ExploreConfig, RecordConfig
from semantic_rl.errors import UserError
from semantic_rl.input_places import kind_of

if TYPE_CHECKING:
    from semantic_rl.explorer.recording_view import RecordingView

RECORDINGS = Path("recordings")
"""Folder, in the working folder, for recordings of the agents that ship with the package."""


def run(arguments: list[str]) -> None:
    """Serve the page until interrupted, or export it into a file."""
    config = parse(ExploreConfig, arguments, "explore")
    explore(
        replace(config, recording=recording_of(config.recording), other=config.other and recording_of(config.other))
    )


def recording_of(path: Path) -> Path:
    """Return the recording at a path; for the name of a shipped agent, one is made if it does not exist yet.

    Raises UserError for the user's own agents, since the user must choose what to record.
    """
    from semantic_rl.agents import shipped_agents
    from semantic_rl.recording.store.description import read_description

    expected = "a recording, or the name of an agent that ships with the package"
    if kind_of(path, expected) is not None:
        has_config, is_recording = (kind_of(path / name, expected) == "file" for name in (CONFIG_FILE, RECORDING_FILE))
        if has_config and not is_recording:
            raise UserError(
                f"{path} is an agent; expected a recording. Make one: semantic-rl record {path} --states 5000 "
                f"--out {RECORDINGS / path.name}"
            )
        return path
    if str(path) not in [agent.name for agent in shipped_agents()]:
        return path
    folder = RECORDINGS / path
    begun = kind_of(folder / RECORDING_FILE, "a recording") == "file"
    if begun and read_description(folder).get("complete") is True:
        return folder
    from semantic_rl.recording.record import record

    print(f"recording {DemoConfig.states:,} states of the agent {path} into {folder} first", file=sys.stderr)
    return record(RecordConfig(agent=path, out=folder, states=DemoConfig.states, resume=begun))


def explore(config: ExploreConfig) -> None:
    """Serve or export the recordings that the settings name."""
    from semantic_rl.explorer.open_recordings import open_views

    if config.export is None:
        serve(open_views(config), config)
        return
    from semantic_rl.explorer.export.html_file import check_place

    check_place(config.export)
    (view,) = open_views(config)
    export(view, config.export, config.frames)


def serve(views: "list[RecordingView]", config: ExploreConfig) -> None:
    """Serve the page until interrupted; Ctrl-C is the normal way to end it and not a failure."""
    import webbrowser

    from semantic_rl.explorer.open_recordings import warm_up
    from semantic_rl.explorer.server.access_control import Policy
    from semantic_rl.explorer.server.routes import make_app
    from semantic_rl.explorer.server.run import Ending, Server, find_place

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


def export(view: "RecordingView", path: Path, num_frames: int) -> None:
    """Write the page and its data into one file, with all planes, and print its size."""
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.explorer.background_jobs import Pending
    from semantic_rl.explorer.dataset.description import TITLES
    from semantic_rl.explorer.dataset.projections import PLANES
    from semantic_rl.explorer.export.contents import Exported
    from semantic_rl.explorer.export.html_file import write_export

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
