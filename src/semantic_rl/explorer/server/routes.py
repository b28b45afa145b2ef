"""The explorer's web application: the table of its routes."""

from collections.abc import Callable, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from semantic_rl.config.explore import ExploreConfig
from semantic_rl.explorer import contract
from semantic_rl.explorer.built_page import read_page, read_static
from semantic_rl.explorer.encoding import to_json
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.html_file import write_export
from semantic_rl.explorer.recording_view import RecordingView, compared
from semantic_rl.explorer.selection.cache import FORMS
from semantic_rl.explorer.selection.downloads import made_to_take_along
from semantic_rl.explorer.selection.moments_clip import MEDIA_TYPES, read_runs, write_moments
from semantic_rl.explorer.server import annotation_routes
from semantic_rl.explorer.server.access_control import Guard, Policy
from semantic_rl.explorer.server.export_routes import ExportRoutes
from semantic_rl.explorer.server.responses import (
    JSON,
    Content,
    answering,
    download_answer,
    file_answer,
    json_answer,
    kept_answer,
)

LIST_LENGTH = 50

Answer = Callable[[RecordingView, Request], Response]
Change = Callable[[RecordingView, Request, Content], Response]


def make_app(
    views: Sequence[RecordingView], policy: Policy | None = None, is_over: Callable[[], bool] = lambda: False
) -> ASGIApp:
    """Make the web application for one or two recordings; `is_over` says when open connections must end."""
    by_id = {view.explored.id: view for view in views}

    def find(request: Request) -> RecordingView:
        name = request.path_params["id"]
        if name not in by_id:
            raise Refusal(404, f"there is no recording '{name}'; there are {', '.join(by_id)}.")
        return by_id[name]

    def whole(path: str, answer: Callable[[Request], Response]) -> Route:
        return Route(path, answering(lambda request, content: answer(request)))

    def get(path: str, answer: Answer) -> Route:
        return Route(f"/api/{{id}}/{path}", answering(lambda request, content: answer(find(request), request)))

    def change(method: str, path: str, answer: Change) -> Route:
        endpoint = answering(lambda request, content: answer(find(request), request, content), reads_body=True)
        return Route(f"/api/{{id}}/{path}", endpoint, methods=[method])

    exports = ExportRoutes()
    app = Starlette(
        routes=[
            whole("/", lambda request: file_answer(*read_page())),
            whole("/static/{name}", lambda request: file_answer(*read_static(request.path_params["name"]))),
            whole("/api/recordings", lambda request: json_answer(_recordings(views))),
            whole("/api/compare", lambda request: json_answer(compared(views))),
            whole("/api/export", lambda request: _export(by_id, request)),
            get("plane/{name}", lambda view, request: json_answer(view.plane(request.path_params["name"]))),
            get("column/{name}", _column),
            get("episodes", lambda view, request: kept_answer(view, request, view.episodes(), JSON)),
            get("episode/{number:int}", lambda view, request: json_answer(view.episode(_int(request, "number")))),
            get("numbers/{number:int}", lambda view, request: json_answer(view.numbers(_int(request, "number")))),
            get("frame/{row:int}", lambda view, request: kept_answer(view, request, *view.frame(_int(request, "row")))),
            get("observation/{row:int}", _observation),
            get("frames/{first:int}/{count:int}", _frames),
            get("pictures", lambda view, request: kept_answer(view, request, view.pictures(_rows_named(request)))),
            get("observations", _observations),
            get("clusters", lambda view, request: json_answer(view.cards().content)),
            get("mean/{cluster:int}", _mean),
            get("transitions", lambda view, request: json_answer(view.transitions())),
            get("transition/{before:int}/{after:int}", _moves),
            get("playlist/{name}", _playlist),
            change("POST", "inside", lambda view, request, content: json_answer(view.inside(content))),
            change("POST", "near", lambda view, request, content: json_answer(view.near(content))),
            get("inside-mean/{key}", _inside_mean),
            get("rows", _rows),
            get("clip", _clip),
            get("moments", _moments),
            get("export", exports.choices),
            change("POST", "export", exports.begin),
            get("export/{key}", exports.state),
            get("export/{key}/page.html", exports.file),
            change("DELETE", "export/{key}", exports.stop),
            get("annotations", _annotations),
            change("PUT", "annotations/clusters/{cluster:int}", annotation_routes.put_cluster),
            change("POST", "annotations/selections", annotation_routes.add_selection),
            change("PUT", "annotations/selections/{selection}", annotation_routes.put_selection),
            change("DELETE", "annotations/selections/{selection}", annotation_routes.delete_selection),
            change("PUT", "annotations/tags", annotation_routes.put_tag),
            get("events", lambda view, request: annotation_routes.events(view, request, is_over)),
        ],
        exception_handlers={HTTPException: _no_route, Exception: _mishap},
    )
    app.router.redirect_slashes = False  # an address must match exactly
    return Guard(app, policy or Policy())


