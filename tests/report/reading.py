"""Reads a page as a browser would, to look at what is in it."""

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

VOID = {"br", "col", "hr", "img", "input", "meta", "source"}


class Element(NamedTuple):
    """A start tag."""

    name: str
    attributes: dict[str, str]


class Page(HTMLParser):
    """All elements and all text of a page; fails where tags do not close in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text = ""
        self.style = ""
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self.text += data

    def all(self, name: str) -> list[Element]:
        """All elements of a name."""
        return [found for found in self.elements if found.name == name]

    def values(self, attribute: str) -> list[str]:
        """All values of an attribute, of whatever element."""
        return [found.attributes[attribute] for found in self.elements if attribute in found.attributes]

    def of_class(self, name: str) -> list[Element]:
        """All elements of a class."""
        return [found for found in self.elements if name in found.attributes.get("class", "").split()]
