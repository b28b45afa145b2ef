"""Colours: scales whose limits one sets in the legend, further columns, grouped actions, and densities."""

from typing import Any

import numpy as np

from .accessibility import violations
from .conftest import OpenPage
from .reading import canvas, wait_until


def test_a_scale_is_set_in_its_legend_and_is_in_the_link(open_page: OpenPage) -> None:
    page = open_page("#color=value")
    before = canvas(page, "canvas.points")
    page.fill('[aria-label="upper limit of the scale of value"]', "3")
    page.keyboard.press("Enter")
    wait_until(page, "/scale=value,,3/.test(location.hash)")
    page.wait_for_selector('.legend:has-text("reset")')
    page.wait_for_timeout(400)
    assert (canvas(page, "canvas.points") != before).any()
    page.click('.legend button:text-is("log")')
    wait_until(page, "/scale=value,,3,log/.test(location.hash)")
    assert violations(page) == []
    page.click('.legend button:text-is("reset")')
    wait_until(page, "!/scale=/.test(location.hash)")
    page.fill('[aria-label="upper limit of the scale of value"]', "nonsense")
    page.keyboard.press("Enter")
    assert "scale" not in page.evaluate("location.hash")
    again = open_page("#color=value&scale=value,1,3")
    assert again.input_value('[aria-label="lower limit of the scale of value"]') == "1"


def test_what_episodes_have_can_be_a_colour(open_page: OpenPage, meta: dict[str, Any]) -> None:
    page = open_page()
    page.select_option(".further select", "length")
    page.wait_for_selector('.legend:has-text("episode length")')
    page.wait_for_timeout(400)
    points = canvas(page, "canvas.points")
    assert len(np.unique(points[points[..., 3] > 0][:, :3], axis=0)) > 20
    assert violations(page) == []


def test_actions_that_do_the_same_have_one_colour_unless_one_wants_all(
    open_page: OpenPage, meta: dict[str, Any]
) -> None:
    assert meta["action_groups"][9:] == ["none"] * 6
    page = open_page("#color=action")
    page.wait_for_selector('.legend:has-text("(7 actions)")')
    page.click('.legend button:text-is("grouped")')
    wait_until(page, "/actions=all/.test(location.hash)")
    assert "actions)" not in page.inner_text(".legend")
    assert violations(page) == []


def test_the_density_is_drawn_where_one_wants_it(open_page: OpenPage) -> None:
    page = open_page()
    assert page.get_attribute(".map", "data-density") == "no"
    before = canvas(page, "canvas.points")
    page.keyboard.press("h")
    page.wait_for_selector('.map[data-density="yes"]')
    wait_until(page, "/density=1/.test(location.hash)")
    page.wait_for_timeout(400)
    dense = canvas(page, "canvas.points")
    assert (dense != before).any()
    assert (dense[..., 3] > 0).any()
    page.keyboard.press("h")
    page.wait_for_selector('.map[data-density="no"]')
