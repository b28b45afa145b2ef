"""Attack: every command that writes, into places where it cannot or must not: full, forbidden, read-only, links, pipes.

It ends with one sentence, or does its work; no file of the user's is lost, wherever a link leads.
"""

import contextlib
import ctypes
import os
import random
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from .children import Verdict
from .commands import WRITING
from .said import run_forked, wrong_with
from .stage import set_table

SECONDS = 120
NOBODY = 65534
OWN = "the user's"


class Place(NamedTuple):
    """Where a command is told to write."""

    out: Path
    before: Callable[[], None] = lambda: None
    """Called in the child before the command."""


Make = Callable[[Path, str, random.Random], "contextlib.AbstractContextManager[Place]"]
"""Called with the folder of the materials, how the output's name ends, and chance."""


def _plain(make: Callable[[Path, str], Path]) -> Make:
    @contextlib.contextmanager
    def made(folder: Path, suffix: str, chance: random.Random) -> Generator[Place]:
        yield Place(make(folder, suffix))

    return made


def _victim(folder: Path) -> Path:
    victim = folder / "victim"
    victim.mkdir(exist_ok=True)
    for name in ("file", "metrics.json", "report.html", "clips.json", "states.parquet", "config.json"):
        (victim / name).write_text(OWN)
    return victim


def _link_to_file(folder: Path, suffix: str) -> Path:
    out = folder / f"link{suffix}"
    out.symlink_to(_victim(folder) / "file")
    return out


def _link_to_folder(folder: Path, suffix: str) -> Path:
    out = folder / f"link{suffix}"
    out.symlink_to(_victim(folder))
    return out


def _broken_link(folder: Path, suffix: str) -> Path:
    out = folder / f"link{suffix}"
    out.symlink_to(folder / "nowhere" / "at all")
    return out


def _round_link(folder: Path, suffix: str) -> Path:
    out = folder / f"round{suffix}"
    out.symlink_to(out)
    return out


def _pipe(folder: Path, suffix: str) -> Path:
    out = folder / f"pipe{suffix}"
    os.mkfifo(out)
    return out


def _users_file(folder: Path, suffix: str) -> Path:
    out = _victim(folder) / f"mine{suffix}"
    out.write_text(OWN)
    return out


def _below_a_file(folder: Path, suffix: str) -> Path:
    return _victim(folder) / "file" / f"out{suffix}"


def _users_folder(folder: Path, suffix: str) -> Path:
    return _victim(folder)


def _inside_recording(folder: Path, suffix: str) -> Path:
    recording = folder / "recording"
    recording.mkdir(exist_ok=True)
    if not (recording / "recording.json").exists():
        (recording / "recording.json").write_text("{}")
    return recording / f"out{suffix}"


def _derived_is_a_link(folder: Path, suffix: str) -> Path:
    for name in ("recording", "run"):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name / "derived", ignore_errors=True)
            (folder / name / "derived").symlink_to(_victim(folder))
    return folder / f"out{suffix}"


def _links_for_temporary_names(folder: Path, suffix: str) -> Path:
    victim = _victim(folder)
    for inner in [path for path in folder.rglob("*") if path.is_file() and "victim" not in path.parts]:
        with contextlib.suppress(FileExistsError):
            inner.with_name(inner.name + ".tmp").symlink_to(victim / "file")
    out = folder / f"out{suffix}"
    (folder / f"{out.name}.tmp").unlink(missing_ok=True)
    (folder / f"{out.name}.tmp").symlink_to(victim / "file")
    return out


