"""The routes for exports: one that is made while the page waits, and one that is answered at once when it is there."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from semantic_rl.config.explore import ALL, MOST_POINTS, ExploreConfig
from semantic_rl.explorer import contract
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.projections import PLANES, as_plane
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.export.background_export import BackgroundExports
from semantic_rl.explorer.export.choice import optional_columns, read_choice
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server.responses import Content, json_answer, kept_file_answer

HTML = "text/html; charset=utf-8"


class ExportRoutes:
    """The endpoints, and the exports that they make."""

    def __init__(self) -> None:
        self._exports = BackgroundExports()

    def choices(self, view: RecordingView, request: Request) -> Response:
        """Say which columns can be left out of an export."""
        return json_answer(contract.ExportChoices(columns=optional_columns(view), frames=ExploreConfig.frames))

    def begin(self, view: RecordingView, request: Request, content: Content) -> Response:
        """Begin an export of what the page asks for."""
        planes: list[PlaneName] = [_plane(name) for name in _texts(content, "planes", list(PLANES))]
        columns = _texts(content, "columns", [ALL])
        choice = read_choice(view, _count(content, "frames", ExploreConfig.frames), planes, columns)
        return json_answer(self._exports.begin(view, choice, max(_count(content, "points", MOST_POINTS), 1)), 201)

    def state(self, view: RecordingView, request: Request) -> Response:
        """Say how far an export is."""
        return json_answer(self._exports.find(view, request.path_params["key"]).state)

    def file(self, view: RecordingView, request: Request) -> Response:
        """Return an export that is complete."""
        found = self._exports.find(view, request.path_params["key"])
        if "bytes" not in found.state:
            raise Refusal(404, "this file is not complete yet.")
        return kept_file_answer(found.path, f"{view.explored.recording.path.resolve().name}.html", HTML)

    def stop(self, view: RecordingView, request: Request, content: Content) -> Response:
        """Give up an export."""
        self._exports.stop(view, request.path_params["key"])
        return json_answer({})


def _count(content: Content, name: str, default: int) -> int:
    value: Any = content.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise Refusal(400, f"{name}: expected a whole number.")
    return value


def _texts(content: Content, name: str, default: list[str]) -> list[str]:
    value: Any = content.get(name, default)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refusal(400, f"{name}: expected a list of names.")
    return value


def _plane(name: str) -> PlaneName:
    known = as_plane(name)
    if known is None:
        raise Refusal(400, f"planes: got '{name[:20]}', expected some of {', '.join(PLANES)}.")
    return known
