"""Building HTML: what is not HTML already is escaped, wherever it stands."""

import pytest

from semantic_rl.report.html import Html, element, join

HOSTILE = """"><script>alert('1')</script>&"""
HARMLESS = "&quot;&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&amp;"


def test_text_is_escaped_and_html_is_not_escaped_again() -> None:
    inner = element("b", HOSTILE)
    assert inner == f"<b>{HARMLESS}</b>"
    assert element("p", inner, " and ", [HOSTILE, inner]) == f"<p>{inner} and {HARMLESS}{inner}</p>"


def test_attributes_are_escaped() -> None:
    assert element("p", title=HOSTILE) == f'<p title="{HARMLESS}"></p>'


def test_names_of_attributes_are_those_of_html() -> None:
    made = element("label", class_="a", for_="b", aria_label="c", viewBox="0 0 1 1")
    assert made == '<label class="a" for="b" aria-label="c" viewBox="0 0 1 1"></label>'


def test_true_false_and_none_are_there_bare_and_absent() -> None:
    assert element("input", checked=True, disabled=False, name=None, value=0) == '<input checked value="0">'


@pytest.mark.parametrize("child", [None, [], "", [None, [None]]])
def test_nothing_leaves_nothing(child: object) -> None:
    assert element("p", child) == "<p></p>"  # pyright: ignore[reportArgumentType]


def test_numbers_are_written() -> None:
    assert join(0, " ", 12) == "0 12"
    assert isinstance(join("a"), Html)
