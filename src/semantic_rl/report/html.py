"""Builds HTML from Python calls. Plain strings are escaped, so that no text from a recording can become markup."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is already HTML, as opposed to a plain string, which is escaped."""

    __slots__ = ()


type Child = Html | str | int | Iterable[Child] | None
"""Content of an element: HTML unchanged, text and numbers escaped, nothing for None, and iterables of these."""

VOID = frozenset({"br", "col", "hr", "img", "input", "meta", "source"})
"""Elements that have no content and no end tag."""


def join(*children: Child) -> Html:
    """Concatenate children."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, (str, int)):
            parts.append(escape(str(child)))
        elif child is not None:
            parts.append(join(*child))
    return Html("".join(parts))


def element(name: str, /, *children: Child, **attributes: str | int | None) -> Html:
    """Make an element. `class_` becomes class, `aria_label` aria-label; None and False omit an attribute."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def _attribute(key: str, value: str | int | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
