"""Reads the lines of a run's progress.csv, which may still be growing, or may be cut off or damaged.

The format is simple: fields are separated by commas and contain none, no field spans lines, and a line ends in LF, CRLF
or CR. So a stray quote damages only its own field, and a block of NUL bytes, as a system crash may leave behind, only
its own line. Quotes around a whole field, as spreadsheets write them, are removed.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file
from semantic_rl.json_files import shown

MOST_BYTES = 64_000_000
MOST_LINES = 1_000_000
"""Most accepted lines of a log; a hundred thousand updates take 35 MB."""
MOST_COLUMNS_SHOWN = 20
LONGEST_LINE = 65_536
"""Number of bytes at either end of a log that are searched for its header and its last row."""
WAY_OUT = "restore it, or leave the run out."
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_LINE = re.compile(rb"[^\r\n]+")


class ProgressLog(NamedTuple):
    """The content of a log."""

    path: Path
    columns: list[str]
    """Column names from the first line that is not blank; empty if there is none."""
    content: bytes
    """All complete lines: a last line without a line break may be incomplete and is left out."""
    is_cut_off: bool
    """Whether there was such an incomplete line."""

    def rows(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield the number and the fields of each line after the header.

        The fields are None if their number differs from that of the columns, or if they contain NUL bytes.
        """
        lines = _lines(self.content)
        next(lines, None)
        for number, line in lines:
            is_whole = line.count(b",") + 1 == len(self.columns) and b"\0" not in line
            yield number, _fields(line) if is_whole else None

    def column(self, name: str) -> int:
        """Return the index of a column; raises UserError if it is missing or occurs twice."""
        count = self.columns.count(name)
        if count == 1:
            return self.columns.index(name)
        if count:
            raise UserError(f"{self.path} has {count} columns '{name}', expected one.")
        names = ", ".join(shown(column)[1:-1] for column in self.columns[:MOST_COLUMNS_SHOWN])
        more = ", …" if len(self.columns) > MOST_COLUMNS_SHOWN else ""
        raise UserError(f"{self.path} has no column '{name}'; its columns: {names}{more}.")


def read_progress_log(path: Path) -> ProgressLog:
    """Read a log.

    Raises UserError if it cannot be read, is not a regular file, or is larger than 64 MB or a million lines.
    """
    content = read_file(path, MOST_BYTES, WAY_OUT).removeprefix(BYTE_ORDER_MARK)
    whole = content[: 1 + max(content.rfind(b"\n"), content.rfind(b"\r"))]
    num_lines = whole.count(b"\n") + whole.count(b"\r") - whole.count(b"\r\n")
    if num_lines > MOST_LINES:
        raise UserError(f"{path} has {num_lines:,} lines, expected at most {MOST_LINES:,}; {WAY_OUT}")
    header = next(_lines(whole), None)
    return ProgressLog(path, [] if header is None else _fields(header[1]), whole, len(whole) < len(content))


def whole_rows(path: Path) -> list[dict[str, str]]:
    """Return the complete rows of a log, each by column; an empty list if a column occurs twice.

    Raises UserError as `read_progress_log` does.
    """
    log = read_progress_log(path)
    if len(set(log.columns)) != len(log.columns):
        return []
    return [dict(zip(log.columns, fields, strict=True)) for _, fields in log.rows() if fields is not None]


def last_row(path: Path) -> dict[str, str]:
    """Return the last complete row of a log, by column, reading only both ends of the file; empty if there is none."""
    try:
        if not path.is_file():  # reading a pipe might never end
            return {}
        with path.open("rb") as file:
            beginning = file.read(LONGEST_LINE)
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE))
            end = file.read(LONGEST_LINE)
    except (OSError, ValueError):
        return {}
    header = next(_lines(beginning.removeprefix(BYTE_ORDER_MARK)), None)
    whole = end[: 1 + max(end.rfind(b"\n"), end.rfind(b"\r"))]
    lines = [line for line in whole.splitlines() if line.strip()]
    if header is None or not lines:
        return {}
    columns, fields = _fields(header[1]), _fields(lines[-1])
    return dict(zip(columns, fields, strict=True)) if len(columns) == len(fields) and columns != fields else {}


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number of each line that is not blank, counted from 1, and what it holds."""
    number, end = 1, 0
    for match in _LINE.finditer(content):
        between = content[end : match.start()]
        number += between.count(b"\n") + between.count(b"\r") - between.count(b"\r\n")
        end = match.end()
        line = match[0].strip(b" \t")
        if line:
            yield number, line


def _fields(line: bytes) -> list[str]:
    return [_unquoted(field.strip()) for field in line.decode("utf-8", "replace").split(",")]


def _unquoted(field: str) -> str:
    return field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field
