"""Defaults are the paper's, every flag of every command reaches its field, and what cannot be is refused by name."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.commands.parse import parse
from semantic_rl.config import (
    MAY_CHANGE_ON_RESUME,
    EnvConfig,
    EvaluateConfig,
    ImportOriginalConfig,
    PPOConfig,
    SemanticConfig,
    TrainConfig,
    to_dict,
)
from semantic_rl.errors import UserError

TRAIN_VALUES: dict[str, Any] = {
    "algorithm": "ppo",
    "env": "caveflyer",
    "distribution_mode": "hard",
    "num_levels": 200,
    "start_level": 5,
    "num_envs": 32,
    "env_groups": 4,
    "num_steps": 128,
    "num_minibatches": 4,
    "num_epochs": 2,
    "gamma": 0.9,
    "gae_lambda": 0.8,
    "clip_range": 0.1,
    "learning_rate": 1e-3,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.5,
    "env_args": ("use_backgrounds=false",),
    "entropy_coef": 0.02,
    "value_coef": 0.25,
    "reward_discount": 0.95,
    "reward_clip": 5.0,
    "num_codes": 12,
    "feature_dof": 10.0,
    "embedding_dof": 1.0,
    "commitment_coef": 0.5,
    "fdr_coef": 100.0,
    "vq_coef": 2.0,
    "semantic_interval": 10,
    "semantic_return_fraction": 0.5,
    "timesteps": 1_000_000,
    "seed": 3,
    "run_root": Path("elsewhere"),
    "resume": True,
    "auto_resume": True,
    "device": "cpu",
    "precision": "bf16",
    "num_threads": 2,
    "cuda_graphs": False,
    "checkpoint_interval": 1,
    "keep_checkpoints": 9,
    "held_out_interval": 4,
}
"""For every setting a value that is not its default."""

EVALUATE_VALUES: dict[str, Any] = {
    "episodes": 3,
    "env": "CartPole-v1",
    "env_args": ("gravity=-5", "continuous=true"),
    "wrap": ("atari", "frame-stack=4"),
    "vec_normalize": Path("statistics.pkl"),
    "trust": True,
    "deterministic": True,
    "distribution_mode": "hard",
    "num_levels": 0,
    "start_level": 4,
    "level_seed": 97,
    "seed": 9,
    "json": True,
    "device": "cpu",
    "precision": "fp32",
    "num_threads": 1,
}
IMPORT_VALUES: dict[str, Any] = {
    "out": Path("run"),
    "env": "ninja",
    "distribution_mode": "hard",
    "num_levels": 500,
    "start_level": 2,
    "seed": 2022,
}


def settings(config: object) -> dict[str, Any]:
    """All fields of a (nested) config by name, as they are."""
    flat: dict[str, Any] = {}
    for name, value in vars(config).items():
        flat.update(settings(value) if dataclasses.is_dataclass(value) else {name: value})
    return flat


def flag(name: str, value: Any) -> list[str]:
    words = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{words}" if value else f"--no-{words}"]
    if isinstance(value, tuple):
        return [f"--{words}", *value]
    return [f"--{words}", str(value)]


def test_every_setting_of_training_is_in_the_table() -> None:
    assert settings(TrainConfig()).keys() == TRAIN_VALUES.keys()
    parts = [field for cls in (TrainConfig, EnvConfig, PPOConfig, SemanticConfig) for field in dataclasses.fields(cls)]
    names = [field.name for field in parts]
    assert len(names) == len(set(names)), "a flag of two settings reaches only one"


@pytest.mark.parametrize("name", TRAIN_VALUES)
def test_a_flag_of_train_reaches_its_setting_and_no_other(name: str) -> None:
    value = TRAIN_VALUES[name]
    default = settings(TrainConfig())
    assert default[name] != value
    beside = {"num_levels": 200} if name in ("start_level", "held_out_interval") else {}
    arguments = [word for item in {**beside, name: value}.items() for word in flag(*item)]
    config = parse(TrainConfig, arguments, "train")
    assert settings(config) == {**default, **beside, name: value}


def test_all_flags_of_train_together() -> None:
    together = {**TRAIN_VALUES, "algorithm": "sppo", "device": "cuda", "auto_resume": False}
    arguments = [word for name, value in together.items() for word in flag(name, value) if value != "sppo"]
    arguments = [word for word in arguments if word not in ("--algorithm", "--no-auto-resume")]
    assert settings(parse(TrainConfig, arguments, "train")) == together


@pytest.mark.parametrize("name", EVALUATE_VALUES)
def test_a_flag_of_evaluate_reaches_its_setting_and_no_other(name: str) -> None:
    default = EvaluateConfig(Path("run"))
    assert {field.name for field in dataclasses.fields(default)} == {"agent", *EVALUATE_VALUES}
    config = parse(EvaluateConfig, ["run", *flag(name, EVALUATE_VALUES[name])], "evaluate")
    assert config != default
    assert config == dataclasses.replace(default, **{name: EVALUATE_VALUES[name]})


@pytest.mark.parametrize("name", IMPORT_VALUES)
def test_a_flag_of_import_original_reaches_its_setting_and_no_other(name: str) -> None:
    default = ImportOriginalConfig(file=Path("file"), out=Path("out"), env="coinrun")
    assert {field.name for field in dataclasses.fields(default)} == {"file", *IMPORT_VALUES}
    given = {"out": "out", "env": "coinrun"} | {name: IMPORT_VALUES[name]}
    arguments = [word for item in given.items() for word in flag(*item)]
    config = parse(ImportOriginalConfig, ["file", *arguments], "import-original")
    assert config == dataclasses.replace(default, **{name: IMPORT_VALUES[name]})


def test_defaults_are_the_papers() -> None:
    config = TrainConfig()
    assert config.algorithm == "sppo"
    assert (config.environment.num_envs, config.ppo.num_steps) == (64, 256)
    assert (config.batch_size, config.minibatch_size) == (16_384, 2_048)
    assert config.num_updates() == 1525
    assert (config.ppo.num_epochs, config.ppo.gamma, config.ppo.gae_lambda) == (3, 0.999, 0.95)
    assert (config.ppo.clip_range, config.ppo.learning_rate, config.ppo.adam_epsilon) == (0.2, 5e-4, 1e-5)
    assert (config.ppo.max_grad_norm, config.ppo.entropy_coef, config.ppo.value_coef) == (0.5, 0.01, 0.5)
    assert (config.ppo.reward_discount, config.ppo.reward_clip) == (0.99, 10.0)
    assert (config.semantic.num_codes, config.semantic.feature_dof, config.semantic.embedding_dof) == (8, 20.0, 20.0)
    assert (config.semantic.commitment_coef, config.semantic.fdr_coef, config.semantic.vq_coef) == (0.25, 500.0, 1.0)
    assert (config.semantic.semantic_interval, config.semantic.semantic_return_fraction) == (50, 0.8)


def test_workers_share_the_steps_of_a_run() -> None:
    assert TrainConfig(timesteps=10 * 16_384).num_updates(num_workers=2) == 5
    assert TrainConfig(timesteps=10 * 16_384 + 1).num_updates() == 10


def test_plain_ppo_has_no_codes() -> None:
    assert TrainConfig(algorithm="ppo").num_codes == 0
    assert TrainConfig(semantic=SemanticConfig(num_codes=5)).num_codes == 5


def test_a_config_is_json_by_setting_name() -> None:
    flat = to_dict(TrainConfig())
    assert json.loads(json.dumps(flat)) == flat
    assert flat.keys() == TRAIN_VALUES.keys()
    assert flat["run_root"] == "runs"


def test_what_may_change_on_resume_are_settings() -> None:
    assert not MAY_CHANGE_ON_RESUME - TRAIN_VALUES.keys()


@pytest.mark.parametrize("cls", [EnvConfig, PPOConfig, SemanticConfig, TrainConfig])
def test_configs_are_frozen(cls: type[Any]) -> None:
    config = cls()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, dataclasses.fields(config)[0].name, None)


NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (EnvConfig, {"num_levels": -1}),
        (EnvConfig, {"start_level": -1}),
        (EnvConfig, {"start_level": 2**31}),
        (EnvConfig, {"num_envs": 0}),
        (EnvConfig, {"env_groups": -1}),
        (EnvConfig, {"env_groups": 3}),
        (PPOConfig, {"num_steps": 0}),
        (PPOConfig, {"num_minibatches": 0}),
        (PPOConfig, {"num_epochs": 0}),
        (PPOConfig, {"gamma": 1.1}),
        (PPOConfig, {"gamma": NAN}),
        (PPOConfig, {"gae_lambda": -0.1}),
        (PPOConfig, {"reward_discount": 2.0}),
        (PPOConfig, {"clip_range": 0.0}),
        (PPOConfig, {"learning_rate": 0.0}),
        (PPOConfig, {"learning_rate": NAN}),
        (PPOConfig, {"adam_epsilon": -1e-5}),
        (PPOConfig, {"max_grad_norm": 0.0}),
        (PPOConfig, {"reward_clip": -1.0}),
        (PPOConfig, {"entropy_coef": -0.1}),
        (PPOConfig, {"entropy_coef": NAN}),
        (PPOConfig, {"value_coef": -0.5}),
        (PPOConfig, {"learning_rate": float("inf")}),
        (SemanticConfig, {"num_codes": 0}),
        (SemanticConfig, {"num_codes": 257}),
        (SemanticConfig, {"feature_dof": 0.0}),
        (SemanticConfig, {"embedding_dof": -20.0}),
        (SemanticConfig, {"commitment_coef": -0.25}),
        (SemanticConfig, {"fdr_coef": -1.0}),
        (SemanticConfig, {"vq_coef": float("inf")}),
        (SemanticConfig, {"semantic_interval": 0}),
        (SemanticConfig, {"semantic_return_fraction": 0.0}),
        (TrainConfig, {"timesteps": 16_383}),
        (TrainConfig, {"seed": -1}),
        (TrainConfig, {"seed": 2**31}),
        (TrainConfig, {"num_threads": -1}),
        (TrainConfig, {"checkpoint_interval": 0}),
        (TrainConfig, {"keep_checkpoints": 0}),
        (TrainConfig, {"held_out_interval": -1}),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name(make: type[Any], values: dict[str, Any]) -> None:
    (name, value) = next(iter(values.items()))
    with pytest.raises(UserError, match=rf"{name}: got {value!r}, expected .+\."):
        make(**values)


def test_minibatches_must_divide_the_batch() -> None:
    with pytest.raises(UserError, match=r"num_minibatches: got 7, expected a divisor .* = 16384"):
        TrainConfig(ppo=PPOConfig(num_minibatches=7))


def test_a_minibatch_of_one_state_is_refused_where_states_are_compared() -> None:
    one = {"environment": EnvConfig(num_envs=4), "ppo": PPOConfig(num_steps=4, num_minibatches=16), "timesteps": 16}
    with pytest.raises(UserError, match="num_minibatches: got 16, expected few enough that a minibatch has at least 2"):
        TrainConfig(**one)
    assert TrainConfig(algorithm="ppo", **one).minibatch_size == 1
