"""Every advice in the sources: texts that name a flag, a command of ours to run, or a package to install."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parent.parent.parent / "src"
HOLE = "\N{BULLET}"
"""Stands for what is filled in."""
ADVICE = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*|(?<!not a )semantic-rl [a-z]|pip install|\bray start\b")
NOT_PRINTED = ("arguments/settings.py", "config/__init__.py")


class Advice(NamedTuple):
    """A text of the sources."""

    where: str
    """File, below src."""
    text: str
    """With HOLE for each value that is filled in."""

    def is_said_in(self, said: str) -> bool:
        """Say whether a message is, or holds, this text."""
        parts = [re.escape(" ".join(part.split())) for part in self.text.split(HOLE)]
        pattern = ".*?".join(part.replace(r"\ ", r"\s+") for part in parts).strip().removesuffix(r"\.")
        return re.search(pattern, " ".join(said.split()), re.S) is not None


def all_advice() -> list[Advice]:
    """Return the texts in the order of the sources, each once."""
    found: dict[Advice, None] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        if where.endswith(NOT_PRINTED):
            continue
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            if ADVICE.search(text) and _is_said(text):
                found[Advice(where, text)] = None
    return list(found)


def _is_said(text: str) -> bool:
    """Say whether a text is a sentence or a part of one: not a name of a format, a style, a bare flag or a page."""
    words = text.split()
    is_a_name = len(words) == 2 and words[0] == "semantic-rl" and HOLE not in text
    return len(words) > 1 and not is_a_name and not text.startswith("<")


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module but its docstrings, and for a formatted one its text with holes."""
    inside = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
