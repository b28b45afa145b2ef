"""A checkpoint of the original becomes a run folder; a file that is not one is refused with its variable's name."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semantic_rl.artifacts import run_name
from semantic_rl.cli import main
from semantic_rl.config import EvaluateConfig, ImportOriginalConfig
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.original.import_checkpoint import import_original
from semantic_rl.original.weight_names import from_original, original_names
from semantic_rl.training.checkpoint import load_checkpoint, load_policy, read_state

Variables = dict[str, NDArray[Any]]


def original_variables(num_codes: int, seed: int = 0) -> Variables:
    """Make what the original would save, with Adam's slots, in TensorFlow's layouts."""
    generator = np.random.default_rng(seed)
    scope = "sppo2_model" if num_codes else "ppo2_model"
    variables: Variables = {}
    ours = SemanticPolicy(num_codes=num_codes).state_dict()
    for name, theirs in original_names(num_codes > 0).items():
        shape = tuple(ours[name].shape)
        shape = (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape[::-1]
        for suffix in ("", "/Adam", "/Adam_1"):
            full = f"{scope}/{theirs.removesuffix(':0')}{suffix}:0"
            variables[full] = generator.normal(0, 0.05, shape).astype(np.float32)
    return {**variables, "beta1_power:0": np.float32(0.9**49), "beta2_power:0": np.float32(0.999**49)}  # type: ignore[dict-item]


def save(tmp_path: Path, variables: Variables) -> Path:
    path = tmp_path / "25000000"
    joblib.dump(variables, path)
    return path


def imported(tmp_path: Path, variables: Variables, **settings: Any) -> Path:
    out = tmp_path / "run"
    import_original(ImportOriginalConfig(file=save(tmp_path, variables), out=out, **({"env": "ninja"} | settings)))
    return out


@pytest.mark.parametrize("num_codes", [1, 5, 8])
def test_the_policy_is_the_files(tmp_path: Path, num_codes: int) -> None:
    variables = original_variables(num_codes)
    policy = load_policy(imported(tmp_path, variables))
    assert policy.num_codes == num_codes
    for name, value in from_original(variables).items():
        assert torch.equal(policy.state_dict()[name], value), name


def test_a_file_without_codebook_is_a_ppo_agent(tmp_path: Path) -> None:
    run = imported(tmp_path, original_variables(0))
    assert load_policy(run).semantic is None
    assert read_state(run)["config"]["algorithm"] == "ppo"


def test_the_imported_policy_computes_what_the_original_did(tmp_path: Path, reference_dir: Path) -> None:
    minibatch = np.load(reference_dir / "original_minibatch.npz")
    variables = {name[2:]: minibatch[name] for name in minibatch if name.startswith("w/")}
    output = load_policy(imported(tmp_path, variables))(torch.from_numpy(minibatch["obs"]))
    expected = minibatch["out/logits"]
    assert np.abs(output.logits.detach().numpy() - expected).max() < 2e-5 * np.abs(expected).max()


def test_the_originals_own_file_is_imported_from_the_command_line(
    tmp_path: Path, reference_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "imported"
    main(["import-original", str(reference_dir / "original_checkpoint.joblib"), "--env", "coinrun", "--out", str(out)])
    said = capsys.readouterr().out
    assert str(out) in said
    assert "8 codes" in said
    assert "after 24 steps of Adam" in said
    assert load_policy(out).num_codes == 8


def test_config_and_state_say_what_was_imported(tmp_path: Path) -> None:
    settings = {"env": "maze", "distribution_mode": "memory", "num_levels": 200, "start_level": 3, "seed": 7}
    run = imported(tmp_path, original_variables(5), **settings)
    config = json.loads((run / "config.json").read_text())
    for about in (config, read_state(run)):
        assert {name: about["config"][name] for name in settings} == settings
        assert about["config"]["num_codes"] == 5
        assert about["imported_from"]["file"] == "25000000"
        assert about["imported_from"]["adam_steps"] == 48
        assert len(about["imported_from"]["sha256"]) == 64
        assert "semantic_rl" in about["versions"]


def test_adams_slots_are_left_out_and_training_cannot_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / run_name("sppo", "ninja", "easy", 0, 0, 2021)
    import_original(ImportOriginalConfig(file=save(tmp_path, original_variables(8)), out=out, env="ninja"))
    with pytest.raises(UserError, match="weights alone"):
        load_checkpoint(out)
    with pytest.raises(SystemExit) as exit_code:
        main(["train", "--env", "ninja", "--gamma", "0.9", "--run-root", str(tmp_path), "--resume", "--device", "cpu"])
    assert exit_code.value.code == 2
    said = capsys.readouterr().err
    assert "weights alone" in said
    assert "another configuration" not in said
    assert said.count("\n") == 1


def test_an_imported_agent_can_be_evaluated(tmp_path: Path) -> None:
    pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")
    from semantic_rl.evaluate import evaluate

    run = imported(tmp_path, original_variables(8), env="bigfish")
    result = evaluate(EvaluateConfig(run, episodes=2, precision="fp32", device="cpu"))
    assert (result.env, result.algorithm, result.episodes) == ("bigfish", "sppo", 2)


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match=r"run exists already; choose another --out"):
        imported(tmp_path, original_variables(8))
    assert not list((tmp_path / "run").iterdir())


def without(name: str) -> Any:
    return lambda variables: {key: value for key, value in variables.items() if not key.endswith(name)}


def with_value(name: str, value: Any) -> Any:
    return lambda variables: {**variables, f"sppo2_model/{name}": value}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("pi/layer_3/bias:0"), r"no variable 'pi/layer_3/bias:0'"),
        (without("pi/embeddings_vqvae:0"), r"a variable 'pi/layer_16/kernel:0', which the original's PPO"),
        (with_value("pi/layer_18/kernel:0", np.zeros(3)), r"a variable 'pi/layer_18/kernel:0', which"),
        (
            with_value("pi/layer_15/kernel:0", np.zeros((2048, 512), np.float32)),
            r"'pi/layer_15/kernel:0' has shape \(2048, 512\), expected \(2048, 256\)",
        ),
        (
            with_value("pi/layer_0/kernel:0", np.zeros((16, 3, 3, 3), np.float32)),
            r"'pi/layer_0/kernel:0' has shape \(16, 3, 3, 3\), expected \(3, 3, 3, 16\)",
        ),
        (with_value("pi/w:0", np.zeros((256, 7), np.float32)), r"'pi/w:0' has shape \(256, 7\), expected \(256, 15\)"),
        (with_value("pi/b:0", np.float32(1)), r"'pi/b:0' has shape \(\), expected \(15,\)"),
        (
            with_value("pi/embeddings_vqvae:0", np.zeros((8, 2), np.float32)),
            r"'pi/embeddings_vqvae:0' has shape \(8, 2\), expected \(2, K\)",
        ),
        (with_value("pi/b:0", np.full(15, np.nan, np.float32)), r"'pi/b:0' holds other than finite"),
        (with_value("pi/b:0", np.zeros(15, np.int64)), r"'pi/b:0' holds other than finite"),
        (lambda variables: {}, r"no variable 'pi/layer_0/kernel:0'"),
        (lambda variables: {"weights": np.zeros(3)}, r"no variable 'pi/layer_0/kernel:0'.* weights …"),
    ],
)
def test_a_file_that_is_no_agent_of_the_original_is_refused_by_variable(
    tmp_path: Path, change: Any, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        imported(tmp_path, change(original_variables(8)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent"], "absent cannot be read: No such file"),
        (["."], "is no file"),
        (["file", "--env", "ninjja"], "unknown game 'ninjja'. Did you mean 'ninja'?"),
        (["file", "--distribution-mode", "extreme"], "ninja has no mode 'extreme'"),
        (["file", "--num-levels", "-1"], "num_levels: got -1"),
        (["file", "--seed", "-1"], "seed: got -1"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    environment = [] if "--env" in arguments else ["--env", "ninja"]
    with pytest.raises(SystemExit) as exit_code:
        main(["import-original", *arguments, *environment, "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err
    assert exit_code.value.code == 2
    assert reason in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()
