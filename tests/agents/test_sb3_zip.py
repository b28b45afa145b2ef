"""A zip of Stable-Baselines3 is opened without running anything in it; damaged and foreign ones end in one message."""

import base64
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("sb3_contrib", reason="needs the extra sb3")

from agents.conftest import Trained
from agents.foreign_models import door_key, generator, observations
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor

from semantic_rl.agents.open import open_agent
from semantic_rl.agents.sb3_zip import read_sb3_zip
from semantic_rl.errors import UserError

pytestmark = pytest.mark.usefixtures("one_thread")
Train = Callable[[str], Trained]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def saved(value: Any, **settings: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **settings)
    return stream.getvalue()


def touching(path: Path) -> bytes:
    """Return a pickle that makes a file when it is opened."""

    class Touch:
        def __reduce__(self) -> Any:
            return Path.touch, (path,)

    return pickle.dumps(Touch())


def rows(trained: Trained) -> tuple[Any, None, Any, torch.Generator, bool]:
    return observations(trained.env, 4), None, np.ones(4, np.bool_), generator(), True


def test_nothing_pickled_is_opened(trained: Train, tmp_path: Path) -> None:
    model = trained("ppo")
    marker = tmp_path / "ran"
    content = members(model.path)
    data = json.loads(content["data"])
    pickled = [value for value in data.values() if isinstance(value, dict) and ":serialized:" in value]
    assert len(pickled) > 5
    for value in pickled:
        value[":serialized:"] = base64.b64encode(touching(marker)).decode()
    content["data"] = json.dumps(data).encode()
    content["policy.optimizer.pth"] = content["pytorch_variables.pth"] = touching(marker)
    path = write(tmp_path / "evil.zip", content)
    step = open_agent(path, "CartPole-v1").act(*rows(model))
    np.testing.assert_array_equal(step.features, open_agent(model.path, "CartPole-v1").act(*rows(model)).features)
    assert not marker.exists()
    with pytest.raises(UserError, match="cannot open it"):
        open_agent(path, "CartPole-v1", trust=True)
    assert marker.exists(), "the pickle of this test would have run"


