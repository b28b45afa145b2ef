"""Rewrites messages so that they name only flags of the command that is running, in its spelling.

The library's messages name settings and the flags of `semantic-rl`. The original's commands have other names for some
of these flags and lack others, and `demo` has no --resume because it always resumes.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple


class CalledFlags(NamedTuple):
    """The flags of the running command."""

    flags: Mapping[str, str]
    """Flag by name of the setting."""
    elsewhere: str = ""
    """Command that all other flags are attributed to; if empty, advice that needs such flags is left out."""


FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")
OTHER_COMMAND = re.compile(r"(?:semantic-rl|ray) [a-z-]+[^;,)']*|'[^']* --[^']*'")
"""Matches another command that a message quotes with its own flags."""
CLAUSE_END = re.compile(r"(; |, or | or |\. )")

_called: list[CalledFlags] = []


def set_called(flags: CalledFlags | None) -> None:
    """Set the flags of the command that runs in this process; None when it has ended."""
    _called[:] = [flags] if flags else []


def as_called(message: str) -> str:
    """Return a message with the flags of the running command; unchanged if no command is running."""
    return spell(message, _called[0]) if _called else message


def spell(message: str, called: CalledFlags) -> str:
    """Return a message with the flags of a command."""
    name, colon, rest = message.partition(": ")
    if colon and name in called.flags:
        flag = called.flags[name]
        message = f"{flag if flag != _usual(name) else name}: {rest}"
    if "resume" not in called.flags:
        message = re.sub(r"(the same command) (?:and|with) --resume", r"\1", message)
    parts = CLAUSE_END.split(message)
    clauses, ends = parts[::2], [*parts[1::2], ""]
    kept: list[tuple[str, str]] = []
    for clause, end in zip(clauses, ends, strict=True):
        said = _spell_clause(clause, called)
        if said is not None:
            kept.append((said, end))
        elif end in ("", ". ") and kept:
            kept[-1] = (kept[-1][0], end or ("" if message.endswith(".") is False else "."))
    return "".join(clause + end for clause, end in kept)


def _spell_clause(clause: str, called: CalledFlags) -> str | None:
    """Return a clause with the command's flags, or None if it advises a flag that the command does not have."""
    quoted = [match.span() for match in OTHER_COMMAND.finditer(clause)]
    said, place = "", 0
    for match in FLAG.finditer(clause):
        if any(begin <= match.start() < end for begin, end in quoted):
            continue
        setting = match.group().lstrip("-").replace("-", "_").removeprefix("no_")
        flag = match.group() if match.group() in called.flags.values() else called.flags.get(setting)
        if flag is None and not called.elsewhere:
            return None
        flag = f"{called.elsewhere} {match.group()}" if flag is None else flag
        said += clause[place : match.start()] + flag
        place = match.end()
    return said + clause[place:]


def _usual(setting: str) -> str:
    return "--" + setting.replace("_", "-")
