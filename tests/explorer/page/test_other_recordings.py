"""Two recordings side by side, an agent without clusters, and recordings that are hardly any."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording

from ...recording.synthetic import make_recording
from ..test_routes import _with_frames, shortened
from ..test_run import serving
from .conftest import OpenPage, playwright
from .reading import canvas, wait_until


def test_two_recordings_are_shown_side_by_side(open_page: OpenPage, recording: Recording, tmp_path: Path) -> None:
    other = make_recording(tmp_path / "other", num_codes=5, picture_size=64)
    with serving(str(recording.path), str(other.path), "--port", "0") as (_, address):
        page = open_page("#panel=compare", base=address)
        page.wait_for_selector('.map[data-rec="b"][data-drawn]')
        for id in "ab":
            assert canvas(page, f'.map[data-rec="{id}"] canvas.points')[..., 3].any()
        page.wait_for_selector(".matches li")
        with urlopen(f"{address}api/compare") as answer:
            found = json.load(answer)
        assert page.locator(".matches li").count() == len(found["match"])
        assert page.locator(".compare table tbody tr:not(.few)").count() == len(found["differences"])
        rows = page.locator(".compare table tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
        assert max(rows) < 60, "rows are as high as what is in them"
        assert page.evaluate("(tabs => tabs.scrollWidth <= tabs.clientWidth)(document.querySelector('.tabs'))")
        ours, theirs, _ = found["match"][0]
        color = "label => getComputedStyle(label).backgroundColor"
        shown = [
            page.eval_on_selector(f'.map[data-rec="{id}"] .names span:nth-child({cluster + 1}) b', color)
            for id, cluster in (("a", ours), ("b", theirs))
        ]
        assert shown[0] == shown[1], "clusters that match have one colour"
        page.click(".matches li:first-child button")
        wait_until(page, "location.hash.includes('solo=')")
        for id in "ab":
            assert page.locator(f'.map[data-rec="{id}"] .names .dim').count() > 0
        page.click("#tab-clusters")
        page.click('.which [role=radio]:text-is("B")')
        page.wait_for_selector(".clusters .rows > li:nth-child(5)")
        assert page.locator(".clusters .rows > li").count() == 5
        page.close()


def test_two_maps_of_one_agent_move_together(open_page: OpenPage, recording: Recording, tmp_path: Path) -> None:
    with serving(str(recording.path), str(recording.path), "--port", "0") as (_, address):
        page = open_page(base=address)
        page.wait_for_selector('.map[data-rec="b"][data-drawn]')
        page.click("#tab-compare")
        page.wait_for_selector(".matches li")
        assert "same agent" in page.inner_text(".compare")
        page.focus('.map[data-rec="a"] canvas.top')
        page.keyboard.press("+")
        wait_until(page, "/zoom=.*zoomb=/.test(location.hash)")
        page.close()


def test_a_comparison_shows_its_intervals_and_episodes_however_long_names_are(
    open_page: OpenPage, make_view: Callable[..., RecordingView]
) -> None:
    one, other = make_view(seed=1, num_episodes=30), make_view(seed=2, num_episodes=4)
    for cluster in range(4):
        one.annotations.put_cluster(
            cluster, "a very long name of a cluster, which takes all the room there is", "", "", 0
        )
    folders = [str(view.explored.recording.path) for view in (one, other)]
    with serving(*folders, "--port", "0") as (_, address):
        page = open_page("#panel=compare", base=address)
        page.wait_for_selector(".matches li")
        panel = page.locator(".panel").bounding_box()
        for cell in page.locator(".compare td, .compare .matches button").all():
            box = cell.bounding_box()
            assert box["x"] + box["width"] <= panel["x"] + panel["width"] + 1
        success = page.locator('.compare tr:has(th:text-is("success"))').inner_text()
        assert " pts" in success
        assert re.search(r"[+−]\d+ pts to [+−]\d+ pts", success)
        assert "30 / 4" in success
        assert "only 4 episodes of B" in page.inner_text(".compare .few >> nth=0")
        page.close()


def test_two_maps_of_one_plane_are_aligned_from_the_beginning(open_page: OpenPage, tmp_path: Path) -> None:
    folders = [
        make_recording(tmp_path / name, seed=seed, num_episodes=6, sha256="1" * 64).path
        for seed, name in enumerate(("one", "other"))
    ]
    with serving(*map(str, folders), "--port", "0") as (_, address):
        page = open_page("#panel=compare", base=address)
        page.wait_for_selector('.map[data-rec="b"][data-drawn]')
        page.wait_for_selector('.compare:has-text("same agent")')
        with urlopen(f"{address}api/recordings") as answer:
            metas = json.load(answer)["recordings"]
        limits = np.array([next(one["limits"] for one in meta["planes"] if one["name"] == "fdr") for meta in metas])
        assert not np.allclose(limits[0], limits[1])
        page.wait_for_timeout(300)
        # both agents have the same codes: their cells look alike where the maps show the same part of the plane
        cells = [canvas(page, f'.map[data-rec="{id}"] .layer >> nth=0').astype(int) for id in "ab"]
        assert cells[0].shape == cells[1].shape
        assert cells[0][..., 3].any()
        assert (np.abs(cells[0] - cells[1]).max(2) > 60).mean() < 0.002
        assert "zoom" not in page.evaluate("location.hash")
        page.close()


def test_an_agent_without_clusters_is_shown_by_pca_and_tsne(
    open_page: OpenPage, make_view: Callable[..., RecordingView]
) -> None:
    folder = make_view(num_codes=0).explored.recording.path
    with serving(str(folder), "--port", "0") as (_, address):
        page = open_page(base=address)
        assert page.locator('.bar button:text-is("FDR")').count() == 0
        assert page.locator("#tab-transitions").count() == 0
        assert "without the semantic clustering module" in page.inner_text(".panel")
        page.wait_for_selector('.map[data-plane="tsne"]', timeout=60_000)
        page.focus("canvas.top")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_selector("#timeline")
        page.click("#tab-show")
        assert page.locator(".lists button").count() == 4
        page.close()


@pytest.mark.parametrize("num_states", [0, 1])
def test_recordings_of_hardly_any_states_open_too(
    open_page: OpenPage, make_view: Callable[..., RecordingView], tmp_path: Path, num_states: int
) -> None:
    recording = make_view(num_episodes=1).explored.recording
    if num_states == 0:
        for frames in (recording.path / "frames").glob("*.arrow"):
            frames.unlink()
    folder = _with_frames(shortened(recording, tmp_path / "short", num_states), recording, num_states)
    with serving(str(folder), "--port", "0") as (_, address):
        page = open_page(base=address, drawn=num_states > 0)
        if num_states == 0:
            page.wait_for_selector(".map-problem:has-text('no states')")
        look_around(page)
        page.close()


def test_sixty_four_clusters_fit(open_page: OpenPage, make_view: Callable[..., RecordingView]) -> None:
    folder = make_view(num_unused=60).explored.recording.path
    with serving(str(folder), "--port", "0") as (_, address):
        page = open_page(base=address)
        playwright.expect(page.locator(".clusters .rows > li")).to_have_count(64)
        look_around(page)
        page.click("#tab-transitions")
        matrix = page.locator(".matrix")
        matrix.wait_for()
        assert matrix.bounding_box()["width"] <= page.locator(".panel").bounding_box()["width"]
        page.close()


def look_around(page: Any) -> None:
    """Open every panel, and a list."""
    for tab in ("lasso", "transitions", "show"):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(200)
    page.click(".lists button:first-child")
    page.wait_for_selector(".items li, .empty-state, .problem")
    page.click("#tab-clusters")
    page.wait_for_selector(".clusters .rows > li, .panel .empty-state")


def test_a_server_that_has_gone_is_reported(open_page: OpenPage, recording: Recording) -> None:
    with serving(str(recording.path), "--port", "0") as (process, address):
        page = open_page(base=address)
        process.kill()
        process.wait()
        page.click("#tab-show")
        page.click(".lists button:first-child")
        page.wait_for_selector("text=The server does not answer")
    open_page.complaints.clear()  # type: ignore[attr-defined]  # the browser says so too