def _chown(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _be_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _as_nobody(mode: int, of: str) -> Make:
    """As another user, with a folder of such a mode: that of the output, or an input."""

    @contextlib.contextmanager
    def made(folder: Path, suffix: str, chance: random.Random) -> Generator[Place]:
        (folder / "place").mkdir()
        _chown(folder)
        closed = (
            folder / "place"
            if of == "out"
            else next((p for p in (folder / "recording", folder / "run") if p.is_dir()), folder)
        )
        closed.chmod(mode)
        try:
            yield Place(folder / "place" / f"out{suffix}", _be_nobody)
        finally:
            closed.chmod(0o755)

    return made


def _mounted(options: Callable[[random.Random], str], is_read_only: bool = False) -> Make:
    """On a file system of its own."""

    @contextlib.contextmanager
    def made(folder: Path, suffix: str, chance: random.Random) -> Generator[Place]:
        disk = folder / "disk"
        disk.mkdir()
        mount(disk, options(chance), is_read_only)
        try:
            yield Place(disk / f"out{suffix}")
        finally:
            ctypes.CDLL(None).umount2(os.fsencode(disk), 2)

    return made


def mount(folder: Path, options: str, is_read_only: bool = False) -> None:
    """Mount a tmpfs; raises PermissionError where that is not allowed."""
    if ctypes.CDLL(None, use_errno=True).mount(
        b"tmpfs", os.fsencode(folder), b"tmpfs", int(is_read_only), options.encode()
    ):
        raise PermissionError(ctypes.get_errno(), "cannot mount")


PLACES: dict[str, Make] = {
    "link to a file": _plain(_link_to_file),
    "link to a folder": _plain(_link_to_folder),
    "broken link": _plain(_broken_link),
    "link round": _plain(_round_link),
    "pipe": _plain(_pipe),
    "a file of the user's": _plain(_users_file),
    "a folder of the user's": _plain(_users_folder),
    "below a file": _plain(_below_a_file),
    "inside a recording": _plain(_inside_recording),
    "derived is a link": _plain(_derived_is_a_link),
    "links for temporary names": _plain(_links_for_temporary_names),
    "long name": _plain(lambda folder, suffix: folder / ("a" * 300 + suffix)),
    "long path": _plain(lambda folder, suffix: folder / "/".join(["a" * 200] * 30) / f"out{suffix}"),
    "name of bytes": _plain(lambda folder, suffix: folder / f"\udcff\n\t{suffix}"),
    "full device": _plain(lambda folder, suffix: Path("/dev/full")),
}
AS_ROOT: dict[str, Make] = {
    "full disk": _mounted(lambda chance: f"size={chance.choice((4, 16, 40, 100, 400, 1000, 3000))}k"),
    "no more files": _mounted(lambda chance: f"nr_inodes={chance.randint(1, 12)}"),
    "read-only disk": _mounted(lambda chance: "size=1m", is_read_only=True),
    "forbidden folder": _as_nobody(0, "out"),
    "read-only folder": _as_nobody(0o555, "out"),
    "forbidden input": _as_nobody(0, "input"),
    "read-only input": _as_nobody(0o555, "input"),
}
"""Those that only root can make."""


def can_mount(folder: Path) -> bool:
    """Say whether this process may mount file systems and become another user."""
    if os.geteuid():
        return False
    try:
        mount(folder, "size=4k")
    except PermissionError:
        return False
    ctypes.CDLL(None).umount2(os.fsencode(folder), 2)
    return True


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Run a command in so many hostile places, one kind after the other."""
    chance = random.Random(seed)
    folder.chmod(0o755)
    places = {**PLACES, **(AS_ROOT if can_mount(folder) else {})}
    kinds = list(places)
    verdicts: list[Verdict] = []
    for index in range(count):
        kind = kinds[(seed * count + index) % len(kinds)]
        here = folder / str(index)
        here.mkdir()
        set_table(here, name, materials)
        with (
            places[kind](here, WRITING[name].suffix, chance) as place,
            _put_inside(here, WRITING[name].inside, place.out, kind),
        ):
            said = run_forked(WRITING[name].arguments(here, place.out), here, SECONDS, place.before)
            wrong = wrong_with(said, SECONDS) or _lost(here)
        verdicts.append(Verdict(index, wrong and f"{kind}: {wrong}"))
        shutil.rmtree(here)
    return verdicts


@contextlib.contextmanager
def _put_inside(folder: Path, inside: str, out: Path, kind: str) -> Generator[None]:
    """Make the hostile place the folder in which a command writes that is not told where."""
    target = (folder / inside).parent
    is_bound = bool(inside) and kind in AS_ROOT and "input" not in kind
    if is_bound:
        target.mkdir(exist_ok=True)
        _mount_at(out.parent, target)
    elif inside and os.path.lexists(out) and "victim" not in out.parts and out.is_relative_to(folder):
        os.rename(out, target)
    try:
        yield
    finally:
        if is_bound:
            ctypes.CDLL(None).umount2(os.fsencode(target), 2)


def _mount_at(folder: Path, target: Path) -> None:
    """Show a folder in a second place."""
    bind = 4096
    if ctypes.CDLL(None, use_errno=True).mount(os.fsencode(folder), os.fsencode(target), None, bind, None):
        raise PermissionError(ctypes.get_errno(), "cannot mount")


def _lost(folder: Path) -> str | None:
    victim = folder / "victim"
    for path in victim.iterdir() if victim.is_dir() else ():
        names = ("file", "metrics.json", "report.html", "clips.json", "states.parquet", "config.json", "mine")
        if path.is_file() and path.name.startswith(names) and path.read_text(errors="replace") != OWN:
            return f"{path.name}, a file of the user's, was lost"
    return None
