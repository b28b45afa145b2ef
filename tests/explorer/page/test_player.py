"""The player shows the right episode, and everything that moves is at the same state."""

from itertools import pairwise
from typing import Any

import numpy as np

from semantic_rl.recording.store import Recording

from .conftest import OpenPage, playwright
from .reading import (
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
from .test_notes import open_card, write

FRAME = ".player .screen canvas"


def cursor(page: Any) -> int:
    return int(page.get_attribute("#timeline", "aria-valuenow"))


def at(page: Any, offset: int) -> None:
    """Wait until the cursor is at a state of the episode."""
    playwright.expect(page.locator("#timeline")).to_have_attribute("aria-valuenow", str(offset))


def paused(page: Any) -> None:
    if page.query_selector('.transport [aria-label="Pause"]'):
        page.click('.transport [aria-label="Pause"]')
    page.wait_for_selector('.transport [aria-label="Play"]')


def wait_for_row(page: Any, row: int) -> None:
    """Wait until the frame of a row is shown."""
    shown = f"document.querySelector('{FRAME}')"
    wait_until(page, f"{shown}?.dataset.row === '{row}' && {shown}.dataset.state === 'shown'")


def test_a_click_plays_the_states_episode_from_there_in_step(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page()
    box = map_box(page)
    points = places(recording.states, meta, (box["width"], box["height"]))
    steps = recording.states["step"].to_numpy()
    lengths = recording.episodes["num_rows"].to_numpy()[recording.states["episode"].to_numpy()]
    row = next(row for row in isolated(points, box).tolist() if steps[row] < lengths[row] - 15)
    episode = recording.states["episode"][row]
    first = recording.episodes["first_row"][episode]
    page.mouse.click(box["x"] + float(points[row, 0]), box["y"] + float(points[row, 1]))
    wait_until(page, f"Number(document.querySelector('{FRAME}')?.dataset.row) >= {row}")
    wait_until(page, f"Number(document.querySelector('{FRAME}')?.dataset.row) >= {row + 3}")
    seen = page.evaluate(
        f"""async () => {{ const seen = []; for (let at = 0; at < 25; at++) {{
            await new Promise(requestAnimationFrame);
            seen.push([Number(document.querySelector('{FRAME}').dataset.row),
                       Number(document.querySelector('#timeline').getAttribute('aria-valuenow'))]);
        }} return seen; }}"""
    )
    assert all(shown - first == at for shown, at in seen), "frame and cursor are at the same state"
    assert all(0 <= later[0] - sooner[0] <= 1 for sooner, later in pairwise(seen)), "none is skipped"
    paused(page)
    now = shown_row(page, FRAME)
    assert row <= now < first + recording.episodes["num_rows"][episode]
    assert same_picture(canvas(page, FRAME), recording.frame(now))
    facts = page.inner_text(".player .facts")
    assert str(recording.episodes["level_seed"][episode]) in facts
    wait_until(page, f"location.hash.includes('e={episode}&s={steps[now]}')")


def test_every_state_of_an_episode_has_its_own_frame(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#e=2&s=0")
    first, count = recording.episodes["first_row"][2], recording.episodes["num_rows"][2]
    for offset in (0, 1, 5, count - 1):
        page.keyboard.press("Home")
        for _ in range(offset // 10):
            page.keyboard.press("Shift+ArrowRight")
        for _ in range(offset % 10):
            page.keyboard.press("ArrowRight")
        wait_for_row(page, first + offset)
        assert same_picture(canvas(page, FRAME), recording.frame(first + offset))


def test_the_player_works_on_the_keyboard_alone(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.focus("canvas.top")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#timeline:focus")
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Play"]')
    page.keyboard.press("Home")
    at(page, 0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    at(page, 11)
    page.keyboard.press("ArrowLeft")
    at(page, 10)
    page.keyboard.press("End")
    count = int(page.get_attribute("#timeline", "aria-valuemax")) + 1
    at(page, count - 1)
    before = page.evaluate("location.hash")
    page.keyboard.press("]")
    wait_until(page, f"location.hash !== {before!r}")
    at(page, 0)
    page.keyboard.press("[")
    wait_until(page, f"document.querySelector('#timeline').getAttribute('aria-valuemax') === '{count - 1}'")
    page.keyboard.press("Escape")
    page.wait_for_selector(".player.empty")
    assert recording.num_episodes > 1


def test_the_name_of_the_cluster_has_room_beside_the_buttons(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=3", viewport={"width": 1280, "height": 760})
    badge, button = (
        f"document.querySelector('.player .facts .first {part}')?.getBoundingClientRect()"
        for part in (".badge", ".near-button")
    )
    wait_until(page, f"{button}?.left - {badge}?.right >= 80")
    cluster = int(page.inner_text(".player .facts .first .badge"))
    open_card(page, cluster)
    write(page, cluster, "runs right, and jumps over whatever stands in the way")
    wait_until(page, "document.querySelector('.player .facts .name')?.getBoundingClientRect().width >= 70")
    page.click('.player [aria-label="States near to this one"]')
    wait_until(page, "location.hash.includes('of=near:')")


def test_cluster_changes_are_jumped_to(open_page: OpenPage, recording: Recording) -> None:
    episode = int(recording.episodes["num_rows"].arg_max() or 0)
    page = open_page(f"#e={episode}&s=0")
    page.wait_for_selector("#timeline")
    first, count = recording.episodes["first_row"][episode], recording.episodes["num_rows"][episode]
    code_index = recording.states["code_index"].to_numpy()[first : first + count]
    changes = (np.flatnonzero(np.diff(code_index.astype(int))) + 1).tolist()
    assert len(changes) >= 3
    for expected in changes[:3]:
        page.keyboard.press(".")
        at(page, expected)
    page.keyboard.press(",")
    at(page, changes[1])


def test_the_timeline_is_dragged(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#e=1&s=0")
    box = page.locator("#timeline").bounding_box()
    count = recording.episodes["num_rows"][1]
    page.mouse.move(box["x"] + 2, box["y"] + 20)
    page.mouse.down()
    for share in (0.2, 0.5, 0.75):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 20)
        now = "Number(document.querySelector('#timeline').getAttribute('aria-valuenow'))"
        wait_until(page, f"Math.abs({now} - {int(share * count)}) <= 1")
    page.mouse.up()
    wait_for_row(page, recording.episodes["first_row"][1] + cursor(page))


def test_an_episode_that_ends_stops_and_can_be_played_again(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=0")
    page.wait_for_selector("#timeline")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Play"]')
    at(page, int(page.get_attribute("#timeline", "aria-valuemax")))
    page.keyboard.press("Space")
    wait_until(page, "Number(document.querySelector('#timeline').getAttribute('aria-valuenow')) < 10")


def test_the_path_is_drawn_on_the_map(open_page: OpenPage) -> None:
    page = open_page()
    before = canvas(page, "canvas.top").tobytes()
    assert not any(before)
    page.evaluate("location.hash = '#v=1&e=1&s=5'")
    page.wait_for_selector("#timeline")
    assert wait_for_change(page, "canvas.top", [before])[..., 3].any()


def test_a_closed_player_leaves_nothing_on_the_map(open_page: OpenPage) -> None:
    page = open_page("#e=3&s=7")
    page.wait_for_selector("#timeline")
    wait_until(
        page, "document.querySelector('.layer.top').getContext('2d').getImageData(0, 0, 4096, 4096).data.some(Boolean)"
    )
    page.keyboard.press("Escape")
    page.wait_for_selector(".player.empty")
    wait_for_canvas(page, ".layer.top", np.zeros_like(canvas(page, ".layer.top")))


def test_space_pauses_what_a_click_on_a_list_plays(open_page: OpenPage) -> None:
    page = open_page("#panel=show&list=lowest_value")
    page.click(".items li:nth-child(2) button")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Play"]')
    now = cursor(page)
    page.wait_for_timeout(300)
    assert cursor(page) == now, "it stands"
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    wait_until(page, f"Number(document.querySelector('#timeline').getAttribute('aria-valuenow')) > {now}")


def test_space_pauses_an_item_that_was_chosen_with_keys_too(open_page: OpenPage) -> None:
    page = open_page("#panel=show&list=lowest_value")
    page.focus(".items li:nth-child(2) button")
    page.keyboard.press("Enter")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Play"]')
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # another item: it is the one that has the focus
    page.wait_for_selector(".items li:nth-child(3).current")


def test_space_after_a_click_on_a_box_plays_and_leaves_the_box_as_it_is(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=0")
    page.wait_for_selector("#timeline")
    box = '.check:has-text("cells") input'
    page.click(box)
    assert not page.is_checked(box)
    page.keyboard.press("Space")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    assert not page.is_checked(box)


def test_the_curve_and_its_label_do_not_cover_each_other(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#e=1&s=4")
    page.wait_for_selector("#timeline")
    first = int(recording.episodes["first_row"][1])
    values = recording.states["value"].to_numpy()[first : first + int(recording.episodes["num_rows"][1])]
    said = page.inner_text(".course")
    assert f"{values[4]:.2f}".replace("-", "−") in said
    assert f"{values.min():.2f} to {values.max():.2f}".replace("-", "−") in said
    curve = canvas(page, "#timeline canvas")
    caption = page.locator(".course").bounding_box()["height"]
    assert not curve[: int(caption), :, 3].any(), "the curve begins below"
