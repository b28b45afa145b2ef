"""Builds HTML from Python calls. What is not HTML already is escaped, so that no text of a recording can be markup."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already; a plain string never is."""

    __slots__ = ()


type Child = Html | str | int | Iterable[Child] | None
"""What an element holds: HTML as it is, text and numbers escaped, nothing for None, and lists of these."""

VOID = frozenset({"br", "col", "hr", "img", "input", "meta", "source"})
"""Elements that hold nothing and have no end tag."""


def join(*children: Child) -> Html:
    """Put children one behind the other."""
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
    """Make an element. Attributes: `class_` is class, `aria_label` is aria-label; None and False leave one out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def _attribute(key: str, value: str | int | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
