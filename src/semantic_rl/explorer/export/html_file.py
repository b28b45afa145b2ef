"""Writes the page and its data into one HTML file that needs neither server nor network.

The file is the page with script and style inlined, and the server's responses as blocks of inert text. What the map
needs comes first, then the script, then the other blocks: the map is drawn while the browser reads the rest. A content
security policy in the file forbids it to load anything from elsewhere.
"""

import base64
import gzip
import hashlib
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from semantic_rl.analysis.embedding import METHOD_TITLES
from semantic_rl.atomic_write import whole_file
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.background_jobs import Pending
from semantic_rl.explorer.built_page import PAGE, read_static
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.encoding import to_json
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.export.choice import Choice
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.output_places import check_output_file
from semantic_rl.progress_bar import OnPhase, OnProgress, phase_bar

STYLE = '<link rel="stylesheet" href="static/app.css">'
SCRIPT = '<script defer src="static/app.js"></script>'
GENERATOR = '<meta name="generator" content="semantic-rl explorer">'
_ICON = re.compile(r'<link rel="icon"[^>]*>\n?')
_HEAD = re.compile(r"<head>\n?")
SECONDS_BETWEEN_LOOKS = 0.2
FRAMES_A_BLOCK = 60
"""A column takes about as long as so many frames, for the progress."""
CHUNK = 3 * 2**18
"""Bytes that are base64-encoded at once; a multiple of three, so that the pieces can be concatenated."""


def export(view: RecordingView, path: Path, choice: Choice) -> Exported:
    """Compute the planes and write the page with them into a file, with a progress bar; return what it holds.

    Errors are as for `write_export`.
    """
    view.explored.tsne_threads = num_cores()  # nobody waits for answers meanwhile
    with phase_bar("") as on_phase:
        compute(view, choice.planes, on_phase)
        title = f"writing {path}"
        on_phase(title, 0, 1)
        exported = Exported(view, *choice)
        write_export(exported, path, lambda done, total: on_phase(title, done, total))
    return exported


def compute(view: RecordingView, planes: Collection[PlaneName], on_phase: OnPhase) -> None:
    """Compute side by side what takes long: the planes and the cards; `on_phase` may raise an exception to leave."""
    possible: list[PlaneName] = [name for name in planes if view.explored.why_not(name) is None]
    waits: dict[str, Callable[[float], object]] = {
        **{METHOD_TITLES[name]: partial(view.explored.plane, name) for name in possible},
        "clusters": view.cards,
    }
    for ask in waits.values():
        with suppress(Pending):
            ask(0)
    for title, ask in waits.items():
        while True:
            try:
                ask(SECONDS_BETWEEN_LOOKS)
                break
            except Pending as pending:
                on_phase(title, round(100 * (pending.progress or 0)), 100)


def write_export(exported: Exported, path: Path, on_progress: OnProgress = lambda done, total: None) -> None:
    """Write the file; raises UserError if the page has not been built, or if `path` is another kind of file.

    `on_progress` may raise an exception to end the work; then nothing is left of the file.
    """
    check_place(path)
    before, script, after = _page()
    first = exported.first_columns()
    last_needed = _block_of_column(exported, first[-1]) if first else "recordings"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            file.write(before)
            for name, content in _compressed(_blocks(exported, on_progress)):
                _write_block(file, name, content)
                if name == last_needed:
                    file.write(script)
            file.write(after)
    except OSError as error:  # the disk is full, or the folder is not writable
        raise UserError(
            f"export: {path} cannot be written ({error.strerror or error}); choose another place."
        ) from error


def check_place(path: Path) -> None:
    """Raise UserError if `path` cannot be written, or exists and is not an export, which may be replaced."""
    kind = "a page that the explorer exported"
    check_output_file(path, kind, lambda beginning: GENERATOR.encode() in beginning, "export")


