"""Opens recordings for the explorer, shows progress if that takes time, and reports what is missing."""

import getpass
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from PIL import Image

from semantic_rl.config.explore import ExploreConfig
from semantic_rl.explorer.background_jobs import Pending
from semantic_rl.explorer.dataset.dataset import Explored, Settings
from semantic_rl.explorer.dataset.frame_reader import find_missing
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.late_imports import import_alone
from semantic_rl.progress_bar import progress_bar
from semantic_rl.recording.store import open_recording

IDS = ("a", "b")
SECONDS_BEFORE_WARMING = 3.0
"""Delay before warming up, after which the page has loaded what it needs first."""
NEEDED_BY_REQUESTS = ("anyio._backends._asyncio", "uvicorn.protocols.http.h11_impl", "uvicorn.loops.auto")
TAKE_SECONDS = ("semantic_rl.analysis.metrics.bootstrap", "scipy.optimize")
PREPARED_UP_TO = 50_000
"""Number of states up to which PCA takes a negligible time."""


def open_views(config: ExploreConfig) -> list[RecordingView]:
    """Open the recordings that the settings name; raises UserError if one cannot be opened."""
    paths = [config.recording, *([config.other] if config.other is not None else [])]
    settings = Settings(config.max_points, config.tsne_states, config.perplexity, config.seed)
    author = config.author or _login_name()
    names = (config.clustering, config.other_clustering)
    return [open_view(path, id, settings, author, name) for path, id, name in zip(paths, IDS, names, strict=False)]


def warm_up(views: Sequence[RecordingView]) -> None:
    """Start in the background what the page will soon ask for: the cards, and modules that take seconds to import.

    Threads that import at the same time can deadlock (`late_imports`). So the modules that every request needs are
    imported here, before there are other threads.
    """
    for name in NEEDED_BY_REQUESTS:
        import_module(name)
    Image.preinit()

    def begin() -> None:
        import_alone(*TAKE_SECONDS)
        for view in views:
            with suppress(Pending):
                view.cards(patience=0)
            if view.explored.num_states <= PREPARED_UP_TO and view.explored.why_not("pca") is None:
                with suppress(Pending):
                    view.explored.plane("pca", patience=0)

    timer = threading.Timer(SECONDS_BEFORE_WARMING, begin)
    timer.daemon = True
    timer.start()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have no name
        return ""


def open_view(
    path: Path, id: str, settings: Settings, author: str = "", clustering: str | None = None
) -> RecordingView:
    """Open one recording; its frames may be missing or damaged."""
    with progress_bar(f"reading {path}") as on_progress:
        recording = open_recording(path, with_frames=False, clustering=clustering)
        explored = Explored(
            recording,
            settings,
            id,
            find_missing(recording),
            on_progress,
        )
    return RecordingView(explored, author)
