"""A report in the browser: axe finds nothing wrong with it, and it can be printed."""

from pathlib import Path

import pytest

from semantic_rl.cli import main

from ...recording.synthetic import make_recording
from .accessibility import NARROW, violations
from .conftest import OpenPage
from .test_print import style


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    recording = make_recording(folder / "recording", num_episodes=8, num_unused=1, picture_size=64)
    main(["report", str(recording.path), "--out", str(folder / "report.html"), "--no-baselines", "--num-threads", "1"])
    return folder / "report.html"


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, NARROW], ids=["screen", "phone"])
def test_axe_finds_nothing_wrong_with_it(open_page: OpenPage, report: Path, viewport: dict[str, int]) -> None:
    assert violations(open_page(base=report.as_uri(), drawn=False, viewport=viewport)) == []


def test_on_paper_colours_stay_and_headings_stand_with_what_they_head(open_page: OpenPage, report: Path) -> None:
    page = open_page(base=report.as_uri(), drawn=False, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for colored in (".legend i", ".badge", ".strip a", ".matrix .dwell"):
        assert style(page, colored, "print-color-adjust") == "exact"
    assert style(page, "h1", "color") == "rgb(27, 29, 33)", "dark on white, whatever the screen shows"
    for heading in ("section > header", "h2", "h3"):
        assert style(page, heading, "break-after") == "avoid"
    assert style(page, "section > header", "break-inside") == "avoid"
    for section in page.locator("section").all():
        head, body = (section.locator(part).first.bounding_box() for part in ("header", ".body"))
        assert head["y"] + head["height"] <= body["y"] + 1, "a heading beside its text cannot stay with it"
