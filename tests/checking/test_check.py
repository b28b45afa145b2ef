"""semantic-rl check says what is wrong in a recording, a run or an agent, and what can still be used."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_runs import small_config

from semantic_rl.agents import find_agent
from semantic_rl.artifacts import POLICY_FILE, STATE_FILE, checkpoint_folders
from semantic_rl.checking import check
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.training.train import train

from ..recording.synthetic import make_recording


def run(*arguments: object) -> int:
    try:
        main(["check", *map(str, arguments)])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return make_recording(tmp_path / "r", num_episodes=2, picture_size=32).path


def wrong_in(path: Path) -> dict[str, str]:
    return {part.name: part.wrong for part in check(path).parts if part.wrong}


def test_a_whole_recording_is_right(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(recording) == 0
    said = capsys.readouterr()
    assert "recording, all right" in said.out
    assert "pictures" in said.out
    assert said.err == ""


def test_damaged_pictures_are_counted_and_the_rest_is_right(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording / "frames" / "pictures-00000.arrow"
    content = bytearray(path.read_bytes())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 2] = b"\x40\x00"
    path.write_bytes(content)
    assert run(recording, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["right"]
    (part,) = (part for part in found["parts"] if not part["right"])
    assert part["name"] == "pictures"
    assert part["wrong"].startswith("1 of ")
    assert "explorer shows the" in part["usable"]


def test_everything_that_is_wrong_is_named(recording: Path) -> None:
    (recording / "derived").mkdir()
    (recording / "derived" / "tsne-0.parquet").write_bytes(b"x")
    (recording / "annotations.json").write_text("{")
    assert set(wrong_in(recording)) == {"annotations", "derived/tsne-0.parquet"}


def test_tables_that_do_not_belong_together_end_the_check(recording: Path) -> None:
    table = pq.read_table(recording / "states.parquet")
    pq.write_table(table.slice(1), recording / "states.parquet")
    ((name, wrong),) = wrong_in(recording).items()
    assert name == "recording.json, states.parquet, episodes.parquet"
    assert "do not belong together" in wrong


def test_an_agent_is_compared_with_its_hashes(tmp_path: Path) -> None:
    shutil.copytree(find_agent("sppo-coinrun").path, tmp_path / "agent")
    assert check(tmp_path / "agent").is_right
    weights = tmp_path / "agent" / "policy.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert "SHA-256 differs" in wrong_in(tmp_path / "agent")["weights"]


@pytest.mark.slow
def test_of_a_run_it_is_tried_whether_training_can_go_on(tmp_path: Path) -> None:
    run_folder = train(small_config(tmp_path, num_updates=1))
    assert check(run_folder).is_right
    (checkpoint,) = checkpoint_folders(run_folder)
    state = checkpoint / STATE_FILE
    content = json.loads(state.read_text(encoding="utf-8"))
    for change, reason in (
        ({"files": {POLICY_FILE: content["files"][POLICY_FILE]}}, "training cannot continue from it"),
        ({"update": 7}, "'update' is 7, expected that of the folder's name"),
        ({"num_workers": 2}, "training cannot continue from it"),
    ):
        state.write_text(json.dumps(content | change), encoding="utf-8")
        assert reason in wrong_in(run_folder)[f"training from {checkpoint.name}"]


def test_a_shipped_agent_is_found_by_its_name() -> None:
    assert check(Path("sppo-coinrun")).kind == "agent"


@pytest.mark.parametrize("name", ["", "missing", "file"])
def test_what_is_none_of_these_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(tmp_path / name) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(UserError, match="a recording, a run, a checkpoint or an agent"):
        check(tmp_path / name)
