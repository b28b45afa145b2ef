"""The page before recordings of agents that are not Procgen's: nothing is shown that they do not know."""

from pathlib import Path
from typing import Any

import pytest

from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.html_file import write_export
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording

from ...recording import other_recordings
from ..conftest import SETTINGS
from ..test_run import serving
from .conftest import OpenPage, playwright

MEANINGLESS = ("undefined", "NaN", "None", "null", "level 0", "unknown")


@pytest.fixture(scope="module")
def pole(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return other_recordings.cartpole(tmp_path_factory.mktemp("page") / "pole")


def check_words(page: Any) -> None:
    text = page.inner_text("body")
    for word in MEANINGLESS:
        assert word not in text, text


def look_at_a_pole(page: Any) -> None:
    """Look at an episode of CartPole."""
    page.wait_for_selector("#timeline")
    assert "layer 0.1" in page.inner_text(".topbar")
    names = page.locator(".numbers dt").all_inner_texts()
    assert names == ["cart position", "cart velocity", "pole angle", "pole angular velocity"]
    playwright.expect(page.locator(".numbers dd").first).to_contain_text("0.0")
    page.wait_for_selector('.screen .picture[data-state="shown"]')
    box = page.locator(".screen .picture").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(64 / 43, rel=0.02)
    assert "seed" in page.inner_text(".player .facts")
    assert "level" not in page.inner_text(".player .facts")
    check_words(page)


def test_a_recording_of_numbers_is_shown_with_their_names(open_page: OpenPage, pole: Recording) -> None:
    with serving(str(pole.path), "--port", "0") as (_, address):
        page = open_page("#plane=pca&e=1&s=3&panel=show", base=address)
        look_at_a_pole(page)
        page.click(".lists button:first-child")
        page.wait_for_selector(".items .picture[data-state=shown]")
        assert page.locator(".bar button:text-is('success')").count() == 0
        page.click("#tab-clusters")
        assert "Sequential" in page.inner_text(".panel")
        page.close()


def test_an_exported_page_shows_the_same(open_page: OpenPage, pole: Recording, tmp_path: Path) -> None:
    view = RecordingView(Explored(pole, SETTINGS))
    view.plane("pca", None)
    write_export(Exported(view, 1000), tmp_path / "page.html")
    page = open_page("#plane=pca&e=1&s=3&panel=show", base=(tmp_path / "page.html").as_uri())
    look_at_a_pole(page)
    page.close()


def test_continuous_actions_are_courses_where_nothing_else_is_known(open_page: OpenPage, tmp_path: Path) -> None:
    recording = other_recordings.pendulum(tmp_path / "swing", frame_size=0)
    with serving(str(recording.path), "--port", "0") as (_, address):
        page = open_page(
            "#plane=pca&e=0&s=5&color=part-0&panel=lasso", base=address, viewport={"width": 390, "height": 844}
        )
        page.wait_for_selector("#timeline")
        (vector,) = next(recording.groups(["action_vector"]))[1]["action_vector"][5]
        said = f"torque {vector:.2f}".replace("-", "−")
        playwright.expect(page.locator(".course span:first-child").last).to_have_text(said)
        assert page.locator(".picture, .ribbon").count() == 0
        assert "torque" in page.inner_text(".legend")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        panel, player = (page.locator(name).bounding_box() for name in (".panels", ".player"))
        assert player["y"] + player["height"] <= panel["y"] + 1, "one above the other"
        check_words(page)
        page.close()
