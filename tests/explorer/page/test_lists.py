"""Transitions and lists play exactly what they say."""

import json
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

from semantic_rl.analysis.transitions import compute_transitions
from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import map_box, wait_for, wait_until

CURSOR = "Number(document.querySelector('#timeline')?.getAttribute('aria-valuenow'))"
FRAME = "Number(document.querySelector('.player .screen canvas')?.dataset.row)"


def ask(address: str, path: str) -> Any:
    with urlopen(address + path) as answer:
        return json.load(answer)


def test_a_move_in_the_matrix_is_played_wherever_it_happens(
    open_page: OpenPage, recording: Recording, address: str
) -> None:
    counts = compute_transitions(recording).counts
    np.fill_diagonal(counts, 0)
    start, end = divmod(int(counts.argmax()), len(counts))
    page = open_page("#panel=transitions")
    page.click(f'[aria-label^="from {start} to {end}: {counts[start, end]} time"]')
    page.wait_for_selector("#timeline")
    moves = ask(address, f"api/a/transition/{start}/{end}")
    code_index = recording.states["code_index"].to_numpy()
    assert len(moves["items"]) >= 2
    for number, item in enumerate(moves["items"][:2]):
        page.wait_for_selector(f".items li:nth-child({number + 1}).current")
        wait_until(page, f"{FRAME} >= {item['first']} && {FRAME} <= {item['last']}")
        assert (code_index[item["row"] - 1], code_index[item["row"]]) == (start, end) or (
            code_index[item["row"]],
            code_index[item["row"] + 1],
        ) == (start, end)
        page.keyboard.press("j")


def test_an_arrow_on_the_map_is_clicked(open_page: OpenPage) -> None:
    page = open_page("#panel=transitions")
    page.wait_for_selector(".matrix")
    box = map_box(page)
    for x in [*range(60, int(box["width"]) - 60, 7)] * 3:  # arrows may be drawn while the pointer is under way
        page.mouse.move(box["x"] + x, box["y"] + box["height"] * 0.45)
        if page.eval_on_selector("canvas.top", "canvas => canvas.style.cursor") == "pointer":
            page.mouse.down()
            page.mouse.up()
            break
    else:
        pytest.fail("no arrow crosses the map")
    page.wait_for_selector('.list-bar:has-text("From cluster")')


@pytest.mark.parametrize("name", ["failures", "value_drops", "boundary", "longest_dwells", "rarest_transitions"])
def test_lists_show_what_the_server_found_and_play_it(open_page: OpenPage, address: str, name: str) -> None:
    found = ask(address, f"api/a/playlist/{name}")
    page = open_page(f"#panel=show&list={name}")
    page.wait_for_selector(".items li")
    assert page.locator(".items li").count() == len(found["items"])
    assert found["items"], "the agent of the recording fails, and its clusters are left, now and then"
    item = found["items"][0]
    assert item["text"] in page.inner_text(".items li:first-child")
    page.click(".items li:first-child button")
    page.wait_for_selector(f'.player dd:has-text("{item["episode"]}")')
    wait_until(page, f"{FRAME} >= {item['first']} && {FRAME} <= {item['last']}")


def test_after_an_item_the_next_is_played(open_page: OpenPage, address: str) -> None:
    items = ask(address, "api/a/playlist/value_drops")["items"]
    page = open_page("#panel=show&list=value_drops")
    page.click(".items li:first-child button")
    page.wait_for_selector("#timeline")
    page.keyboard.press(">")
    page.keyboard.press(">")
    page.wait_for_selector(".items li:nth-child(2).current")
    wait_until(page, f"{FRAME} >= {items[1]['first']} && {FRAME} <= {items[1]['last']}")


def test_typical_states_of_a_card_are_played_and_its_clip_runs(open_page: OpenPage, address: str) -> None:
    card = ask(address, "api/a/clusters")["clusters"][3]
    page = open_page()
    page.click('[data-cluster="3"] .row-main')
    rows = {row for first, count in card["clip"] for row in range(first, first + count)}
    page.wait_for_selector("canvas.clip[data-row]")
    seen = set()

    def three_seen() -> bool:
        seen.add(int(page.get_attribute("canvas.clip", "data-row")))
        return len(seen) > 2

    wait_for(page, three_seen, "the clip stands still")
    assert seen <= rows
    page.click(".typical button:first-child")
    wait_until(page, f"{FRAME} >= {card['medoid']}")
    first = next(row for row in ask(address, "api/a/episodes")["first_row"][::-1] if row <= card["medoid"])
    wait_until(page, f"{CURSOR} >= {card['medoid'] - first}")


def test_a_list_that_ends_before_its_time_says_so(open_page: OpenPage, address: str) -> None:
    found = ask(address, "api/a/playlist/longest_dwells")
    assert len(found["items"]) < found["total"]
    page = open_page("#panel=show&list=longest_dwells")
    page.wait_for_selector(".items li")
    said = f"the first {len(found['items'])} of {found['total']:,}"
    assert said in page.inner_text(".items h3")
    assert f"These are {said}." in page.inner_text(".items .end")
    page.click(".items li:first-child button")
    page.wait_for_selector(f'.list-bar:has-text("({found["total"]:,} in all)")')
