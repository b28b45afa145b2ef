"""What an interrupted recording goes on from: a file that is damaged is refused in one line."""

import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.errors import UserError
from semantic_rl.recording.record.trajectories import Trajectories
from semantic_rl.recording.store.resume import Snapshot, load_snapshot, save_snapshot
from semantic_rl.recording.store.schema import state_dtype
from semantic_rl.recording.store.writer import Block

DTYPE = state_dtype(3, 2, 6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    blocks = [Block(np.zeros(count, DTYPE), [b"tile"] * count, []) for count in (2, 3)]
    save_snapshot(tmp_path, Snapshot({"running": blocks}, {"envs": [b"a", b"bc"]}, {"num_steps": 4}))
    return tmp_path


def test_a_snapshot_comes_back(folder: Path) -> None:
    found = load_snapshot(folder, DTYPE)
    assert found is not None
    assert [len(block.rows) for block in found.blocks["running"]] == [2, 3]
    assert found.blobs == {"envs": [b"a", b"bc"]}
    assert found.values == {"num_steps": 4}


def test_parts_that_do_not_add_up_are_refused(folder: Path) -> None:
    path = folder / "parts" / "resume.safetensors"
    tensors = load_file(path)
    tensors["envs/lengths"][0] = 7
    save_file(tensors, path, {"counts": '{"running": [2, 3]}', "values": "{}"})
    with pytest.raises(UserError, match="the parts of 'envs' do not add up to its 3; delete"):
        load_snapshot(folder, DTYPE)


@pytest.mark.parametrize("metadata", [{}, {"counts": "[]", "values": "{}"}, {"counts": "{", "values": "{}"}])
def test_metadata_that_say_something_else_are_refused(folder: Path, metadata: dict[str, str]) -> None:
    path = folder / "parts" / "resume.safetensors"
    save_file(load_file(path), path, metadata)
    with pytest.raises(UserError, match="cannot be read"):
        load_snapshot(folder, DTYPE)


def test_changed_bytes_end_in_one_line_or_in_a_snapshot(folder: Path) -> None:
    path = folder / "parts" / "resume.safetensors"
    content, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(500):
        data = bytearray(content)
        for _ in range(rng.choice([1, 1, 4])):
            data[rng.randrange(min(len(data), 900))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            load_snapshot(folder, DTYPE)
        except UserError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", ["return_so_far", "total_reward"])
def test_running_episodes_go_on_under_todays_and_under_the_former_name_of_their_return(name: str) -> None:
    spec = procgen_spec({"env": "coinrun", "distribution_mode": "easy"})
    trajectories, again = (Trajectories(2, DTYPE, spec) for _ in range(2))
    trajectories.return_so_far[:] = [2.5, -1.0]
    stored, values = trajectories.state()
    values[name] = values.pop("return_so_far")
    again.restore(stored, values)
    assert again.return_so_far.tolist() == [2.5, -1.0]
