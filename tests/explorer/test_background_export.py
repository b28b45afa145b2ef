"""An export that the server makes while the page waits: what goes into it, how far it is, and how it is stopped."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semantic_rl.errors import UserError
from semantic_rl.explorer.contract import ExportState
from semantic_rl.explorer.dataset.point_columns import NOT_PLACED
from semantic_rl.explorer.dataset.projections import Placed
from semantic_rl.explorer.export.background_export import BackgroundExport
from semantic_rl.explorer.export.choice import Choice, read_choice
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.fewer_points import with_fewer_points
from semantic_rl.explorer.recording_view import RecordingView

from .conftest import SETTINGS, WRITE, TestClient, client_of, get_json
from .test_contract import complaint
from .test_export import blocks_of

MakeView = Callable[..., RecordingView]


def begin(client: TestClient, **choice: Any) -> str:
    response = client.post("/api/a/export", json=choice, headers=WRITE)
    assert response.status_code == 201, response.text
    return response.json()["key"]


def wait_for(client: TestClient, key: str) -> dict[str, Any]:
    for _ in range(600):
        state = get_json(client, f"/api/a/export/{key}")
        assert complaint(state, ExportState, "export") is None
        if "bytes" in state or "error" in state:
            return state
        time.sleep(0.05)
    raise AssertionError("the export does not end")


def page_of(client: TestClient, **choice: Any) -> dict[str, bytes]:
    key = begin(client, **choice)
    state = wait_for(client, key)
    response = client.get(f"/api/a/export/{key}/page.html")
    assert len(response.content) == state["bytes"]
    assert response.headers["content-disposition"].endswith('.html"')
    return blocks_of(response.text)


def test_everything_is_in_it_if_nothing_is_chosen(make_view: MakeView) -> None:
    blocks = page_of(client_of(make_view(SETTINGS._replace(tsne_states=10))), frames=50)
    assert {"a-column-fdr", "a-column-pca", "a-column-tsne", "a-column-uncertainty", "a-frames"} <= blocks.keys()


def test_what_is_left_out_is_said_and_not_in_it(make_view: MakeView) -> None:
    blocks = page_of(client_of(make_view()), frames=0, planes=["pca"], columns=["none"])
    assert not {"a-column-fdr", "a-column-tsne", "a-column-uncertainty", "a-column-return_to_go"} & blocks.keys()
    meta = json.loads(blocks["recordings"])["recordings"][0]
    assert [plane["ready"] for plane in meta["planes"]] == [False, False, True]
    assert "left out" in meta["planes"][0]["why_not"]
    assert {column["name"] for column in meta["columns"]} == {
        name.removeprefix("a-column-") for name in blocks if name.startswith("a-column-")
    }


def test_fewer_points_are_a_sample_with_their_rows_in_every_column(make_view: MakeView) -> None:
    view = make_view(SETTINGS._replace(tsne_states=400), num_episodes=30)
    points = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    view.explored.jobs.get("tsne", lambda _: Placed(view.explored.tsne_rows, points), None)
    whole, few = Exported(view, 0), Exported(with_fewer_points(view, 300), 0)
    rows = np.frombuffer(few.view.column("row"), "<u4")
    assert len(rows) == 300
    assert few.meta()["num_shown"] == 300
    for name in ("value", "fdr", "tsne"):
        wanted = np.frombuffer(whole.view.column(name), "<u2").reshape(view.explored.num_states, -1)[rows]
        np.testing.assert_array_equal(np.frombuffer(few.view.column(name), "<u2").reshape(300, -1), wanted)
    placed = np.frombuffer(few.view.column("tsne"), "<u2").reshape(300, 2)
    assert few.meta()["planes"][1]["num_placed"] == (placed != NOT_PLACED).any(1).sum()
    assert len(view.explored.shown) == view.explored.num_states, "the view itself is as it was"
    assert with_fewer_points(view, 10**6) is view


def test_another_export_takes_the_place_of_the_last_one(make_view: MakeView) -> None:
    client = client_of(make_view())
    first = begin(client, frames=0, planes=["fdr"])
    wait_for(client, first)
    second = begin(client, frames=0, planes=["fdr"])
    assert client.get(f"/api/a/export/{first}").status_code == 404
    wait_for(client, second)
    assert client.delete(f"/api/a/export/{second}", headers=WRITE).status_code == 200
    assert client.get(f"/api/a/export/{second}/page.html").status_code == 404


def test_a_stopped_export_leaves_nothing(make_view: MakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    original = Exported.cards

    def slow(self: Exported) -> Any:
        begun.set()
        goes_on.wait(30)
        return original(self)

    monkeypatch.setattr(Exported, "cards", slow)
    export = BackgroundExport(make_view(), Choice(0, ("fdr",)), 100)
    assert begun.wait(30)
    export.stop()
    goes_on.set()
    for _ in range(600):
        if not export.path.parent.exists():
            break
        time.sleep(0.05)
    assert not export.path.parent.exists()


def test_a_wrong_choice_is_refused_in_a_sentence(make_view: MakeView) -> None:
    view = make_view(num_codes=0)
    client = client_of(view)
    for choice, words in (
        ({"frames": -1}, "frames: expected a whole number"),
        ({"planes": "fdr"}, "planes: expected a list"),
        ({"planes": ["cube"]}, "planes: got 'cube', expected some of fdr, tsne, pca"),
        ({"planes": ["fdr"]}, "expected at least one that the recording has: tsne, pca"),
        ({"columns": ["speed"]}, "columns: got 'speed', expected all, none, or columns that can be left out"),
    ):
        response = client.post("/api/a/export", json=choice, headers=WRITE)
        assert response.status_code in (400, 422)
        assert words in response.json()["error"]
    with pytest.raises(UserError, match="expected all, none"):
        read_choice(view, 0, ("pca",), ("all", "none"))


def test_an_error_while_it_is_made_is_said(make_view: MakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise UserError("export: the disk is full.")

    monkeypatch.setattr("semantic_rl.explorer.export.background_export.write_export", full)
    client = client_of(make_view())
    state = wait_for(client, begin(client, frames=0, planes=["fdr"]))
    assert state["error"] == "export: the disk is full."
