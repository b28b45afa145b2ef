"""No command fails on a sign: whatever the locale, what cannot be shown has a stand-in, and nothing is lost."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_rl.terminal_signs import HANDLER, STAND_INS, show_every_sign

from .recording.synthetic import make_recording

SOURCE = Path(__file__).resolve().parent.parent / "src"
PROGRAMS = [
    "semantic_rl.cli",
    *[f"train_procgen.{path.stem}" for path in sorted((SOURCE / "train_procgen").glob("[a-z]*_*.py"))],
]
TRAIN = (
    "train --env coinrun --num-envs 2 --num-steps 16 --num-minibatches 2 --num-epochs 1 --timesteps 64 "
    "--semantic-interval 1 --num-threads 1 --device cpu"
)


def run_in(encoding: str, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program in a process whose locale and streams have another encoding than UTF-8."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    environment |= {"PYTHONIOENCODING": encoding} if encoding else {}
    return subprocess.run(
        [sys.executable, "-m", *words], env=environment, capture_output=True, text=True, encoding="latin-1",
        check=False, cwd=folder, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_training_ends_as_it_should_whatever_the_locale(tmp_path: Path, encoding: str) -> None:
    if sys.version_info < (3, 13):
        pytest.skip("needs Python 3.13 for the games")
    done = run_in(encoding, "semantic_rl.cli", *TRAIN.split(), folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith(
        "note: The clusters and the plane were never trained, since the control factor lambda"
    )
    assert done.stderr.count("\n") == 1
    assert "lambda" in done.stdout
    assert len(list((tmp_path / "runs").glob("*/checkpoints/*"))) > 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_shown_whatever_the_locale(program: str) -> None:
    words = ["train", "--help"] if program == "semantic_rl.cli" else ["--help"]
    done = run_in("ascii", program, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: " in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_mistake_is_one_line_whatever_the_locale(program: str) -> None:
    words = ["train", "--env", "λ×"] if program == "semantic_rl.cli" else ["--env_name", "λ×"]
    done = run_in("ascii", program, *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "error: " in done.stderr


def test_metrics_are_written_whatever_the_locale(tmp_path: Path) -> None:
    make_recording(tmp_path / "rec", num_episodes=3)
    done = run_in("ascii", "semantic_rl.cli", "metrics", str(tmp_path / "rec"), "--resamples", "100")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rec" / "derived" / "metrics.json").is_file()


def test_a_sign_without_a_stand_in_is_written_as_python_writes_it() -> None:
    assert "λ → ä\udcff".encode("ascii", HANDLER) == b"lambda -> \\xe4\\udcff"
    assert "é λ".encode("latin-1", HANDLER) == b"\xe9 lambda"


def test_streams_that_cannot_be_changed_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    show_every_sign()


def test_every_sign_that_the_package_prints_has_a_stand_in() -> None:
    """Signs in the texts of the modules that print tables, lines and messages."""
    printed = [
        "training/display.py",
        "evaluate.py",
        "analysis/score_table.py",
        "original/published_curves.py",
        "cli.py",
    ]
    printed += [str(path.relative_to(SOURCE / "semantic_rl")) for path in (SOURCE / "semantic_rl/config").glob("*.py")]
    for name in printed:
        tree = ast.parse((SOURCE / "semantic_rl" / name).read_text(encoding="utf-8"))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str]
        assert not {sign for text in texts for sign in text if not sign.isascii()} - STAND_INS.keys(), name
