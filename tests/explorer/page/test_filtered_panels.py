"""An opened card and the matrix of moves are of the states that pass the filter."""

import re
from typing import Any

import numpy as np
import polars as pl

from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import wait_until

FILTER = "&filter=step%20%3E%3D%2010%20and%20step%20%3C%2040"


def test_an_opened_card_is_of_the_states_that_pass(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page(f"#card=3{FILTER}")
    mine = recording.states.filter(pl.col("step").is_between(10, 39) & (pl.col("code_index") == 3))
    body = page.locator('[data-cluster="3"] .cluster-body')
    body.locator("dt", has_text="states").wait_for()
    assert body.locator("dd").first.inner_text() == f"{len(mine):,}"
    assert body.locator("dt").all_inner_texts() == ["states", "episodes", "success"], "there are no visits and dwells"
    assert body.locator("dd").nth(1).inner_text().startswith(f"{mine['episode'].n_unique():,} of")
    shares = mine["action"].value_counts(normalize=True)
    by_name = {meta["action_names"][action]: share for action, share in shares.iter_rows()}
    first = body.locator(".actions li").first
    name = first.get_attribute("title").split(":")[0]
    assert first.locator(".number").inner_text() == f"{by_name[name]:.0%}"
    page.wait_for_selector('.cluster-body canvas[aria-label="mean frame of cluster 3"][data-state="shown"]')
    page.click(".cluster-body .typical button >> nth=0")
    page.wait_for_selector("#timeline")
    wait_until(page, "/&s=/.test(location.hash)")
    step = int(re.search(r"&s=(\d+)", page.evaluate("location.hash"))[1])  # type: ignore[index]
    assert step >= 10
    page.click('.chip [aria-label^="Remove"]')
    page.wait_for_selector('.cluster-body dt:has-text("dwell")')


def test_the_matrix_counts_moves_out_of_states_that_pass(open_page: OpenPage, recording: Recording) -> None:
    page = open_page(f"#panel=transitions{FILTER}")
    page.wait_for_selector('.matrix-said:has-text("from states that pass the filter")')
    states = recording.states
    episode, step, code = (states[name].to_numpy() for name in ("episode", "step", "code_index"))
    passes = (step >= 10) & (step < 40)
    follows = (np.diff(episode) == 0) & (np.diff(step) == 1) & passes[:-1]
    expected = np.zeros((recording.num_codes, recording.num_codes), np.int64)
    np.add.at(expected, (code[:-1][follows], code[1:][follows]), 1)
    said = [label.get_attribute("aria-label") for label in page.locator(".matrix td button").all()]
    found = [int(re.search(r": ([\d,]+) times?", text)[1].replace(",", "")) for text in said]  # type: ignore[index]
    assert np.array_equal(np.reshape(found, expected.shape), expected)
