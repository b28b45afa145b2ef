"""Checkpoints from strangers: whatever is wrong in one ends in one line that names the file and what to do."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_runs import small_config

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.config import EnvConfig, TrainConfig, to_dict
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.checkpoint import Checkpoint, load_checkpoint, load_policy, read_state, save_checkpoint
from semantic_rl.training.train import train

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """An agent that has learned nothing, as a checkpoint folder."""
    weights = SemanticPolicy(num_codes=8).state_dict()
    config = to_dict(TrainConfig(environment=EnvConfig("fruitbot")))
    state = {"update": 3, "timesteps": 49_152, "config": config}
    return save_checkpoint(tmp_path / "run", Checkpoint(weights, None, None, state), keep=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(small_config(tmp_path_factory.mktemp("trained"), 1))


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "spoilt" / trained.name))


def change_state(folder: Path, change: Change) -> None:
    state = json.loads((folder / "state.json").read_text())
    change(state)
    (folder / "state.json").write_text(json.dumps(state))


def change_tensors(folder: Path, name: str, change: Change, values: Change | None = None) -> None:
    """Change tensors or JSON values of a file, and write its new SHA-256 into state.json, as a stranger would."""
    tensors = load_file(folder / name)
    with safe_open(folder / name, "pt") as file:
        metadata = file.metadata()
    change(tensors)
    if values is not None:
        content = json.loads(metadata["values"])
        values(content)
        metadata = {"values": json.dumps(content)}
    save_file(tensors, folder / name, metadata)
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    change_state(folder, lambda state: state["files"].update({name: digest}))


def refused(action: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(UserError) as refusal:
        action(path)
    said = str(refusal.value)
    assert "\n" not in said
    assert len(said) < 700
    return said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.update(version="1"), "'version' is '1', expected a whole number"),
        (lambda s: s.update(version=True), "'version' is true, expected a whole number"),
        (lambda s: s.pop("update"), "'update' is missing, expected a whole number"),
        (lambda s: s.update(update=1.5), "'update' is 1.5, expected a whole number"),
        (lambda s: s.update(update=-1), "'update' is -1, expected a whole number from 0 to 10,000,000"),
        (lambda s: s.update(update=10**30), "a whole number has 31 digits"),
        (lambda s: s.update(timesteps=None), "'timesteps' is null, expected a whole number"),
        (lambda s: s.update(mean_return=float("inf")), "Infinity stands where a finite number is due"),
        (lambda s: s.update(semantic_weight="1"), "'semantic_weight' is '1', expected a finite number"),
        (lambda s: s.update(versions=[1]), "'versions' is [1], expected an object"),
        (lambda s: s.update(versions={"torch": 2}), "'versions.torch' is 2, expected a text"),
        (lambda s: s.update(imported_from="x"), "'imported_from' is 'x', expected an object"),
        (lambda s: s.update(imported_from={}), "'imported_from.file' is missing, expected a text"),
        (lambda s: s.update(files=None), "'files' is null, expected an object"),
        (lambda s: s.update(files={}), "'files.policy.safetensors' is missing"),
        (lambda s: s["files"].update({"policy.safetensors": 1}), "'files.policy.safetensors' is 1, expected a text"),
        (lambda s: s["files"].update({"../../x": "0" * 64}), "'files' names '../../x'"),
        (lambda s: s.pop("config"), "names no Procgen game"),
        (lambda s: s["config"].update(env="pong"), "names no Procgen game"),
        (lambda s: s["config"].update(env=["coinrun"]), "names no Procgen game"),
        (
            lambda s: s["config"].update(distribution_mode="extreme"),
            "'config.distribution_mode' is 'extreme', expected",
        ),
        (lambda s: s["config"].update(algorithm="dqn"), "'config.algorithm' is 'dqn', expected one of sppo, ppo"),
        (lambda s: s["config"].update(num_levels="200"), "'config.num_levels' is '200', expected a whole number"),
        (lambda s: s["config"].update(num_levels=2**31), "'config.num_levels' is 2147483648, expected"),
        (lambda s: s["config"].update(start_level=2**31 - 1, num_levels=1), "'config.start_level' is 2147483647"),
        (lambda s: s["config"].update(num_codes=[8]), "'config.num_codes' is [8], expected a whole number"),
        (lambda s: s["config"].update(gamma="0.9; rm -rf x"), "'config.gamma' is '0.9; rm -rf x', expected a finite"),
        (lambda s: s["config"].update(device="gpu; x"), "'config.device' is 'gpu; x', expected one of auto, cpu, cuda"),
        (lambda s: s["config"].update(other={"a": 1}), "'config.other' is {\"a\": 1}, expected a number, a text"),
        (lambda s: s["config"].update(env="\ud800"), "half of a surrogate pair"),
    ],
)
def test_a_state_with_a_wrong_field_is_named(agent: Path, change: Change, expected: str) -> None:
    change_state(agent, change)
    said = refused(load_policy, agent)
    assert expected in said
    assert str(agent / "state.json") in said
    assert f"restore {agent} from a copy" in said


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"null", b"[1]", b"1e999", b'"\\ud800"']
)
def test_a_state_that_is_no_object_is_named(agent: Path, content: bytes) -> None:
    (agent / "state.json").write_bytes(content)
    assert str(agent / "state.json") in refused(load_policy, agent)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t["value_head.weight"].fill_(float("nan")), "value_head.weight holds NaN or infinity"),
        (lambda t: t["semantic.codebook"][0].fill_(float("inf")), "semantic.codebook holds NaN or infinity"),
        (
            lambda t: t.update({"value_head.bias": torch.zeros(1, dtype=torch.int64)}),
            "is of type torch.int64, expected",
        ),
        (lambda t: t.update({"value_head.bias": torch.zeros(1, dtype=torch.complex64)}), "is of type torch.complex64"),
        (lambda t: t.update({"value_head.bias": torch.zeros(2)}), "value_head.bias has shape (2,), not (1,)"),
        (lambda t: t.update({"policy_head.bias": torch.zeros(4)}), "policy_head.bias has shape (4,), not (15,)"),
        (lambda t: t.update({"semantic.codebook": torch.zeros(())}), "semantic.codebook has shape ()"),
        (lambda t: t.update({"semantic.codebook": torch.zeros(0, 2)}), "semantic.codebook has shape (0, 2)"),
        (lambda t: t.update({"semantic.codebook": torch.zeros(9000, 2)}), "expected 1 to 256 codes"),
        (lambda t: t.update({"a\nb": torch.zeros(1)}), "it holds 'a\\nb', which is not ours"),
        (lambda t: t.pop("policy_head.bias"), "it lacks 'policy_head.bias'"),
        (lambda t: t.clear(), "does not fit the network"),
    ],
)
def test_weights_of_another_network_or_not_finite_are_named(agent: Path, change: Change, expected: str) -> None:
    change_tensors(agent, "policy.safetensors", change)
    said = refused(load_policy, agent)
    assert expected in said
    assert "policy.safetensors" in said or "semantic.codebook" in said
    assert f"restore {agent} from a copy" in said


def test_half_precision_is_taken(agent: Path) -> None:
    change_tensors(agent, "policy.safetensors", lambda t: t.update({n: v.half() for n, v in t.items()}))
    assert all(value.dtype == torch.float32 for value in load_policy(agent).state_dict().values())


@pytest.mark.parametrize("name", ["state.json", "policy.safetensors"])
def test_pipes_and_folders_in_the_place_of_files_are_not_waited_for(agent: Path, name: str) -> None:
    (agent / name).unlink()
    os.mkfifo(agent / name)
    assert "is no regular file" in refused(load_policy, agent)
    (agent / name).unlink()
    (agent / name).mkdir()
    assert name in refused(load_policy, agent)


def test_a_file_too_large_to_be_weights_is_not_read(agent: Path) -> None:
    os.truncate(agent / "policy.safetensors", 200_000_000_000)  # takes no room, but would take minutes to read
    assert "has 200,000,000,000 bytes, expected at most 100,000,000" in refused(load_policy, agent)


def test_a_place_of_the_former_machine_is_left_out(agent: Path) -> None:
    change_state(agent, lambda s: s["config"].update(run_root="/somebody/home"))
    assert "run_root" not in read_state(agent)["config"]
    for path in ("/somebody/home/25000000", "C:\\somebody\\25000000"):
        origin = {"file": path, "sha256": "0" * 64, "note": "", "adam_steps": None}
        change_state(agent, lambda s, origin=origin: s.update(imported_from=origin))
        assert read_state(agent)["imported_from"]["file"] == "25000000"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t["num_steps"].fill_(-1), "num_steps is missing or no count"),
        (lambda t: t.pop("num_steps"), "num_steps is missing or no count"),
        (lambda t: t["mean/value_head.bias"].fill_(float("nan")), "mean/value_head.bias holds NaN or infinity"),
        (lambda t: t["square/value_head.bias"].fill_(-1), "a mean of squares is below 0"),
        (lambda t: t.update({"mean/value_head.bias": torch.zeros(3)}), "has shape (3,), not (1,)"),
        (lambda t: t.update({"mean/value_head.bias": torch.zeros(1, dtype=torch.float64)}), "of type torch.float64"),
    ],
)
def test_moments_that_are_wrong_are_named(run: Path, change: Change, expected: str) -> None:
    change_tensors(checkpoint_folders(run)[-1], "optimizer.safetensors", change)
    said = refused(load_checkpoint, run)
    assert expected in said
    assert "optimizer.safetensors" in said


def keep(_: dict[str, Any]) -> None: ...


@pytest.mark.parametrize(
    ("tensors", "values", "expected"),
    [
        (lambda t: t.update(environments=t["environments"][:-1].clone()), keep, "environments is missing or not"),
        (lambda t: t.update(environments=t["environments"].float()), keep, "environments is missing or not"),
        (lambda t: t.update(environments_generator=torch.zeros(3, dtype=torch.uint8)), keep, "environments_generator"),
        (keep, lambda v: v.pop("environments"), "'environments' is missing, expected an object"),
        (keep, lambda v: v["environments"].update(lengths=[1]), "'environments.lengths' is [1], expected 8 counts"),
        (keep, lambda v: v["environments"]["lengths"].__setitem__(0, -5), "expected 8 counts, one an environment"),
        (keep, lambda v: v["environments"]["monitor"].update(returns="x"), "'environments.monitor.returns' is 'x'"),
        (keep, lambda v: v["environments"]["monitor"].update(finished=[[1]]), "expected episodes of return, length"),
        (keep, lambda v: v["environments"]["monitor"].update(num_finished=1.5), "monitor.num_finished' is 1.5"),
        (keep, lambda v: v["normalizer"].update(variance="1"), "'normalizer.variance' is '1', expected a finite"),
        (keep, lambda v: v["normalizer"].update(mean=float("nan")), "NaN stands where a finite number is due"),
        (keep, lambda v: v["normalizer"].update(returns=[0.0] * 7), "expected 8 numbers, one an environment"),
    ],
)
def test_what_a_worker_needs_is_checked(run: Path, tensors: Change, values: Change, expected: str) -> None:
    change_tensors(checkpoint_folders(run)[-1], "worker-000.safetensors", tensors, values)
    said = refused(load_checkpoint, run)
    assert expected in said
    assert "worker-000.safetensors" in said


@pytest.mark.parametrize("metadata", [None, {"values": "[" * 100_000}, {"values": "\\"}, {"values": "1"}])
def test_a_workers_values_that_are_no_object_are_named(run: Path, metadata: dict[str, str] | None) -> None:
    folder = checkpoint_folders(run)[-1]
    file = folder / "worker-000.safetensors"
    save_file(load_file(file), file, metadata)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    change_state(folder, lambda state: state["files"].update({file.name: digest}))
    assert "worker-000.safetensors" in refused(load_checkpoint, run)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s["config"].update(num_envs=16), "expected 16 numbers, one an environment"),
        (lambda s: s["config"].update(num_codes=5), "has 8 codes, and state.json says 5"),
        (lambda s: s["config"].update(algorithm="ppo"), "has 8 codes, and state.json says 0"),
        (lambda s: s["config"].update(gamma=0.5), "gamma was 0.5, is 0.999"),
        (lambda s: s.update(num_workers=2), "number of workers was 2, is 1"),
        (lambda s: s.pop("mean_return"), "'mean_return' is missing, expected a finite number or null"),
        (lambda s: s.update(time_elapsed=None), "'time_elapsed' is null, expected a finite number"),
        (lambda s: s.update(update=7), "'update' is 7, expected that of the folder's name"),
    ],
)
def test_a_state_of_another_run_is_not_gone_on_with(run: Path, change: Change, expected: str) -> None:
    change_state(checkpoint_folders(run)[-1], change)
    config = small_config(run.parent, 2, resume=True)
    assert expected in refused(lambda _: train(config), run)
