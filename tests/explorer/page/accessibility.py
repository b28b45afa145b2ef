"""Looks for violations of WCAG 2.2 AA with axe-core, which is a development dependency of frontend/."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .conftest import OpenPage
from .test_lasso import draw

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
NARROW = {"width": 390, "height": 844}
"""A phone."""
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""WCAG's, and what axe calls good practice: the order of headings, header cells that say something."""


@cache
def _axe() -> str:
    """Return axe's program, installed from frontend's lock file if it is not there yet."""
    if not AXE.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core is not there, and npm, which would install it, is not on PATH")
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FRONTEND, check=True, capture_output=True, timeout=300)
    return AXE.read_text(encoding="utf-8")


def violations(page: Any) -> list[str]:
    """Return what axe finds wrong with the page as it is now, a line for each rule."""
    page.evaluate(_axe())
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(RULES)}, resultTypes: ['violations']}})")
    return [
        f"{one['id']}, {len(one['nodes'])} times: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
    ]


def look_everywhere(open_page: OpenPage, theme: str, **where: Any) -> None:
    """Visit every panel, with something in it, and what lies over the page; see what axe says."""
    page = open_page(f"#e=1&s=3&theme={theme}", reduced_motion="reduce", **where)
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector(".cluster-body canvas.clip")
    assert violations(page) == [], "a cluster's card and the player"
    page.click('[data-cluster="3"] [aria-label$="alone"]')
    page.wait_for_selector(".names .dim", state="attached")
    assert violations(page) == [], "one cluster alone"
    page.click("#tab-transitions")
    page.wait_for_selector(".matrix")
    assert violations(page) == [], "the matrix"
    page.click("#tab-show")
    page.click('.lists button:has-text("Lookalikes")')
    page.wait_for_selector(".items li, .empty-state")
    assert violations(page) == [], "lookalikes"
    page.keyboard.press("a")
    page.keyboard.press("l")
    draw(page)
    page.wait_for_selector(".differences")
    assert violations(page) == [], "a lasso"
    page.click("#tab-episodes")
    page.locator(".episode").nth(1).click(position={"x": 40, "y": 12})
    page.wait_for_selector(".path-legend")
    assert violations(page) == [], "the timeline"
    page.click("#tab-states")
    page.wait_for_selector(".sheet [role=option]")
    assert violations(page) == [], "states"
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert violations(page) == [], "help"
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    for kind in ("Picture", "Tables", "Clip", "One file"):
        page.click(f'.save [role=radio]:text-is("{kind}")')
        page.wait_for_selector(".save .save-form")
        assert violations(page) == [], f"save: {kind}"
    page.close()
