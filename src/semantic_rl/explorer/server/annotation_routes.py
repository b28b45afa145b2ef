"""The routes for saving names, notes and selections, and for the events that tell the page of changes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.selection.selection import read_plane, read_polygon, read_selection
from semantic_rl.explorer.server.responses import Content, json_answer
from semantic_rl.recording.store.annotations import clean, clean_tag
from semantic_rl.recording.store.tag_ranges import Range, read_ranges

SECONDS_BETWEEN_LOOKS = 0.4
SECONDS_BETWEEN_SIGNS = 15.0
"""Interval of keep-alive comments, since some proxies close idle connections."""


def put_cluster(view: RecordingView, request: Request, content: Content) -> Response:
    """Name a cluster."""
    cluster = request.path_params["cluster"]
    if cluster >= view.explored.num_codes:
        raise Refusal(404, f"there is no cluster {cluster}; there are {view.explored.num_codes}, numbered from 0.")
    entry = view.annotations.put_cluster(cluster, *_texts(view, content), seen=_seen(content))
    return json_answer(entry or {"name": "", "note": "", "author": "", "time": "", "version": 0})


def add_selection(view: RecordingView, request: Request, content: Content) -> Response:
    """Save a selection; one that was deleted comes back under the `former` id that it had."""
    name, note, author = _texts(view, content)
    former = content.get("former")
    former = former if isinstance(former, str) else None
    return json_answer(view.annotations.add_selection(_shape(view, content), _named(name), note, author, former), 201)


def put_selection(view: RecordingView, request: Request, content: Content) -> Response:
    """Rename a selection, or change its polygon."""
    name, note, author = _texts(view, content)
    changes = _shape(view, content) if "polygon" in content else {}
    entry = view.annotations.put_selection(
        request.path_params["selection"], changes, _named(name), note, author, _seen(content)
    )
    return json_answer(entry)


def delete_selection(view: RecordingView, request: Request, content: Content) -> Response:
    """Delete a selection."""
    given = request.query_params.get("seen", "")
    seen = int(given) if given.isdecimal() and len(given) < 10 else _seen(content)
    view.annotations.delete_selection(request.path_params["selection"], seen)
    return json_answer({})


def put_tag(view: RecordingView, request: Request, content: Content) -> Response:
    """Give a tag to states, and take it from others."""
    tag = clean_tag(content.get("tag"))
    author = clean("author", content.get("author", "")) or view.author
    ranges = [_ranges(view, name, content.get(name, [])) for name in ("add", "remove")]
    entry = view.tags.put_tag(tag, *ranges, author=author, seen=_seen(content))
    return json_answer({"tag": tag, "entry": entry})


def _ranges(view: RecordingView, name: str, given: object) -> list[Range]:
    found = read_ranges(given)
    if found is None or (found and found[-1][1] >= view.explored.num_states):
        raise Refusal(400, f"{name}: expected pairs of a first and a last row below {view.explored.num_states:,}.")
    return found


def _texts(view: RecordingView, content: Content) -> tuple[str, str, str]:
    name, note, author = (clean(key, content.get(key, "")) for key in ("name", "note", "author"))
    return name, note, author or view.author


def _named(name: str) -> str:
    if not name:
        raise Refusal(400, "name: a selection needs one.")
    return name


def _seen(content: Content) -> int:
    seen = content.get("seen")
    if type(seen) is not int or seen < 0:
        raise Refusal(400, "seen: expected the version of the entry that was seen, 0 if there was none.")
    return seen


def _shape(view: RecordingView, content: Content) -> dict[str, Any]:
    """Return the stored form of a selection's shape; its count is computed here, not taken from the page."""
    plane, polygon = read_plane(view.explored, content.get("plane")), read_polygon(content.get("polygon"))
    points = [[round(x, 6), round(y, 6)] for x, y in polygon]
    selection = read_selection(view.explored, {"plane": plane, "polygon": points})
    return {"plane": plane, "polygon": points, "count": view.questions.count(selection)}


def events(view: RecordingView, request: Request, is_over: Callable[[], bool]) -> Response:
    """Send the page the version of the annotations, now and whenever they change, until `is_over`."""
    if request.method == "HEAD":  # the stream would never end
        return Response(None, 200, {"Cache-Control": "no-store"}, "text/event-stream")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(view, is_over), 200, headers, "text/event-stream")


async def _events(view: RecordingView, is_over: Callable[[], bool]) -> AsyncGenerator[bytes]:
    told: tuple[tuple[int, ...], ...] | None = None
    quiet = 0.0
    while not is_over():
        found = view.annotations_signature()
        if found != told:
            told, quiet = found, 0.0
            yield f"data: {json.dumps(contract.AnnotationsChanged(annotations=_version(view)))}\n\n".encode()
        elif quiet >= SECONDS_BETWEEN_SIGNS:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        quiet += SECONDS_BETWEEN_LOOKS


def _version(view: RecordingView) -> int | None:
    """Return the version of the annotations; None if they cannot be read, for example while someone edits the file."""
    try:
        return view.read_annotations()["version"]
    except UserError:
        return None
