"""Looks for violations of WCAG 2.2 AA with axe-core, which is a development dependency of frontend/."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
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
