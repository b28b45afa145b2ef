"""The demo, run for real on a shipped agent: everything is there at the end, and what is finished is not done again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_rl.cli import main

COMMAND = ("demo", "--states", "300", "--num-threads", "1")
STEPS = ("record", "figures", "clips", "metrics", "report")


def run_demo(out: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "semantic_rl.cli", *COMMAND, "--out", str(out)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[Path, int]:
    """All files below a folder, and when they were last written."""
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_it_makes_everything_once_and_keeps_what_is_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")
    out = tmp_path / "demo"
    first = run_demo(out)
    assert first.returncode == 0, first.stderr
    for number, step in enumerate(STEPS, 1):
        assert f"{number}/5  {step}" in first.stdout
    for path in ("report.html", "metrics.json", "recording/recording.json", "clips/clips.json"):
        assert (out / path).is_file()
    for name in ("embeddings", "clusters", "transitions"):
        assert (out / "figures" / f"{name}.png").is_file()
    assert first.stdout.endswith(f"Open {out / 'report.html'} in a browser.\n")
    assert "steps of training" in (out / "report.html").read_text()

    (out / "metrics.json").unlink()
    (out / "figures" / "transitions.svg").unlink()
    before = files_of(out)
    main([*COMMAND, "--out", str(out)])
    after = files_of(out)
    written = {path.relative_to(out).as_posix() for path, time in after.items() if before.get(path) != time}
    assert written == {"metrics.json", "report.html", "figures/transitions.png", "figures/transitions.svg"}
    assert capsys.readouterr().out.count("kept from before") == 1

    with pytest.raises(SystemExit) as leaving:
        main([*COMMAND, "--out", str(out), "--seed", "1"])
    assert leaving.value.code == 2
    assert "was begun otherwise: seed was 0, is 1" in capsys.readouterr().err
    assert files_of(out) == after


def test_a_file_in_its_place_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(SystemExit) as leaving:
        main(["demo", "--out", str(tmp_path / "demo")])
    assert leaving.value.code == 2
    assert "is a file; expected a folder to write into." in capsys.readouterr().err


def test_an_unknown_agent_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["demo", "--out", str(tmp_path / "demo"), "--agent", "nobody"])
    assert leaving.value.code == 2
    assert "nobody: no such file or folder" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