def _recordings(views: Sequence[RecordingView]) -> contract.Recordings:
    return {"recordings": [view.meta() for view in views]}


def _export(by_id: dict[str, RecordingView], request: Request) -> Response:
    id = request.query_params.get("id", next(iter(by_id)))
    if id not in by_id:
        raise Refusal(404, f"there is no recording '{id}'; there are {', '.join(by_id)}.")
    num_frames = _number(request, "frames", ExploreConfig.frames)
    exported = Exported(by_id[id], num_frames)
    page = made_to_take_along(lambda path: write_export(exported, path), "page.html")
    return download_answer(page, "explorer.html", "text/html; charset=utf-8")


def _int(request: Request, name: str) -> int:
    return request.path_params[name]


def _column(view: RecordingView, request: Request) -> Response:
    return kept_answer(view, request, view.column(request.path_params["name"]))


def _observation(view: RecordingView, request: Request) -> Response:
    return kept_answer(view, request, view.observation(_int(request, "row")), "image/png")


def _frames(view: RecordingView, request: Request) -> Response:
    return kept_answer(view, request, view.frame_pack(_int(request, "first"), _int(request, "count")))


def _observations(view: RecordingView, request: Request) -> Response:
    return kept_answer(view, request, to_json(view.observations(_rows_named(request))), JSON)


def _rows_named(request: Request) -> list[int]:
    given = request.query_params.get("rows", "")
    rows = [int(row) for row in given.split(",") if row.isascii() and row.isdecimal() and len(row) < 10]
    if given != ",".join(map(str, rows)):
        raise Refusal(400, "rows: expected numbers of states, separated by commas.")
    return rows


def _mean(view: RecordingView, request: Request) -> Response:
    return kept_answer(view, request, view.mean(_int(request, "cluster")), "image/png")


def _moves(view: RecordingView, request: Request) -> Response:
    return json_answer(view.moves(_int(request, "before"), _int(request, "after"), _limit(request)))


def _playlist(view: RecordingView, request: Request) -> Response:
    return json_answer(view.playlist(request.path_params["name"], _limit(request)))


def _limit(request: Request) -> int:
    return _number(request, "limit", LIST_LENGTH)


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise Refusal(400, f"{name}: got '{given[:20]}', expected a whole number.")
    return int(given)


def _inside_mean(view: RecordingView, request: Request) -> Response:
    content = view.questions.mean(request.path_params["key"], request.query_params.get("rest") == "1")
    return kept_answer(view, request, content, "image/png")


def _rows(view: RecordingView, request: Request) -> Response:
    form = request.query_params.get("format", "parquet")
    content = view.questions.rows(request.query_params.get("key", ""), form)
    return download_answer(content, f"states.{form}", FORMS[form])


def _clip(view: RecordingView, request: Request) -> Response:
    return download_answer(view.clip(request.query_params.get("key", "")), "states.webp", "image/webp")


def _moments(view: RecordingView, request: Request) -> Response:
    """Respond with a clip of runs of states."""
    form = request.query_params.get("format", "webp")
    if form not in MEDIA_TYPES:
        raise Refusal(400, f"format: got '{form[:20]}', expected {', '.join(MEDIA_TYPES)}.")
    runs = read_runs(view.explored, request.query_params.get("parts", ""))
    title = f"{view.explored.recording.spec.id}, {request.query_params.get('title', '')[:200]}"
    write = partial(write_moments, view.explored, view.frames, runs, form, title)
    return download_answer(made_to_take_along(write, f"moments.{form}"), f"moments.{form}", MEDIA_TYPES[form])


def _annotations(view: RecordingView, request: Request) -> Response:
    return json_answer(view.read_annotations())


def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "what the handler is for"
    sentences = {404: "there is nothing at this address.", 405: "this address does not take such a request."}
    return json_answer(contract.Failure(error=sentences.get(error.status_code, error.detail)), error.status_code)


def _mishap(request: Request, error: Exception) -> Response:
    return json_answer(contract.Failure(error="the server failed at this; where it runs, it says how."), 500)
