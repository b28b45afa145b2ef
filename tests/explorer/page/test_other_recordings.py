"""Two recordings side by side, an agent without clusters, and recordings that are hardly any."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

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
        assert page.locator(".compare table tbody tr").count() == len(found["differences"])
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
