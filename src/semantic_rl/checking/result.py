"""What a check found: each part with what is wrong in it, as typed values, as JSON and as a table."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semantic_rl.errors import UserError

Kind = Literal["recording", "run", "checkpoint", "agent"]
Report = Callable[[str, int, int], None]
"""Called with what is being checked, and (done, total) of it."""


class Part(NamedTuple):
    """One thing that was checked."""

    name: str
    wrong: str = ""
    """What is wrong, in a sentence; empty if it is right."""
    usable: str = ""
    """What can be used all the same, where it is wrong."""
    note: str = ""
    """What else there is to say of it."""


class Checked(NamedTuple):
    """Everything that was found at one path."""

    path: Path
    kind: Kind
    parts: list[Part]

    @property
    def is_right(self) -> bool:
        """Say whether nothing is wrong."""
        return not any(part.wrong for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        parts = [{"right": not part.wrong, **part._asdict()} for part in self.parts]
        return {"path": str(self.path), "kind": self.kind, "right": self.is_right, "parts": parts}

    def table(self) -> str:
        """Return it as lines: a head, then one a part, with what is wrong and what can still be used below."""
        wrong = sum(bool(part.wrong) for part in self.parts)
        verdict = "all right" if not wrong else f"{wrong} of {len(self.parts)} wrong"
        lines = [f"{self.path}: {self.kind}, {verdict}"]
        width = max(len(part.name) for part in self.parts)
        for part in self.parts:
            said = f"wrong  {part.wrong}" if part.wrong else f"right  {part.note}"
            lines.append(f"  {part.name:<{width}}  {said}".rstrip())
            if part.wrong and part.usable:
                lines.append(f"  {'':<{width}}         {part.usable}")
        return "\n".join(lines)


class Parts(list[Part]):
    """Parts under way: `part` runs a check and keeps what it raises."""

    @contextmanager
    def part(self, name: str, usable: str = "") -> Generator[list[str]]:
        """Run a check that raises UserError where something is wrong; gives a list for notes."""
        notes: list[str] = []
        try:
            yield notes
        except UserError as error:
            self.append(Part(name, " ".join(str(error).split()), usable))
            return
        self.append(Part(name, note="; ".join(notes)))
