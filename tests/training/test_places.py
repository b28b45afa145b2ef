"""Places that cannot be read or written: each command says so in one line, and nothing is lost or left half-made."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import joblib
import pytest
from original.test_import_checkpoint import original_variables
from privileges import without_privileges
from small_runs import environment_variables

from semantic_rl.cli import main
from semantic_rl.config import EnvConfig, TrainConfig, to_dict
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint

ORIGINAL = ("--env", "ninja")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folders and files of every kind that something cannot be done with, an agent and a file of the original."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    for name, mode in (("forbidden", 0), ("readonly", 0o555)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inner").mkdir()
        (tmp_path / name).chmod(mode)
    state = {"update": 3, "timesteps": 0, "config": to_dict(TrainConfig(environment=EnvConfig("fruitbot")))}
    save_checkpoint(tmp_path / "run", Checkpoint(SemanticPolicy().state_dict(), None, None, state), keep=1)
    joblib.dump(original_variables(8), tmp_path / "original")
    for folder in (tmp_path, *tmp_path.parents):  # nobody must come as far as here
        if folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o755)
    return tmp_path


LONG = "n" * 300
INPUTS = {
    "file": "file: holds no checkpoint",
    "folder": "folder: holds no checkpoint",
    "pipe": "pipe: holds no checkpoint",
    "round": "symbolic links",
    "broken": "no such file or folder",
    "forbidden": "Permission denied",
    "forbidden/run": "Permission denied",
    "file/run": "no such file or folder",
    LONG: "File name too long",
    "a\nb": r"a\nb: no such file or folder",
}
OUTPUTS = {
    "file": "exists already",
    "folder": "exists already",
    "pipe": "exists already",
    "round": "exists already",
    "broken": "exists already",
    "forbidden/out": "ermission denied",
    "readonly/out": "ermission denied",
    "file/out": "is no folder",
    LONG: "File name too long",
    "run/checkpoints/update-000003/out": "lies inside an agent or a checkpoint",
}
ROOTS = {
    "file": "Not a directory",
    "pipe": "Not a directory",
    "round": "symbolic links",
    "forbidden": "Permission denied",
    "forbidden/root": "Permission denied",
    "readonly": "Permission denied",
    "file/root": "Not a directory",
    LONG: "File name too long",
}


def said(capsys: pytest.CaptureFixture[str], arguments: list[str], place: Path) -> str:
    """What a command says that ends with exit code 2 and one line, where the last of its arguments is `place`."""
    arguments = [*arguments, str(place)]
    if any(folder.name in ("forbidden", "readonly") for folder in (place, *place.parents)):
        with pytest.raises(SystemExit):  # loads what it imports, which nobody may not read either
            main([*arguments[:-1], str(place.parent / LONG)])
        capsys.readouterr()
        context = without_privileges()
    else:
        context = nullcontext()
    with context, pytest.raises(SystemExit) as leaving:
        main(arguments)
    errors = capsys.readouterr().err
    assert leaving.value.code == 2, errors
    assert errors.count("\n") == 1
    assert errors.startswith(f"semantic-rl {arguments[0]}: error: ")
    return errors


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("command", ["evaluate", "pack"])
def test_an_agent_that_cannot_be_read(
    places: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    out = ["--out", str(places / "out")] if command == "pack" else []
    assert INPUTS[name] in said(capsys, [command, *out], places / name)
    assert not (places / "out").exists()


@pytest.mark.parametrize("name", ["folder", "pipe", "round", "broken", "forbidden/a", "file/a", LONG])
def test_an_original_that_cannot_be_read(places: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    said(capsys, ["import-original", *ORIGINAL, "--out", str(places / "out")], places / name)
    assert not (places / "out").exists()


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("command", ["pack", "import-original"])
def test_a_folder_that_cannot_be_made(
    places: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    given = [str(places / "run")] if command == "pack" else [str(places / "original"), *ORIGINAL]
    before = sorted(os.listdir(places))
    assert OUTPUTS[name] in said(capsys, [command, *given, "--out"], places / name)
    assert sorted(os.listdir(places)) == before
    assert (places / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ROOTS)
def test_a_run_root_in_which_no_run_can_be_made(places: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    errors = said(capsys, ["train", "--device", "cpu", "--run-root"], places / name)
    assert ROOTS[name] in errors
    assert "--run-root" in errors


@pytest.mark.parametrize("name", [*ROOTS, "run/checkpoints/update-000003"])
def test_a_folder_in_which_nothing_can_be_reproduced(
    places: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments = ["--games", "coinrun", "--algorithms", "ppo", "--device", "cpu"]
    assert "out: " in said(capsys, ["reproduce", *arguments, "--out"], places / name)


@pytest.mark.parametrize("name", ["logs", "results"])
def test_folders_of_a_reproduction_that_are_links_are_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    from semantic_rl.config import ReproduceConfig
    from semantic_rl.errors import UserError
    from semantic_rl.reproduce.job import make_jobs
    from semantic_rl.reproduce.results import make_results

    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / name).symlink_to(elsewhere)
    if name == "logs":
        assert "logs is a link" in said(capsys, ["reproduce", "--device", "cpu", "--out"], out)
    else:
        jobs = make_jobs(ReproduceConfig(games=("coinrun",), algorithms=("ppo",), seeds=(1,), out=out).runs())
        jobs[0].folder.mkdir()
        rows = [f"{16_384 * update},{update},5" for update in range(1, 31)]
        log = "\n".join(["misc/total_timesteps,misc/nupdates,eprewmean", *rows, ""])
        (jobs[0].folder / "progress.csv").write_text(log)
        with pytest.raises(UserError, match="results is a link"):
            make_results(jobs, lambda text: None)
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("command", ["pack", "import-original"])
def test_a_full_disk_leaves_nothing_behind(places: Path, command: str) -> None:
    given = [str(places / "run"), "--episodes", "1"] if command == "pack" else [str(places / "original"), *ORIGINAL]
    code = (
        "import resource, sys; from semantic_rl.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"  # as on a full disk, more fails
        "main(sys.argv[1:])"
    )
    before = sorted(os.listdir(places))
    arguments = [sys.executable, "-c", code, command, *given, "--out", str(places / "out")]
    done = subprocess.run(arguments, env=environment_variables(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"cannot write to {places / 'out'}: " in done.stderr
    assert "File too large" in done.stderr
    assert sorted(os.listdir(places)) == before


@pytest.mark.parametrize("command", ["pack", "import-original"])
def test_what_the_user_has_beside_the_folder_is_left_alone(
    places: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (places / "out.tmp").mkdir()
    (places / "out.tmp" / "mine").touch()
    given = [str(places / "run"), "--episodes", "1"] if command == "pack" else [str(places / "original"), *ORIGINAL]
    main([command, *given, "--out", str(places / "out")])
    assert os.listdir(places / "out.tmp") == ["mine"]
    assert not [name for name in os.listdir(places) if name.startswith(".semantic-rl")]
    for path in (places / "out").rglob("*.json"):
        assert str(places) not in path.read_text()
        json.loads(path.read_text())


@pytest.mark.parametrize("plant", [lambda path, mine: path.symlink_to(mine), lambda path, mine: os.mkfifo(path)])
def test_a_log_that_is_a_link_or_a_pipe_is_not_packed(
    places: Path, capsys: pytest.CaptureFixture[str], plant: Callable[[Path, Path], object]
) -> None:
    plant(places / "run" / "progress.csv", places / "file")
    with pytest.raises(SystemExit):
        main(["pack", str(places / "run"), "--out", str(places / "out"), "--episodes", "1"])
    errors = capsys.readouterr().err
    assert "progress.csv is a link or no regular file" in errors
    assert errors.count("\n") == 1
    assert not (places / "out").exists()
