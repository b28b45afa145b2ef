"""How the explorer answers: JSON, bytes that the browser may keep, sentences for what cannot be answered."""

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
from semantic_rl.explorer.recording_view import View
from semantic_rl.recording.store.annotations import Conflict, InvalidText

JSON = "application/json"
BINARY = "application/octet-stream"
NOT_KEPT = {"Cache-Control": "no-store"}
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
MOST_BYTES = 1_000_000
"""Of what a request brings."""
CHUNK = 2**20
CLIENT_LEFT = 499
"""A status that nobody receives."""

Content = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def answering(answer: Callable[[Request, Content], Response], reads_body: bool = False) -> Endpoint:
    """Make an endpoint of a function that runs in a thread; what it refuses becomes a sentence.

    A request whose client has left while it waited for a thread is not answered.
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
    """Return the JSON object that a request brings; an empty one if it brings nothing."""
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
    """Answer with JSON that is not kept."""
    return Response(to_json(content), status, NOT_KEPT, JSON)


def file_answer(content: bytes, media_type: str) -> Response:
    """Answer with a file of the page, of which the browser asks each time whether it is new."""
    return Response(content, 200, {"Cache-Control": "no-cache"}, media_type)


def kept_answer(view: View, request: Request, content: bytes, media_type: str = BINARY) -> Response:
    """Answer with what never changes; the browser keeps it if the address names the recording by its etag (?v=)."""
    is_named = request.query_params.get("v") == view.explored.etag
    return Response(content, 200, KEPT if is_named else NOT_KEPT, media_type)


def download_answer(path: Path, name: str, media_type: str) -> Response:
    """Answer with a file to keep, removed with its folder at once: what is open can still be read."""
    file = path.open("rb")
    size = path.stat().st_size
    shutil.rmtree(path.parent)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(_chunks(file), 200, {**NOT_KEPT, **headers}, media_type)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
