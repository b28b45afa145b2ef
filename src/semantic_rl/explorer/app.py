"""The explorer's routes: what the page asks for by HTTP, answered from recordings."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from semantic_rl.errors import UserError
from semantic_rl.explorer.jobs import Pending
from semantic_rl.explorer.pages import read_page, read_static
from semantic_rl.explorer.refusal import Refusal
from semantic_rl.explorer.view import View
from semantic_rl.explorer.wire import to_json

JSON = "application/json"
BINARY = "application/octet-stream"
NOT_KEPT = {"Cache-Control": "no-store"}
KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(views: Sequence[View]) -> Starlette:
    """Make the application that shows one or two recordings."""
    by_id = {view.explored.id: view for view in views}

    def api(path: str, answer: Callable[[View, Request], Response]) -> Route:
        def of_recording(request: Request) -> Response:
            name = request.path_params["id"]
            if name not in by_id:
                raise Refusal(404, f"there is no recording '{name}'; there are {', '.join(by_id)}.")
            return answer(by_id[name], request)

        return Route(f"/api/{{id}}{path}", _answering(of_recording))

    def plain_route(path: str, answer: Callable[[Request], Response]) -> Route:
        return Route(path, _answering(answer))

    return Starlette(
        routes=[
            plain_route("/", lambda request: _file(*read_page())),
            plain_route("/static/{name}", lambda request: _file(*read_static(request.path_params["name"]))),
            plain_route("/api/recordings", lambda request: _json({"recordings": [view.meta() for view in views]})),
            api("/plane/{name}", lambda view, request: _json(view.plane(request.path_params["name"]))),
            api("/column/{name}", lambda view, request: _kept(view, request, view.column(request.path_params["name"]))),
            api("/episodes", lambda view, request: _kept(view, request, view.episodes(), JSON)),
            api("/episode/{number:int}", lambda view, request: _json(view.episode(request.path_params["number"]))),
            api(
                "/frame/{row:int}", lambda view, request: _kept(view, request, *view.frame(request.path_params["row"]))
            ),
            api(
                "/observation/{row:int}",
                lambda view, request: _kept(view, request, view.observation(request.path_params["row"]), "image/png"),
            ),
            api(
                "/frames/{first:int}/{count:int}",
                lambda view, request: _kept(
                    view, request, view.frame_pack(request.path_params["first"], request.path_params["count"])
                ),
            ),
            api("/clusters", lambda view, request: _json(view.cards().content)),
            api(
                "/mean/{cluster:int}",
                lambda view, request: _kept(view, request, view.mean(request.path_params["cluster"]), "image/png"),
            ),
            api("/transitions", lambda view, request: _json(view.transitions())),
        ]
    )


def _answering(answer: Callable[[Request], Response]) -> Endpoint:
    """Make an endpoint that answers in a thread; what cannot be answered becomes a sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            return await run_in_threadpool(answer, request)
        except Pending as pending:
            return _json({"progress": pending.progress}, 202)
        except Refusal as refusal:
            return _json(refusal.content, refusal.status)
        except UserError as error:
            return _json({"error": str(error)}, 404)

    return endpoint


def _json(content: Any, status: int = 200) -> Response:
    return Response(to_json(content), status, NOT_KEPT, JSON)


def _file(content: bytes, media_type: str) -> Response:
    return Response(content, 200, {"Cache-Control": "no-cache"}, media_type)


def _kept(view: View, request: Request, content: bytes, media_type: str = BINARY) -> Response:
    """Answer with what never changes; the browser keeps it if the address names the recording by its etag (?v=)."""
    is_named = request.query_params.get("v") == view.explored.etag
    return Response(content, 200, KEPT if is_named else NOT_KEPT, media_type)
