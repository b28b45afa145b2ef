"""The map shows the states where they lie, in the colours that the legend says, and the one that is pointed at."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.palette import GAINED, cluster_color
from semantic_rl.recording.store import Recording

from ..test_run import serving
from .conftest import OpenPage
from .reading import (
    REACH,
    canvas,
    isolated,
    map_box,
    places,
    same_picture,
    shown_row,
    wait_for_canvas,
    wait_for_change,
    wait_until,
)


def point_at(page: Any, place: np.ndarray[Any, Any]) -> None:
    box = map_box(page)
    page.mouse.move(box["x"] + place[0], box["y"] + place[1])


def test_the_map_is_not_blank_and_has_the_clusters_colours(open_page: OpenPage, recording: Recording) -> None:
    pixels = canvas(open_page(), "canvas.points")
    seen = {tuple(color) for color in pixels[pixels[..., 3] > 200][:, :3].tolist()}
    for cluster in recording.states["code_index"].unique():
        color = [int(cluster_color(cluster)[start : start + 2], 16) for start in (1, 3, 5)]
        assert any(max(abs(one - other) for one, other in zip(color, near, strict=True)) <= 3 for near in seen), cluster


def test_the_state_nearest_to_the_pointer_is_shown_with_its_own_frame(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page()
    box = map_box(page)
    points = places(recording.states, meta, (box["width"], box["height"]))
    rng = np.random.default_rng(0)
    for row in rng.permutation(isolated(points, box))[:6].tolist():
        pointer = points[row] + rng.uniform(-1.0, 1.0, 2)
        point_at(page, pointer)
        page.wait_for_selector(f'.ring[data-row="{row}"]', state="attached")
        page.wait_for_selector(f'.card canvas[data-row="{row}"]')
        assert same_picture(canvas(page, ".card canvas"), recording.frame(row))
        facts = page.inner_text(".card .facts")
        state = recording.states.row(row, named=True)
        assert f"\n{state['step']} of" in facts.replace("step\n", "\n")
        assert str(state["level_seed"]) in facts


def test_of_many_states_within_reach_the_nearest_counts_and_none_beyond(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page()
    box = map_box(page)
    points = places(recording.states, meta, (box["width"], box["height"]))
    rng = np.random.default_rng(1)
    near = points[rng.permutation(len(points))[:8]] + rng.normal(0, 6, (8, 2))
    far = np.array([[5.0, 5.0], [box["width"] - 5, 5.0]])
    for pointer in [*near, *far]:
        point_at(page, np.array([300.0, 8.0]))  # away, so that the ring must come anew
        page.wait_for_selector(".ring", state="detached")
        point_at(page, pointer)
        distances = np.linalg.norm(points - pointer, axis=1)
        if distances.min() > REACH + 0.5:
            page.wait_for_timeout(60)
            assert page.query_selector(".ring") is None
        elif distances.min() < REACH - 0.5:
            found = int(page.wait_for_selector(".ring", state="attached").get_attribute("data-row"))
            assert distances[found] < distances.min() + 0.05, "coordinates are quantised to a 65536th of the plane"


def test_each_colouring_looks_different_and_has_a_legend(open_page: OpenPage) -> None:
    page = open_page()
    seen = {canvas(page, "canvas.points").tobytes()}
    for color in ("value", "action", "reward", "time", "uncertainty", "success"):
        page.click(f'.segments.colors button:text-is("{color}")')
        wait_until(page, f"location.hash.includes('color={color}')")
        wait_for_change(page, "canvas.points", seen)
        page.wait_for_timeout(250)
        now = canvas(page, "canvas.points").tobytes()
        assert now not in seen, color
        seen.add(now)
        page.wait_for_selector(f'.legend:has-text("{color}")')


def test_planes_are_switched_with_the_points_moving(open_page: OpenPage) -> None:
    page = open_page()
    for _ in range(5):  # the move takes less than a second, in which a busy machine may not look once
        page.click('.segments button:text-is("FDR")')
        page.wait_for_timeout(1500)
        before = canvas(page, "canvas.points")
        page.click('.segments button:text-is("PCA")')
        page.wait_for_selector('.map[data-plane="pca"]')
        moving = [canvas(page, "canvas.points") for _ in range(6)]
        page.wait_for_timeout(1500)
        after = canvas(page, "canvas.points")
        assert not np.array_equal(before, after)
        if any(not np.array_equal(one, before) and not np.array_equal(one, after) for one in moving):
            break
    else:
        pytest.fail("the points jump")
    assert not canvas(page, ".map .layer")[..., 3].any(), "cells are those of the FDR plane"


def test_tsne_is_computed_and_then_shown(open_page: OpenPage) -> None:
    page = open_page()
    page.click('.segments button:text-is("t-SNE")')
    page.wait_for_selector('.map[data-plane="tsne"]', timeout=120_000)
    assert canvas(page, "canvas.points")[..., 3].any()


@pytest.mark.parametrize("how", ["solo", "hide"])
def test_clusters_are_shown_alone_or_hidden(open_page: OpenPage, recording: Recording, how: str) -> None:
    page = open_page(f"#{how}=6")
    box = map_box(page)
    rows = recording.states["code_index"].to_numpy() == 6
    assert 0 < rows.sum() < len(rows)
    for _ in range(12):  # from state to state with the keyboard
        page.focus("canvas.top")
        page.keyboard.press("ArrowRight")
        row = page.query_selector(".ring")
        if row:
            assert rows[int(row.get_attribute("data-row"))] == (how == "solo")
    assert box["width"] > 0
    page.keyboard.press("a")
    wait_until(page, "!/solo|hide/.test(location.hash)")


def test_a_map_whose_graphics_memory_was_lost_comes_back(open_page: OpenPage) -> None:
    page = open_page()
    before = canvas(page, "canvas.points")
    page.evaluate(
        """() => { const lost = document.querySelector('canvas.points').getContext('webgl2')
            .getExtension('WEBGL_lose_context'); lost.loseContext(); setTimeout(() => lost.restoreContext(), 100); }"""
    )
    page.wait_for_timeout(200)
    wait_for_canvas(page, "canvas.points", before)
    open_page.complaints.clear()  # type: ignore[attr-defined]  # the browser says that the context was lost


def test_the_row_of_the_ring_is_that_of_the_card(open_page: OpenPage) -> None:
    page = open_page()
    page.focus("canvas.top")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".card canvas[data-row]")
    assert shown_row(page, ".ring") == shown_row(page, ".card canvas")


def test_rare_rewards_are_not_covered_by_common_ones(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page("#color=reward&cells=0&names=0")
    page.wait_for_selector('.legend:has-text("reward")')
    page.wait_for_timeout(400)
    box = map_box(page)
    points = places(recording.states, meta, (box["width"], box["height"]))
    reward = recording.states["reward"].to_numpy()
    rare = np.flatnonzero(reward > 0)
    assert 0 < len(rare) < 0.1 * len(reward)
    rare = rare[((points[rare] > 5) & (points[rare] < (box["width"] - 5, box["height"] - 5))).all(1)]
    pixels = canvas(page, "canvas.points")
    gained = np.array([int(GAINED[0][start : start + 2], 16) for start in (1, 3, 5)])
    for x, y in np.rint(points[rare]).astype(int):
        near = pixels[y - 1 : y + 2, x - 1 : x + 2, :3].reshape(-1, 3).astype(int)
        assert np.abs(near - gained).max(1).min() < 60, "under grey ones"


def test_labels_cover_neither_badges_nor_each_other(
    open_page: OpenPage, make_view: Callable[..., RecordingView]
) -> None:
    view = make_view(num_codes=8, num_unused=0)
    for cluster in range(8):
        view.annotations.put_cluster(cluster, f"a name of some length, {cluster}", "", "Ada", 0)
    with serving(str(view.explored.recording.path), "--port", "0") as (_, address):
        for width in (390, 1280):
            page = open_page(base=address, viewport={"width": width, "height": 800})
            page.wait_for_selector('.names:has-text("some length")', state="attached")
            wait_until(page, "document.querySelector('.names i').style.transform !== ''")
            boxes = page.eval_on_selector_all(
                ".names b, .names i",
                """all => all.filter((one) => getComputedStyle(one).visibility === 'visible' && one.offsetWidth)
                       .map((one) => one.getBoundingClientRect().toJSON())""",
            )
            assert len(boxes) > 8, "badges, and some names"
            for at, one in enumerate(boxes):
                for other in boxes[:at]:
                    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
                    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
                    assert min(across, down) <= 1, "one covers the other"
            page.close()
