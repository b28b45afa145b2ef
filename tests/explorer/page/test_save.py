"""Saving: the view as a picture, tables, clips, and the page in one file, whatever is on screen."""

import csv
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from semantic_rl.clips.encode import is_clip
from semantic_rl.recording.store import Recording

from .accessibility import violations
from .conftest import OpenPage

SVG = "{http://www.w3.org/2000/svg}"


def open_save(page: Any, kind: str) -> None:
    if page.locator(".save").count() == 0:
        page.keyboard.press("e")
    page.click(f'.save [role=radio]:text-is("{kind}")')


def saved(page: Any, button: str) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_bytes()


def test_a_picture_is_the_view_in_the_size_that_is_asked_for(open_page: OpenPage) -> None:
    page = open_page("#e=2&s=5")
    open_save(page, "Picture")
    page.fill('[aria-label="width"]', "640")
    page.fill('[aria-label="height"]', "500")
    picture = Image.open(io.BytesIO(saved(page, 'button:text-is("Save PNG")')))
    assert picture.size == (640, 500)
    pixels = np.asarray(picture.convert("RGBA"))
    assert (pixels[..., 3] == 255).all()
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 500
    page.check('.save label:has-text("transparent")')
    page.click('.save [role=radio]:text-is("dark")')
    open_ = np.asarray(Image.open(io.BytesIO(saved(page, 'button:text-is("Save PNG")'))).convert("RGBA"))
    assert (open_[..., 3] == 0).any()
    assert page.get_attribute("html", "data-theme") == "light", "the page keeps its theme"


def test_an_svg_has_circles_and_text_that_can_be_edited(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#color=value&zoom=0.5,0.5,0.9")
    open_save(page, "Picture")
    page.click('.save [role=radio]:text-is("SVG")')
    root = ElementTree.fromstring(saved(page, 'button:text-is("Save SVG")'))
    points = root.find(f".//{SVG}g[@id='points']")
    assert points is not None
    assert len(points.findall(f".//{SVG}circle")) == recording.num_states
    assert root.find(f".//{SVG}image") is None
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"value", *map(str, range(recording.num_codes))} <= set(words)
    description = root.find(f"{SVG}desc")
    assert description is not None
    assert "coloured by value" in (description.text or "")


def test_tables_hold_what_the_panels_show(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#panel=lasso&lasso=clusters:3")
    page.wait_for_selector(".differences")
    open_save(page, "Tables")
    table = list(csv.DictReader(io.StringIO(saved(page, '[title="Clusters as CSV"]').decode())))
    counts = np.bincount(recording.states["code_index"].to_numpy(), minlength=recording.num_codes)
    assert [int(row["states"]) for row in table] == counts.tolist()
    assert sum(float(row["share"]) for row in table) == pytest.approx(1)
    inside = list(csv.DictReader(io.StringIO(saved(page, '[title="Selection as CSV"]').decode())))
    rows = {row["what"]: row for row in inside}
    values = recording.states["value"].to_numpy()[recording.states["code_index"].to_numpy() == 3]
    assert float(rows["value"]["inside"]) == pytest.approx(values.mean(), abs=1e-3)
    assert float(rows["value"]["low"]) < float(rows["value"]["difference"]) < float(rows["value"]["high"])
    latex = saved(page, '[title="Selection as LaTeX"]').decode()
    assert re.search(r"^    value & \S+ & \S+ & \S+ & \[.+, .+\] & ", latex, re.M)
    episodes = list(csv.DictReader(io.StringIO(saved(page, '[title="Episodes as CSV"]').decode())))
    assert [float(row["return"]) for row in episodes] == recording.episodes["return"].to_list()
    for kind in ("Transitions", "Histograms"):
        assert len(list(csv.reader(io.StringIO(saved(page, f'[title="{kind} as CSV"]').decode())))) > 10


def test_a_clip_shows_what_is_played(open_page: OpenPage) -> None:
    page = open_page()
    open_save(page, "Clip")
    assert "Play an episode" in page.inner_text(".save")
    page.keyboard.press("Escape")
    page.wait_for_selector(".save", state="detached")
    page.goto(f"{page.url.split('#')[0]}#panel=show&list=failures:0")
    page.wait_for_selector('.player .screen canvas[data-state="shown"]')
    open_save(page, "Clip")
    page.click('.save [role=radio]:has-text("moment")')
    page.click('.save [role=radio]:text-is("GIF")')
    content = saved(page, 'button:text-is("Save clip")')
    assert content.startswith(b"GIF8")
    assert is_clip(content)


def test_one_file_says_how_far_it_is_and_holds_what_is_chosen(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    open_save(page, "One file")
    page.fill('[aria-label="frames of at most"]', "0")
    page.fill('[aria-label="points on the map"]', "200")
    page.click('.save label:has-text("uncertainty")')
    page.click('button:text-is("Make the file")')
    page.wait_for_selector(".save .made")
    assert violations(page) == []
    (tmp_path / "page.html").write_bytes(saved(page, ".save .made a"))
    page.keyboard.press("Escape")
    assert page.inner_text('.topbar button:has-text("file")') == "Your file is ready"
    exported = open_page(base=(tmp_path / "page.html").as_uri(), offline=True)
    assert "200 of" in exported.inner_text(".map-buttons")
    assert exported.locator('.colors button:text-is("uncertainty")').count() == 0
    open_save(exported, "Clip")
    assert "was exported" in exported.inner_text(".save")
    open_save(exported, "Picture")
    assert saved(exported, 'button:text-is("Save PNG")').startswith(b"\x89PNG")
    assert violations(exported) == []
