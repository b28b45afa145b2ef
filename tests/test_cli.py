"""The command line: a mistake is one line on stderr and exit code 2, help is quick, nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_rl import __version__
from semantic_rl.cli import COMMANDS, main, run_or_exit
from semantic_rl.envs.procgen.games import GAMES

SOURCE = Path(__file__).resolve().parent.parent / "src"


def said_before_exit(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """Run the command line, which must exit with `code`, and return what it wrote on stderr."""
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    assert exit_code.value.code == code
    said = capsys.readouterr()
    assert not said.out
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--env", "coinrum"], ["env: unknown game 'coinrum'.", "Did you mean 'coinrun'?", *GAMES]),
        (["--env", "pong"], ["env: unknown game 'pong'. Valid games: ", *GAMES]),
        (["--distribution-mode", "hrad"], ["no mode 'hrad'.", "Did you mean 'hard'?", "easy, hard, exploration"]),
        (["--env", "bigfish", "--distribution-mode", "memory"], ["bigfish has no mode 'memory'", "modes: easy, hard."]),
        (["--timesteps", "16383"], ["timesteps: got 16383", "at least one update", "16384"]),
        (["--num-minibatches", "7"], ["num_minibatches: got 7", "a divisor of", "16384"]),
        (["--num-envs", "10", "--env-groups", "4"], ["env_groups: got 4", "a divisor of num_envs = 10"]),
        (["--num-levels", "-5"], ["num_levels: got -5", "at least 0"]),
        (["--start-level", "2147483647", "--num-levels", "1"], ["start_level: got 2147483647", "below 2^31"]),
        (["--num-envs", "0"], ["num_envs: got 0"]),
        (["--seed", "-1"], ["seed: got -1"]),
        (["--learning-rate", "-1"], ["learning_rate: got -1.0", "above 0"]),
        (["--learning-rate", "nan"], ["learning_rate: got nan"]),
        (["--gamma", "1.5"], ["gamma: got 1.5", "from 0.0 to 1.0"]),
        (["--num-codes", "0"], ["num_codes: got 0", "from 1 to 256"]),
        (["--feature-dof", "0"], ["feature_dof: got 0.0"]),
        (["--checkpoint-interval", "0"], ["checkpoint_interval: got 0"]),
    ],
)
def test_a_setting_that_cannot_be_is_one_clear_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    said = said_before_exit(["train", *arguments], capsys)
    assert said.startswith("semantic-rl train: error: ")
    assert said.count("\n") == 1
    for words in expected:
        assert words in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--no-such-flag", "1"], "--no-such-flag"),
        (["--num-envs", "many"], "--num-envs"),
        (["--algorithm", "dqn"], "sppo"),
        (["--precision", "fp64"], "bf16"),
        (["--env"], "--env"),
    ],
)
def test_what_is_no_option_is_explained_without_a_traceback(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    said = said_before_exit(["train", *arguments], capsys)
    assert expected in said
    assert "semantic-rl train --help" in said


def test_an_unknown_command_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_before_exit(["trian"], capsys)
    assert "unknown command 'trian'. Did you mean 'train'?" in said
    assert said.count("\n") == 1
    assert all(name in said for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    main(arguments)
    said = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"  {name}" in said
        assert command.help in said


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"semantic-rl {__version__}\n"


def test_an_interruption_exits_with_130() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as exit_code:
        run_or_exit("program", interrupt)
    assert exit_code.value.code == 130


def test_a_place_that_the_system_refuses_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a command did not look at it beforehand."""
    with pytest.raises(SystemExit) as leaving:
        run_or_exit("program", lambda: (tmp_path / ("a" * 300)).touch())
    assert leaving.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"program: error: {tmp_path}")
    assert "File name too long; make it accessible, or choose another place." in said
    assert said.count("\n") == 1


def test_other_errors_are_not_hidden() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_or_exit("program", fail)


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "100"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", ["train --help", "--help", "agents"])
def test_a_reader_that_leaves_is_no_error(arguments: str) -> None:
    program = [sys.executable, "-m", "semantic_rl.cli", *arguments.split()]
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(program, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_broken_pipe_elsewhere_is_not_hidden() -> None:
    def fail() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_or_exit("program", fail)


@pytest.mark.parametrize("command", ["train", "evaluate", "import-original"])
def test_a_commands_help_shows_defaults_and_loads_no_torch(command: str) -> None:
    code = "import sys\ntry:\n    from semantic_rl.cli import main\n    main(sys.argv[1:])\n"
    code += "finally:\n    print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = run_python("-c", code, command, "--help")
    assert done.returncode == 0
    assert f"usage: semantic-rl {command}" in done.stdout
    assert "(default: " in done.stdout
    assert done.stdout.endswith("False False\n")


def test_the_module_runs_as_a_program() -> None:
    done = run_python("-m", "semantic_rl.cli", "train", "--env", "nonsense")
    assert done.returncode == 2
    assert not done.stdout
    assert done.stderr.startswith("semantic-rl train: error: env: unknown game 'nonsense'.")
    assert done.stderr.count("\n") == 1
