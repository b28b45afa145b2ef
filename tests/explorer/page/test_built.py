"""What is shipped of the page: whole, without what its security policy forbids, and as the export needs it."""

import re
from importlib.resources import files

import pytest

STATIC = files("semantic_rl.explorer") / "static"


@pytest.mark.parametrize("name", ["index.html", "app.js", "app.css", "icon.svg", "licenses.txt"])
def test_every_part_is_there(name: str) -> None:
    assert (STATIC / name).read_text(encoding="utf-8").strip()


def test_the_page_has_the_lines_that_the_export_replaces_and_no_inline_script() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert page.count('<link rel="stylesheet" href="static/app.css">') == 1
    assert page.count('<script defer src="static/app.js"></script>') == 1
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", page)


def test_the_script_neither_makes_code_of_text_nor_markup_of_what_it_was_told() -> None:
    script = (STATIC / "app.js").read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|Function\(|insertAdjacentHTML|document\.write", script)
    assert not re.search(r"https?://(?!www\.w3\.org/)", script), "nothing is fetched from elsewhere"
    assert len(script) < 320_000
