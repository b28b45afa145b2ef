"""The exported file works from the disk, without network and without the server."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_rl.cli import main
from semantic_rl.recording.store import Recording

from .accessibility import look_everywhere, violations
from .conftest import OpenPage
from .reading import canvas, map_box, same_picture, shown_row, wait_until
from .test_lasso import draw
from .test_player import FRAME, paused
from .test_states import TILE, rows_shown


@pytest.fixture(scope="module")
def file(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "page.html"
    main(["explore", str(recording.path), "--export", str(path), "--frames", "400"])
    return path


@pytest.fixture
def page(open_page: OpenPage, file: Path) -> Any:
    page = open_page(base=file.as_uri(), offline=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.asked = asked
    return page


def test_it_shows_the_map_and_plays_and_asks_for_nothing(page: Any, recording: Recording) -> None:
    assert canvas(page, "canvas.points")[..., 3].any()
    assert "frames of" in page.get_attribute(".about", "title")
    page.click("#tab-show")
    page.click('.lists button:has-text("Highest value")')
    page.click(".items li:first-child button")
    page.wait_for_selector(f'{FRAME}[data-state="shown"]')
    paused(page)
    page.wait_for_selector(f'{FRAME}[data-state="shown"]')
    row = shown_row(page, FRAME)
    shown = canvas(page, FRAME)
    assert shown.shape[0] <= recording.frame(row).shape[0]
    if shown.shape[:2] == recording.frame(row).shape[:2]:
        difference = abs(shown[..., :3].astype(int) - recording.frame(row).astype(int)).mean()
        assert difference < 6, "compressed anew, but the same frame"
        assert same_picture(shown, shown[..., :3])
    assert [url for url in page.asked if not url.startswith(("blob:", "data:"))] == []


def test_cards_transitions_planes_and_links_work(page: Any, open_page: OpenPage, file: Path) -> None:
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector('canvas[aria-label="mean frame of cluster 3"]')
    assert page.locator(".naming input, .naming textarea").count() == 0, "nothing can be written in a file"
    page.click("#tab-transitions")
    page.wait_for_selector(".matrix")
    page.click('.segments button:text-is("PCA")')
    page.wait_for_selector('.map[data-plane="pca"]')
    page.keyboard.press("c")
    wait_until(page, "location.hash.includes('plane=pca&color=value')")
    again = open_page(page.url[page.url.index("#") :], base=file.as_uri(), offline=True)
    again.wait_for_selector('.map[data-plane="pca"]')


def test_an_episode_whose_frames_were_left_out_is_played_without_them(page: Any, recording: Recording) -> None:
    page.focus("canvas.top")
    for episode in range(recording.num_episodes):
        page.evaluate(f"location.hash = '#v=1&e={episode}&s=1'")
        page.wait_for_selector(f'.player dd:has-text("{episode}")')
        page.wait_for_selector(f"{FRAME}[data-row]")
        count = recording.episodes["num_rows"][episode]
        wait_until(page, f"document.querySelector('#timeline').getAttribute('aria-valuemax') === '{count - 1}'")
        page.wait_for_selector(f"{FRAME}[data-state]")
        if page.get_attribute(FRAME, "data-state") == "missing":
            assert "no frame" in page.inner_text(".player .screen")
            return
    pytest.fail("all frames are in the file")


def shown_inside(page: Any) -> tuple[list[str], list[list[float]], list[str]]:
    """Return what the lasso's panel shows: counts, the numbers of each row, actions."""
    head = page.inner_text(".inside .panel-head")
    of_each = ".differences tbody tr:not(.few)"
    rows = page.locator(of_each).all_inner_texts()
    titles = page.eval_on_selector_all(of_each, "rows => rows.map((row) => row.title)")
    numbers = [re.findall(r"−?[\d.]+", f"{row} {title}") for row, title in zip(rows, titles, strict=True)]
    return (
        re.findall(r"[\d,.%]+", head),
        [[float(number.strip(".").replace("−", "-")) for number in row] for row in numbers],
        [*page.locator(".inside .actions li").all_inner_texts(), *page.locator(".differences .few").all_inner_texts()],
    )


def assert_alike(page: Any, live: Any, least: int) -> None:
    """See that the panels of both pages show the same, at least `least` numbers a row, but for rounding."""
    counts, rows, texts = shown_inside(page)
    expected_counts, expected_rows, expected_texts = shown_inside(live)
    assert counts == expected_counts
    assert texts == expected_texts
    assert len(rows) == 6
    for found, expected in zip(rows, expected_rows, strict=True):
        assert len(expected) >= least
        # one more in the last digit that is shown, for the file's numbers are rounded
        assert found == pytest.approx(expected, rel=0.011, abs=1.01 if expected[0] > 1 else 0.011)


def test_a_cluster_is_compared_with_the_rest_as_the_server_does(page: Any, open_page: OpenPage) -> None:
    live = open_page()
    for one in (page, live):
        one.click('[data-cluster="5"] .row-main')
        one.click("text=compare with the rest")
        one.wait_for_selector('.inside .big:has-text("of cluster 5")')
    assert_alike(page, live, least=6)  # where an interval is missing, both say why
    assert page.locator(".inside .examples button").count() > 0
    page.wait_for_selector('canvas[aria-label="mean frame inside"][data-state="shown"]')


def test_the_lasso_is_computed_in_the_page_and_says_what_the_server_says(page: Any, open_page: OpenPage) -> None:
    live = open_page()
    live.click('.segments button:text-is("PCA")')  # as in the file, where the first plane shown is the agent's own
    live.click('.segments button:text-is("FDR")')
    live.wait_for_selector('.map[data-plane="fdr"]')
    assert map_box(page) == map_box(live)
    for one in (page, live):
        one.keyboard.press("l")
        draw(one)
    assert_alike(page, live, least=7)  # inside, rest, difference, effect, interval, episodes
    for state in ("mean frame inside", "mean frame of the rest"):
        page.wait_for_selector(f'canvas[aria-label="{state}"][data-state="shown"]')
    assert page.locator(".downloads a").count() == 0


def test_axe_finds_nothing_wrong_with_it(open_page: OpenPage, file: Path) -> None:
    look_everywhere(open_page, "light", base=file.as_uri())


def test_an_exported_page_finds_what_is_near_in_a_plane_and_says_what_it_cannot(
    open_page: OpenPage, file: Path, recording: Recording
) -> None:
    page = open_page("#panel=states&of=near:700", base=file.as_uri(), offline=True)
    page.wait_for_selector(TILE)
    places = recording.states.select("embedding_x", "embedding_y").to_numpy()
    apart = np.linalg.norm(places - places[700], axis=1)
    found = rows_shown(page)[:6]
    episode = recording.states["episode"].to_numpy()
    others = np.sort(apart[episode != episode[700]])
    assert apart[found] == pytest.approx(others[:6], abs=2e-3 * float(np.ptp(places)))
    assert page.locator('.states [role=radio]:text-is("features")').is_disabled()
    assert "features, and the frames of all states, are not in this file" in page.inner_text(".sheet-count")
    page.click(f"{TILE} >> nth=1")
    page.wait_for_selector(".difference")
    assert page.locator("#tag-text").count() == 0, "nothing can be written in a file"
    assert violations(page) == []
