"""The original's single_graph: its flags, where it looks for runs, and where it writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from train_procgen.single_graph import main, make_parser, parse_bool

from .progress_files import write_run

SOURCE = Path(__file__).resolve().parent.parent / "src"


@pytest.fixture(autouse=True)
def _without_a_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib

    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)


def write_runs(root: Path, env: str = "coinrun", mode: str = "easy", levels: int = 0) -> None:
    """A seed of each algorithm, with held-out levels where training is on some."""
    for algorithm in ("sppo", "ppo"):
        held_out = [2.0] * 30 if levels else None
        write_run(root, f"{algorithm}-{env}_{mode}_{levels}_0_2020", [4.0] * 30, held_out)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_flags_and_defaults_are_the_originals() -> None:
    assert vars(make_parser().parse_args([])) == {
        "env_name": "coinrun",
        "distribution_mode": "easy",
        "normalize_and_reduce": False,
        "restrict_training_set": False,
        "save": True,
        "run_root": None,
        "skip_updates": 10,
    }
    words = ["--env_name", "ninja", "--distribution_mode", "hard", "--normalize_and_reduce", "--save"]
    given = vars(make_parser().parse_args([*words, "--restrict_training_set", "True"]))
    assert (given["env_name"], given["distribution_mode"]) == ("ninja", "hard")
    assert given["normalize_and_reduce"] is True
    assert given["restrict_training_set"] is True
    assert given["save"] is False, "the original's --save turns saving off"


def test_truth_values_are_read_as_the_original_reads_them() -> None:
    assert all(parse_bool(text) for text in ("yes", "True", "t", "Y", "1"))
    assert not any(parse_bool(text) for text in ("no", "False", "f", "N", "0"))


def test_the_published_runs_are_drawn_where_the_original_keeps_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path / "train_procgen" / "checkpoints")
    main(["--env_name", "coinrun"])
    assert files(tmp_path / "train_procgen" / "figures") == ["coinrun_easy_0.png", "coinrun_easy_0.svg"]
    assert "train_procgen/figures/coinrun_easy_0.png" in capsys.readouterr().out.splitlines()


def test_without_them_ones_own_runs_are_taken(tmp_path: Path) -> None:
    write_runs(tmp_path / "train_procgen" / "checkpoints", "ninja")
    write_runs(tmp_path / "runs")
    main(["--env_name", "coinrun", "--normalize_and_reduce"])
    assert files(tmp_path / "train_procgen" / "figures") == ["coinrun_easy_0-mean.png", "coinrun_easy_0-mean.svg"]


@pytest.mark.parametrize(("mode", "levels"), [("easy", 200), ("hard", 500)])
def test_a_restricted_training_set_has_the_originals_number_of_levels(tmp_path: Path, mode: str, levels: int) -> None:
    write_runs(tmp_path / "runs", mode=mode, levels=levels)
    write_runs(tmp_path / "runs", mode=mode)
    main(["--distribution_mode", mode, "--restrict_training_set", "True"])
    assert f"coinrun_{mode}_{levels}.png" in files(tmp_path / "train_procgen" / "figures")


@pytest.mark.parametrize("runs", ["train_procgen/checkpoints", "runs", "../runs"])
def test_inside_the_folder_paths_are_the_originals_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: str
) -> None:
    inside = tmp_path / "src" / "train_procgen"
    inside.mkdir(parents=True)
    write_runs(tmp_path / "src" / runs)
    monkeypatch.chdir(inside)
    main(["--env_name", "coinrun"])
    assert files(inside / "figures") == ["coinrun_easy_0.png", "coinrun_easy_0.svg"]


def test_the_program_runs_from_inside_its_folder(tmp_path: Path) -> None:
    """As its README has it: cd train_procgen; python single_graph.py --env_name coinrun."""
    inside = tmp_path / "train_procgen"
    write_runs(inside / "checkpoints")
    program = [sys.executable, str(SOURCE / "train_procgen" / "single_graph.py"), "--env_name", "coinrun"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), *sys.path])}
    done = subprocess.run(program, cwd=inside, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "figures/coinrun_easy_0.png"
    assert files(inside / "figures") == ["coinrun_easy_0.png", "coinrun_easy_0.svg"]


@pytest.mark.parametrize(("arguments", "saved"), [([], True), (["--save"], False)])
def test_where_there_is_a_display_the_figure_is_shown_and_save_turns_saving_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], saved: bool
) -> None:
    from matplotlib import pyplot

    write_runs(tmp_path / "runs")
    shown: list[int] = []
    monkeypatch.setattr("train_procgen.single_graph.has_window", lambda: True)
    monkeypatch.setattr(pyplot, "show", lambda: shown.extend(pyplot.get_fignums()))
    main(arguments)
    pyplot.close("all")
    assert len(shown) == 1
    assert (tmp_path / "train_procgen" / "figures").exists() is saved


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--env_name", "coinrnu"], "Did you mean 'coinrun'?"),
        (["--distribution_mode", "memory"], "distribution_mode: got 'memory', expected easy or hard."),
        (["--env_name", "jumper"], "no run of jumper found in train_procgen/checkpoints, runs under"),
        (["--env_name", "jumper"], "there are: ninja (easy, all levels): 2 runs."),
        (["--env_name", "ninja", "--restrict_training_set", "True"], "no run of ninja (easy) on 200 levels"),
        (["--run_root", "nowhere"], "there is no folder nowhere"),
        (["--env_name", "ninja", "--skip_updates", "-1"], "skip_updates: got -1"),
        (["--env_name", "ninja", "--skip_updates", "99"], "has 30 updates, of which the first 99 are not drawn"),
        (["--env_name", "ninja", "--save"], "no display to show the figure on; leave out --save"),
    ],
)
def test_mistakes_end_with_a_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    write_runs(tmp_path / "runs", "ninja")
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    assert exit_code.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert reason in said[-1]
    assert said[-1].startswith("train_procgen.single_graph: error: ")
    assert not (tmp_path / "train_procgen").exists()
