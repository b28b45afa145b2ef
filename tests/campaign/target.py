"""A kind of file that is damaged, and what reads it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .examples import Edit, apply

Read = Callable[[Path], object]


class Target(NamedTuple):
    """A kind of file, and what reads it."""

    material: str
    """The folder or file that is copied."""
    file: str
    """The file in it that is damaged, as a pattern; empty if the material is the file."""
    read: Read
    """Called with the material's path."""
    is_json: bool = False
    is_table: bool = False
    beside: tuple[str, ...] = ()
    """Further materials that are copied."""
    share: float = 1.0
    """How many inputs it gets beside the others'; slow readers get fewer."""
    member: str = ""
    """The member that is damaged, if the file is a zip; its checksum is made right again."""

    def damaged(self, good: bytes, edits: list[Edit]) -> bytes:
        """Return the file's content after edits of it, or of its member."""
        if not self.member:
            return apply(edits, good)
        written = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(good)) as archive, zipfile.ZipFile(written, "w") as changed:
            for info in archive.infolist():
                content = archive.read(info)
                changed.writestr(info, apply(edits, content) if info.filename == self.member else content)
        return written.getvalue()