def test_weights_that_are_a_pickle_of_something_else_are_refused(trained: Train, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for harmful in (touching(marker), saved({"a": _Touch(marker)})):
        path = write(tmp_path / "evil.zip", {**members(trained("ppo").path), "policy.pth": harmful})
        with pytest.raises(UserError, match=r"'policy.pth'"):
            open_agent(path, "CartPole-v1")
    assert not marker.exists()


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_zip_that_is_compressed_is_read(trained: Train, tmp_path: Path) -> None:
    model = trained("ppo")
    path = write(tmp_path / "small.zip", members(model.path), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < model.path.stat().st_size
    assert open_agent(path, "CartPole-v1").num_features == 16


def test_weights_in_pytorchs_old_format_are_read(trained: Train, tmp_path: Path) -> None:
    model = trained("ppo")
    weights = saved(model.model.policy.state_dict(), _use_new_zipfile_serialization=False)
    path = write(tmp_path / "old.zip", {**members(model.path), "policy.pth": weights})
    np.testing.assert_array_equal(
        open_agent(path, "CartPole-v1").act(*rows(model)).value,
        open_agent(model.path, "CartPole-v1").act(*rows(model)).value,
    )


def test_names_of_before_1_7_are_understood(trained: Train, tmp_path: Path) -> None:
    model = trained("ppo-dict")
    names = ("pi_features_extractor.", "vf_features_extractor.")
    weights = {name: value for name, value in model.model.policy.state_dict().items() if not name.startswith(names)}
    path = write(tmp_path / "old.zip", {**members(model.path), "policy.pth": saved(weights)})
    env = door_key()
    np.testing.assert_array_equal(
        open_agent(path, env).act(*rows(model)).value, open_agent(model.path, env).act(*rows(model)).value
    )


def _bomb_of_weights() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 50_000_000)
    return stream.getvalue()


def _old_weights_of_many_numbers() -> bytes:
    content = saved({"a": torch.zeros(70_001)}, _use_new_zipfile_serialization=False)
    few, many = (70_001).to_bytes(4, "little"), (2_000_000_000).to_bytes(4, "little")
    assert few in content
    return content.replace(few, many)


NAN = float("nan")
DAMAGE: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no settings": ({"data": None}, "no member 'data'"),
    "no weights": ({"policy.pth": None}, "no member 'policy.pth'"),
    "no JSON": ({"data": b"{"}, "'data' cannot be read"),
    "deep JSON": ({"data": b"[" * 100_000}, "'data' cannot be read"),
    "no object": ({"data": b"[1]"}, r"'data' holds \[1\], expected an object"),
    "no policy class": ({"data": b"{}"}, "policy class 'None' is none of the library's"),
    "cut weights": ({"policy.pth": b"PK\x03\x04 cut"}, "'policy.pth' is damaged"),
    "no tensors": ({"policy.pth": saved({"a": 1})}, "'a' is a int, expected a tensor"),
    "no dict": ({"policy.pth": saved([torch.zeros(1)])}, "holds no weights"),
    "not finite": ({"policy.pth": saved({"a": torch.tensor([NAN])})}, "'a' holds numbers that are not finite"),
    "other names": ({"policy.pth": saved({"a": torch.zeros(1)})}, "it has weights 'a', unlike the library's"),
    "repeated number": ({"policy.pth": saved({"a": torch.zeros(1).expand(10**9)})}, "far larger than the file"),
    "bomb of weights": ({"policy.pth": _bomb_of_weights()}, "announces more numbers than it holds"),
    "old bomb of weights": ({"policy.pth": _old_weights_of_many_numbers()}, "announces more numbers than it holds"),
    "rate": ({"exploration_rate": b'"x"'}, "'exploration_rate' is 'x'"),
    "activation": ({"policy_kwargs": b'{"activation_fn": "<class \'os.system\'>"}'}, "none of torch.nn's"),
    "argument": ({"policy_kwargs": b'{"foo": 1}'}, "an argument 'foo'"),
    "kind of argument": ({"policy_kwargs": b'{"normalize_images": "x"}'}, "'normalize_images' of its policy is 'x'"),
    "arguments": ({"policy_kwargs": b"[1]"}, r"'policy_kwargs' are \[1\]"),
}  # fmt: skip
"""Members, or settings in `data`, in place of those of a good zip, and what is said."""


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_zip_ends_in_one_message(name: str, trained: Train, tmp_path: Path) -> None:
    changes, said = DAMAGE[name]
    content = members(trained("ppo").path)
    data = json.loads(content["data"])
    for member, value in changes.items():
        if member not in content:
            data[member] = json.loads(value or b"")
            content["data"] = json.dumps(data).encode()
        elif value is None:
            del content[member]
        else:
            content[member] = value
    path = write(tmp_path / "damaged.zip", content)
    with pytest.raises(UserError, match=said) as error:
        open_agent(path, "CartPole-v1")
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_member_that_unpacks_to_far_more_is_not_unpacked(trained: Train, tmp_path: Path) -> None:
    content = {**members(trained("ppo").path), "data": b"[" + b" " * 50_000_000}
    path = write(tmp_path / "bomb.zip", content, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="unpacks to 50,000,001 bytes"):
        read_sb3_zip(path)


