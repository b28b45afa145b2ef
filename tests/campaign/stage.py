"""The folder in which a command is run: what it needs, files of the user's, the place where it writes."""

from pathlib import Path

from .commands import WRITING
from .materials import copy_of
from .showing import SHOWING

COMMANDS = WRITING | SHOWING


def out_of(name: str, folder: Path) -> Path:
    """Return what a command writes in a folder."""
    return folder / (COMMANDS[name].inside or f"out{COMMANDS[name].suffix}")


def set_table(folder: Path, name: str, materials: Path) -> None:
    """Put what a command needs into an empty folder, with files of the user's where it will write."""
    for material in COMMANDS[name].needs:
        copy_of(materials / material, folder)
    for canary in canaries(folder, name):
        canary.write_text("the user's")


def canaries(folder: Path, name: str) -> list[Path]:
    """Return files of the user's beside what a command writes, with names that it might take for its own."""
    out = out_of(name, folder).name
    return [folder / f"{out}.tmp", folder / f".{out}.tmp", folder / "notes.txt", folder / f"{out}~"]


def lost(folder: Path, name: str) -> str | None:
    """Say which of the user's files is no longer what it was."""
    for canary in canaries(folder, name):
        if not canary.is_file() or canary.read_text() != "the user's":
            return f"{canary.name}, a file of the user's, was lost"
    return None


def begin(name: str, folder: Path) -> list[str]:
    """Return the arguments with which a command is begun."""
    return COMMANDS[name].arguments(folder, out_of(name, folder))


def go_on(name: str, folder: Path) -> list[str]:
    """Return the arguments with which it goes on after an interruption."""
    out, unfinished = out_of(name, folder), WRITING[name].unfinished
    resume = unfinished is not None and (any(out.glob(unfinished)) if unfinished else out.exists())
    return [*begin(name, folder), *(["--resume"] if resume else [])]