def _blocks(exported: Exported, on_progress: OnProgress) -> Iterator[tuple[str, bytes, bool]]:
    """Yield the blocks: name, content, and whether the content is to be compressed."""
    id = exported.view.explored.id
    view, first = exported.view, exported.first_columns()
    columns = [*first, *(name for name in exported.column_names() if name not in first)]
    total = len(exported.rows) + FRAMES_A_BLOCK * len(columns)
    on_progress(0, total)
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = contract.Export(time=time, versions=exported.versions(), frames_text=exported.frames_text)
    yield "recordings", to_json(contract.Recordings(recordings=[exported.meta()], exported=about)), True
    for index, name in enumerate(columns):
        yield _block_of_column(exported, name), view.column(name, None), True
        on_progress(FRAMES_A_BLOCK * (index + 1), total)
    yield f"{id}-episodes", view.episodes(), True
    yield f"{id}-draws", exported.draws(), True
    answers: dict[str, Callable[[], Any]] = {
        "clusters": exported.cards,
        "transitions": lambda: view.transitions(None),
        "annotations": view.read_annotations,
        "playlists": exported.playlists,
        "moves": exported.moves,
        "details": exported.details,
        "numbers": exported.numbers,
        "means": exported.means,
    }
    for name, answer in answers.items():
        yield f"{id}-{name}", to_json(answer()), True
        on_progress(FRAMES_A_BLOCK * len(columns), total)
    frames = exported.frames(lambda done, _: on_progress(FRAMES_A_BLOCK * len(columns) + done, total))
    if frames is not None:
        yield f"{id}-frames", frames, False


def _block_of_column(exported: Exported, name: str) -> str:
    return f"{exported.view.explored.id}-column-{name}"


def _compressed(blocks: Iterator[tuple[str, bytes, bool]]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the blocks, those that are to be compressed so, while the next ones are collected."""
    waiting: deque[tuple[str, bytes | Future[bytes]]] = deque()
    with ThreadPoolExecutor(num_cores()) as threads:
        for name, content, is_packed in blocks:
            waiting.append((name, threads.submit(gzip.compress, content, 6, mtime=0) if is_packed else content))
            if len(waiting) > num_cores():
                yield _taken(*waiting.popleft())
        while waiting:
            yield _taken(*waiting.popleft())


def _taken(name: str, content: bytes | Future[bytes]) -> tuple[str, bytes]:
    return name, content if isinstance(content, bytes) else content.result()


def _write_block(file: IO[bytes], name: str, content: bytes) -> None:
    file.write(f'<script type="application/octet-stream+base64" id="data-{name}">'.encode())
    for start in range(0, len(content), CHUNK):
        file.write(base64.b64encode(content[start : start + CHUNK]))
    file.write(b"</script>\n")


def _page() -> tuple[bytes, bytes, bytes]:
    """Return the page up to the blocks, with the style inlined, the script, and what follows the blocks."""
    try:
        page, style, script = (read_static(name)[0].decode() for name in (PAGE, "app.css", "app.js"))
    except Refusal as refusal:
        raise UserError("export: the page has not been built; run npm ci and npm run build in frontend/.") from refusal
    missing = [tag for tag in (STYLE, SCRIPT) if page.count(tag) != 1]
    if missing or "</style" in style or "</script" in script or "<!--" in script:
        raise UserError("export: the built page cannot be put into one file; build it anew in frontend/.")
    page = _HEAD.sub(lambda found: f"{found[0]}{GENERATOR}\n{_policy(style, script)}\n", _ICON.sub("", page), count=1)
    page = page.replace(STYLE, f"<style>{style}</style>").replace(SCRIPT, "")
    before, body_end, after = page.rpartition("</body>")
    return before.encode(), f"<script>{script}</script>\n".encode(), f"{body_end}{after}".encode()


def _policy(style: str, script: str) -> str:
    """Return the content security policy: the file may run its own script, show its own pictures, and load nothing."""

    def sha256(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = (
        "default-src 'none'",
        f"script-src {sha256(script)}",
        f"style-src {sha256(style)}",
        "img-src data: blob:",
        "connect-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">'
