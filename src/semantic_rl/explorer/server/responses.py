"""HTTP responses of the explorer: JSON, bytes that the browser may cache, and errors as one sentence."""

import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter, run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.background_jobs import Pending
from semantic_rl.explorer.encoding import from_json, to_json
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store.annotations import Conflict, InvalidText

JSON = "application/json"
BINARY = "application/octet-stream"
NOT_KEPT = {"Cache-Control": "no-store"}
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
MOST_BYTES = 1_000_000
"""Largest accepted body of a request."""
CHUNK = 2**20
CLIENT_LEFT = 499
"""Status for a client that has disconnected, so that nobody receives it."""

Content = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def answering(answer: Callable[[Request, Content], Response], reads_body: bool = False) -> Endpoint:
    """Make an endpoint from a function that runs in a thread; a Refusal becomes an error response with its sentence.

    A request whose client has disconnected while it waited for a thread is not answered.
    """

    async def endpoint(request: Request) -> Response:
        try:
            content = await _body(request) if reads_body else {}
            async with current_default_thread_limiter():
                if await request.is_disconnected():
                    return Response(status_code=CLIENT_LEFT)
                return await run_sync(answer, request, content, limiter=CapacityLimiter(1))
        except ClientDisconnect:
            return Response(status_code=CLIENT_LEFT)
        except Pending as pending:
            return json_answer(contract.Progress(progress=pending.progress), 202)
        except Refusal as refusal:
            return json_answer(refusal.content, refusal.status)
        except Conflict as conflict:
            sentence = "someone else changed this in the meantime."
            return json_answer(contract.Failure(error=sentence, current=conflict.current), 409)
        except InvalidText as error:
            return json_answer(contract.Failure(error=str(error)), 400)
        except UserError as error:
            return json_answer(contract.Failure(error=str(error)), 422)

    return endpoint


async def _body(request: Request) -> Content:
    """Return the JSON object in a request's body; an empty one if there is no body."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MOST_BYTES:
            raise Refusal(413, f"more than {MOST_BYTES:,} bytes.")
    if not received:
        return {}
    try:
        content = from_json(bytes(received))
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the request does not bring JSON: {error}.") from error
    if not isinstance(content, dict):
        raise Refusal(400, "the request does not bring a JSON object.")
    return cast(Content, content)


def json_answer(content: Any, status: int = 200) -> Response:
    """Respond with JSON that the browser must not cache."""
    return Response(to_json(content), status, NOT_KEPT, JSON)


def file_answer(content: bytes, media_type: str) -> Response:
    """Respond with a file of the page, which the browser must revalidate each time."""
    return Response(content, 200, {"Cache-Control": "no-cache"}, media_type)


def kept_answer(view: RecordingView, request: Request, content: bytes, media_type: str = BINARY) -> Response:
    """Respond with immutable content; the browser caches it if the address contains the recording's etag (?v=)."""
    is_named = request.query_params.get("v") == view.explored.etag
    return Response(content, 200, KEPT if is_named else NOT_KEPT, media_type)


def download_answer(path: Path, name: str, media_type: str) -> Response:
    """Respond with a download. The file and its folder are removed at once: an open file can still be read."""
    answer = kept_file_answer(path, name, media_type)
    shutil.rmtree(path.parent)
    return answer


def kept_file_answer(path: Path, name: str, media_type: str) -> Response:
    """Respond with a download, and leave the file where it is."""
    file = path.open("rb")
    size = path.stat().st_size
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "_" for letter in name
    )
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "Content-Length": str(size)}
    return StreamingResponse(_chunks(file), 200, {**NOT_KEPT, **headers}, media_type)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