def test_other_files_are_no_agents(trained: Train, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("notes", encoding="utf-8")
    with pytest.raises(UserError, match="is not an agent; expected a run folder"):
        open_agent(text, "CartPole-v1")
    whole = trained("ppo").path.read_bytes()
    cut = tmp_path / "cut.zip"
    for size in (4, 1000, len(whole) - 30):
        cut.write_bytes(whole[:size])
        with pytest.raises(UserError, match="expected a zip that a model of Stable-Baselines3"):
            open_agent(cut, "CartPole-v1")
    cut.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(UserError, match=r"Bad CRC-32"):
        open_agent(cut, "CartPole-v1")


MISFITS = [
    ("ppo", "Acrobot-v1", r"observation space is Box.*trained with Box of shape \[4\]"),
    ("ppo", "MountainCar-v0", r"observation space is Box.*trained with Box of shape \[4\]"),
    ("ppo", "Pendulum-v1", "action space is Box.*trained with 2 choices"),
    ("sac", "CartPole-v1", r"action space is 2 choices: it was trained with Box of shape \[1\]"),
    ("dqn", "Pendulum-v1", "action space is Box.*trained with 2 choices"),
    ("ppo-dict", "CartPole-v1", "observation space is Box.*trained with Dict"),
    ("recurrent", "Acrobot-v1", r"observation space is Box.*trained with Box of shape \[4\]"),
    ("qrdqn", "LunarLander-v3", "does not fit the environment"),
    ("td3", "BipedalWalker-v3", "does not fit the environment"),
]


@pytest.mark.parametrize(("name", "env", "said"), MISFITS)
def test_an_environment_that_does_not_fit_is_named_with_what_would(
    name: str, env: str, said: str, trained: Train
) -> None:
    if env in ("LunarLander-v3", "BipedalWalker-v3"):
        pytest.importorskip("Box2D", reason="needs the extra box2d")
    with pytest.raises(UserError, match=said) as error:
        open_agent(trained(name).path, env)
    assert "give the environment that it was trained on" in str(error.value)


def test_as_many_observations_and_other_actions_do_not_fit(trained: Train) -> None:
    import gymnasium as gym

    from semantic_rl.agents.spaces import Spaces

    spaces = Spaces(trained("ppo").env.observation_space, gym.spaces.Discrete(5))
    with pytest.raises(UserError, match=r"action space is 5 choices: it was trained with 2 choices"):
        open_agent(trained("ppo").path, spaces)


def test_without_an_environment_layers_can_be_listed_where_the_spaces_are_described(trained: Train) -> None:
    assert open_agent(trained("ppo").path).num_features == 16
    with pytest.raises(UserError, match="name the environment that it plays with --env"):
        open_agent(trained("ppo-dict").path)


class OwnExtractor(FlattenExtractor):
    """A features extractor of a user's own."""


class OwnPolicy(ActorCriticPolicy):
    """A policy class of a user's own."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings, net_arch=[7])


class OwnActing(ActorCriticPolicy):
    """A policy class that acts in a way of its own."""

    def _predict(self, observation: Any, deterministic: bool = False) -> Any:
        return torch.zeros(len(observation))


class OwnActivation(nn.Tanh):
    """An activation of a user's own."""


def small_ppo(path: Path, policy: Any = "MlpPolicy", **arguments: Any) -> Any:
    model = PPO(policy, "CartPole-v1", n_steps=16, batch_size=16, device="cpu", policy_kwargs=arguments)
    model.save(path)
    return model


@pytest.mark.parametrize(
    ("policy", "arguments", "said"),
    [
        (OwnPolicy, {}, r"its policy class '\S*test_sb3_zip.OwnPolicy' is none of the library's"),
        ("MlpPolicy", {"features_extractor_class": OwnExtractor}, r"its features extractor '\S*OwnExtractor'"),
        ("MlpPolicy", {"activation_fn": OwnActivation}, r"its activation function .*OwnActivation"),
    ],
)
def test_a_part_of_the_users_own_is_refused_by_name_and_opens_if_it_is_trusted(
    policy: Any, arguments: dict[str, Any], said: str, tmp_path: Path, trained: Train
) -> None:
    path = tmp_path / "own.zip"
    model = small_ppo(path, policy, **arguments)
    with pytest.raises(UserError, match=said) as error:
        open_agent(path, "CartPole-v1")
    assert "--trust opens it as Stable-Baselines3 itself does, which runs any code" in str(error.value)
    agent: Any = open_agent(path, "CartPole-v1", trust=True)
    assert agent.algorithm == "PPO"
    assert agent.notes[0].endswith("was trusted: any code in it has run.")
    observation = observations(trained("ppo").env, 4)
    step = agent.act(observation, None, np.ones(4, np.bool_), generator(), True)
    np.testing.assert_array_equal(step.action, model.predict(observation, deterministic=True)[0])


def test_a_policy_that_acts_in_a_way_of_its_own_is_refused_even_if_trusted(tmp_path: Path) -> None:
    path = tmp_path / "own.zip"
    small_ppo(path, OwnActing)
    with pytest.raises(UserError, match="OwnActing has a '_predict' of its own"):
        open_agent(path, "CartPole-v1", trust=True)


@pytest.mark.parametrize("name", ["ppo-dict", "recurrent", "maskable", "qrdqn", "sac", "td3", "tqc", "ars", "trpo"])
def test_a_trusted_zip_acts_as_one_that_is_not(name: str, trained: Train) -> None:
    model = trained(name)
    agents = [open_agent(model.path, model.env, trust=trust) for trust in (False, True)]
    state = agents[0].initial_state(4)
    observation = observations(model.env, 4)
    steps = [agent.act(observation, state, np.ones(4, np.bool_), generator(), True) for agent in agents]
    np.testing.assert_array_equal(steps[0].features, steps[1].features)
    np.testing.assert_array_equal(steps[0].action, steps[1].action)
    assert agents[0].sha256 == agents[1].sha256


def test_only_a_zip_can_be_trusted() -> None:
    with pytest.raises(UserError, match="trust: sppo-coinrun is not a zip"):
        open_agent("sppo-coinrun", trust=True)
