"""The result of a check: each part with its faults, as typed values, as JSON and as a table."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semantic_rl.errors import UserError

Kind = Literal["recording", "run", "checkpoint", "agent"]


class Part(NamedTuple):
    """One part that was checked."""

    name: str
    wrong: str = ""
    """What is wrong, in a sentence; empty if nothing is."""
    usable: str = ""
    """What can still be used if something is wrong."""
    note: str = ""
    """Further remarks."""


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
        """Return the result as JSON values."""
        parts = [{"right": not part.wrong, **part._asdict()} for part in self.parts]
        return {"path": str(self.path), "kind": self.kind, "right": self.is_right, "parts": parts}

    def table(self) -> str:
        """Return the result as text: a heading, then one line per part, followed by faults and what is still usable."""
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
    """Collects the results of checks: `part` runs a check and records the error that it raises."""

    @contextmanager
    def part(self, name: str, usable: str = "") -> Generator[list[str]]:
        """Run a check that raises UserError if something is wrong; yields a list for notes."""
        notes: list[str] = []
        try:
            yield notes
        except UserError as error:
            self.append(Part(name, " ".join(str(error).split()), usable))
            return
        self.append(Part(name, note="; ".join(notes)))
