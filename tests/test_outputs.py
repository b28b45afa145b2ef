"""No command writes over what is not its own, through a link of a stranger's recording, or into a recording."""

import os
from pathlib import Path

import pytest

from semantic_rl.cli import main

from .recording.synthetic import make_recording

FORMER_TEMPORARY_NAMES = (
    "derived/metrics.json.tmp", "figures/clusters.png.tmp", "figures/clusters.svg.tmp", "page.html.tmp",
    "report.html.tmp", "clips/cluster_0.webp.tmp",
)  # fmt: skip


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end with one line of error; return it."""
    with pytest.raises(SystemExit) as leaving:
        main([str(argument) for argument in arguments])
    assert leaving.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    assert len(errors) == 1, lines
    assert "Traceback" not in "".join(lines)
    return errors[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_recording(tmp_path / "r", num_episodes=3)
    return tmp_path


def commands(folder: Path) -> list[list[object]]:
    """A command of each kind that writes of a recording."""
    return [
        ["metrics", folder / "r", "--resamples", "100"],
        ["figures", "clusters", folder / "r", "--out", folder / "figures"],
        ["clips", folder / "r", "--all-episodes", "--video-size", "0", "--frames", "20", "--out", folder / "clips"],
        ["report", folder / "r", "--no-baselines", "--out", folder / "report.html"],
        ["explore", folder / "r", "--export", folder / "page.html", "--frames", "0"],
    ]


def test_derived_as_a_link_is_refused_by_every_command_in_the_same_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine").mkdir()
    (folder / "r" / "derived").symlink_to(folder / "mine")
    said = {fails(capsys, *command) for command in commands(folder)}
    assert len(said) == 1
    assert "derived is a link" in said.pop()
    assert not list((folder / "mine").iterdir())


@pytest.mark.slow
def test_links_under_former_temporary_names_lead_nowhere_and_what_is_ours_is_replaced(folder: Path) -> None:
    mine = folder / "mine"
    mine.write_text("mine")
    for name in FORMER_TEMPORARY_NAMES:
        path = folder / name if not name.startswith("derived") else folder / "r" / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(mine)
    for _ in range(2):
        for command in commands(folder):
            main([str(word) for word in command])
    assert mine.read_text() == "mine"


def test_nobodys_file_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["figures/clusters.svg", "clips/cluster_0.webp", "report.html", "page.html"]
    for name in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("semantic-rl report, semantic-rl clip, <svg>")
    for command, name in zip(commands(folder)[1:], files, strict=True):
        assert f"{name} exists and is not a" in fails(capsys, *command)
        assert (folder / name).read_text() == "semantic-rl report, semantic-rl clip, <svg>"


def test_nothing_is_written_into_a_recording_or_where_nothing_can_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in (folder / "r").rglob("*") if path.is_file()}
    os.mkfifo(folder / "pipe.html")
    (folder / "file").touch()
    for command in commands(folder):
        flag = "--export" if "--export" in command else "--out"
        given = [*command, flag, None] if flag not in command else [*command]
        suffix = ".html" if flag == "--export" or command[0] == "report" else ""
        for place, reason in (
            (folder / "r" / f"x{suffix}", "lies inside a recording"),
            (folder / ("a" * 300 + suffix), "too long|longer than"),
            (folder / "file" / f"x{suffix}", "no folder|Not a directory"),
            (folder / "pipe.html", "no regular file|is a file|no folder"),
        ):
            given[given.index(flag) + 1] = place
            assert any(part in fails(capsys, *given) for part in reason.split("|")), (command, place)
    assert {path: path.read_bytes() for path in (folder / "r").rglob("*") if path.is_file()} == before
