"""What the server answers is what the contract says: no field more, none less, each of its type."""

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, TypeAliasType, Union, is_typeddict

import pytest

from semantic_rl.explorer import contract
from semantic_rl.explorer.encoding import plain
from semantic_rl.explorer.queries.cluster_matching import Side
from semantic_rl.explorer.queries.recording_diff import compare
from semantic_rl.explorer.recording_view import RecordingView

from .conftest import TestClient, ask, ask_inside, get_json


def complaint(value: Any, kind: Any, place: str) -> str | None:
    """Say where a JSON value is not of a type; None if it is."""
    if isinstance(kind, TypeAliasType):
        if kind is contract.FloatOrNaN:
            return complaint(value, float | None, place)
        return complaint(value, kind.__value__, place)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is object:
        return None
    if origin is Annotated:
        ok = isinstance(value, dict if arguments[1].startswith("Partial") else list)
    elif is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        if not isinstance(value, dict) or not kind.__required_keys__ <= value.keys() <= hints.keys():
            return f"{place}: {value if not isinstance(value, dict) else sorted(value)} is no {kind.__name__}"
        return next(filter(None, (complaint(value[name], hints[name], f"{place}.{name}") for name in value)), None)
    elif origin is NotRequired:
        return complaint(value, arguments[0], place)
    elif origin in (Union, types.UnionType):
        ok = any(complaint(value, one, place) is None for one in arguments)
    elif origin is Literal:
        ok = value in arguments
    elif origin is list and isinstance(value, list):
        return next(filter(None, (complaint(item, arguments[0], f"{place}[]") for item in value)), None)
    elif origin is tuple and isinstance(value, list) and len(value) == len(arguments):
        found = (complaint(item, one, place) for item, one in zip(value, arguments, strict=True))
        return next(filter(None, found), None)
    elif origin is dict and isinstance(value, dict):
        return next(filter(None, (complaint(item, arguments[1], f"{place}.*") for item in value.values())), None)
    elif kind is float:
        ok = type(value) in (int, float)
    else:
        ok = type(value) is kind
    return None if ok else f"{place}: {value!r:.60} is not {kind}"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("recordings", contract.Recordings),
        ("a/plane/fdr", contract.Plane),
        ("a/episodes", contract.Episodes),
        ("a/episode/1", contract.EpisodeData),
        ("a/clusters", contract.Cards),
        ("a/transitions", contract.Transitions),
        ("a/transition/0/1", contract.Playlist),
        ("a/playlist/failures", contract.Playlist),
        ("a/playlist/lookalikes", contract.Playlist),
        ("a/annotations", contract.Annotations),
        ("a/observations?rows=3,1", contract.Observations),
        ("a/export", contract.ExportChoices),
    ],
)
def test_an_answer_is_of_its_type(client: TestClient, path: str, kind: Any) -> None:
    assert complaint(get_json(client, f"/api/{path}"), kind, path) is None


def test_what_is_inside_a_selection_is_of_its_type(client: TestClient) -> None:
    for query in ({"clusters": [1]}, {"plane": "fdr", "polygon": [[90, 90], [91, 90], [91, 91]]}):
        assert complaint(ask_inside(client, query).json(), contract.Inside, "inside") is None


def test_near_states_are_of_their_type(client: TestClient) -> None:
    for by in ("features", "plane", "pixels"):
        query = {"row": 9, "by": by, "plane": "pca", "episodes": "each"}
        response = ask(client, "/api/a/near", query)
        assert complaint(response.json(), contract.Near, by) is None


def test_a_refusal_is_of_its_type(client: TestClient) -> None:
    assert complaint(client.get("/api/a/episode/100000").json(), contract.Failure, "episode") is None


def test_a_comparison_is_of_its_type(make_view: Callable[..., RecordingView]) -> None:
    sides = [Side(view.explored, view.frames) for view in (make_view(seed=1), make_view(seed=2))]
    assert complaint(plain(compare(*sides)), contract.Comparison, "compare") is None
