"""Filters leave on the page what the table of states says, and are in the address; an exported page filters too."""

import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from semantic_rl.cli import main
from semantic_rl.recording.store import Recording

from .accessibility import NARROW, violations
from .conftest import OpenPage
from .reading import canvas, wait_for_change, wait_until
from .test_lasso import draw, inside

FILTERS = "#filter=cluster%20in%20(3%2C%205)&filter=step%20%3E%3D%2010&panel=filter"


def passing(recording: Recording) -> pl.Series:
    """Say which states pass FILTERS."""
    states = recording.states
    return states["code_index"].is_in([3, 5]) & (states["step"] >= 10)


def left(page: Any) -> int:
    return int(page.get_attribute("[data-left]", "data-left"))


def test_filters_of_the_address_are_applied_to_everything(open_page: OpenPage, recording: Recording) -> None:
    page = open_page(FILTERS)
    passes = passing(recording)
    kept = recording.states.filter(passes)
    assert 50 < len(kept) < len(passes)
    wait_until(page, f"document.querySelector('[data-left]')?.dataset.left === '{len(kept)}'")
    said = page.inner_text(".filter-chips [role=status]")
    assert f"{kept['episode'].n_unique()} of {recording.num_episodes} episodes" in said
    # a histogram leaves out the column's own filter, and says of how many states it is
    page.wait_for_selector('[data-column="cluster"] button')
    of_each = recording.states.filter(pl.col("step") >= 10)["code_index"].value_counts()
    counts = dict(of_each.iter_rows())
    shown = page.locator('[data-column="cluster"] button .number:not(.faint)').all_inner_texts()
    assert [int(one.replace(",", "")) for one in shown] == [counts.get(code, 0) for code in range(len(shown))]
    assert page.inner_text('[data-column="value"] .n') == f"n {len(kept):,}"
    # cards
    page.click("#tab-clusters")
    row = page.inner_text('[data-cluster="3"] .row-main .much')
    of_three = kept.filter(pl.col("code_index") == 3)
    assert f"{len(of_three):,}" in re.findall(r"[\d,]+", row)
    assert f"{len(of_three) / len(kept):.1%}" in row
    # the lasso, which the server computes, and the strip of the episode
    page.keyboard.press("l")
    with page.expect_request(lambda request: request.url.endswith("/api/a/inside")) as asked:
        draw(page)
    polygon = asked.value.post_data_json["polygon"]
    x, y = (recording.states[name].to_numpy().astype(np.float64) for name in ("embedding_x", "embedding_y"))
    is_inside = inside(x, y, polygon)
    assert int(page.get_attribute(".inside [data-count]", "data-count")) == (is_inside & passes.to_numpy()).sum()
    assert f"{len(kept):,} of {len(passes):,}" in page.inner_text(".inside")
    page.evaluate("location.hash += '&e=3&s=0'")
    of_episode = recording.states.with_columns(passes.alias("passes")).filter(pl.col("episode") == 3)["passes"]
    page.wait_for_selector(f'.steps-left:has-text("{of_episode.sum()} of {len(of_episode)} steps")')
    assert violations(page) == []


def test_a_brush_filters_and_back_takes_it_back(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#panel=filter")
    page.wait_for_selector('[data-column="value"] .plot')
    wait_until(page, "location.hash.includes('v=1')")
    before = canvas(page, "canvas.points").tobytes()
    box = page.locator('[data-column="value"] .plot').bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    wait_until(page, "/filter=.*value/.test(location.hash)")
    wait_for_change(page, "canvas.points", {before})
    low, high = map(float, re.findall(r"-?[\d.]+", page.inner_text(".chip .name")))
    assert left(page) == recording.states["value"].is_between(low, high, closed="left").sum()
    # with keys, the range's end is moved; the player is not
    page.focus('[data-column="value"] .grip.high')
    page.keyboard.press("End")
    wait_until(page, "document.querySelector('.chip .name').textContent.startsWith('value >= ')")
    page.click('[data-column="cluster"] button >> nth=2')
    wait_until(page, "document.querySelectorAll('.chip').length === 2")
    wait_until(page, "/filter=cluster/.test(location.hash)")
    page.reload()
    wait_until(page, "document.querySelectorAll('.chip').length === 2")
    page.go_back()
    wait_until(page, "document.querySelectorAll('.chip').length === 1")
    page.click(".chip .button")
    page.wait_for_selector(".filter-chips", state="detached")


def test_a_wrong_condition_is_refused_with_one_sentence(open_page: OpenPage) -> None:
    page = open_page("#filter=moon%20%3C%203")
    page.wait_for_selector('.chip.wrong:has-text("not applied: There is no column “moon”")')
    page.click(".chip .button")
    page.keyboard.press("f")
    page.wait_for_selector("#filter-text:focus")
    page.keyboard.type("valu < 2")
    page.keyboard.press("Enter")
    page.wait_for_selector('#filter-error:has-text("There is no column “valu”; did you mean value?")')
    assert page.locator(".chip").count() == 0
    page.fill("#filter-text", "value < 1e9 and not cluster == 1")
    page.keyboard.press("Enter")
    page.wait_for_selector('.chip:has-text("not cluster == 1")')
    assert page.locator("#filter-error").count() == 0


def test_lists_show_and_play_what_passes(open_page: OpenPage) -> None:
    page = open_page("#panel=show&list=highest_value")
    page.wait_for_selector(".items li")
    total = page.locator(".items li").count()
    page.evaluate("location.hash += '&filter=cluster == 1'")
    page.wait_for_selector('.items h3:has-text("the filter, of")')
    shown = page.locator(".items li").count()
    assert shown < total
    assert page.inner_text(".items h3").split("pass")[0].strip().endswith(f"{shown} that")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, NARROW])
def test_an_exported_page_filters_too(
    open_page: OpenPage, recording: Recording, tmp_path_factory: pytest.TempPathFactory, viewport: dict[str, int]
) -> None:
    file = tmp_path_factory.getbasetemp() / "filtered.html"
    if not file.exists():
        main(["explore", str(recording.path), "--export", str(file), "--frames", "0"])
    page = open_page(FILTERS, base=file.as_uri(), offline=True, viewport=viewport)
    passes = passing(recording)
    wait_until(page, f"document.querySelector('[data-left]')?.dataset.left === '{passes.sum()}'")
    page.wait_for_selector('[data-column="action"] button')
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.click("#tab-clusters")
    page.click('[data-cluster="3"] .row-main')
    page.click("text=compare with the rest")
    of_three = (recording.states["code_index"] == 3) & passes
    page.wait_for_selector(f'.inside [data-count="{of_three.sum()}"]')
    assert f"{passes.sum():,} of {len(passes):,}" in page.inner_text(".inside")
