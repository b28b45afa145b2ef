"""Agents of Stable-Baselines3: what is recorded of them is what the library itself computes, and they act as in it."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

pytest.importorskip("sb3_contrib", reason="needs the extra sb3")

from agents.conftest import Trained
from agents.foreign_models import MAKERS, ManySwitches, generator, observations
from stable_baselines3 import PPO

from semantic_rl.agents.layers import list_layers
from semantic_rl.agents.sampling import choices_of
from semantic_rl.agents.sb3 import Sb3Agent, open_sb3, sb3_agent
from semantic_rl.agents.spaces import spaces_of
from semantic_rl.errors import UserError

pytestmark = pytest.mark.usefixtures("one_thread")
NUM_ROWS = 6
KINDS = {
    "ppo": "categorical", "ppo-dict": "categorical", "ppo-unshared": "categorical", "ppo-gaussian": "gaussian",
    "ppo-sde": "squashed_gaussian", "ppo-multi": "multi_categorical", "ppo-binary": "multi_categorical",
    "a2c": "categorical", "trpo": "categorical", "maskable": "categorical", "recurrent": "categorical",
    "recurrent-shared": "gaussian", "dqn": "q_values", "qrdqn": "q_values", "sac": "squashed_gaussian",
    "sac-sde": "squashed_gaussian", "td3": "deterministic", "ddpg": "deterministic", "tqc": "squashed_gaussian",
    "ars": "deterministic",
}  # fmt: skip
NAMES = {
    "ppo": "PPO", "ppo-dict": "PPO", "ppo-unshared": "PPO", "ppo-gaussian": "PPO", "ppo-sde": "PPO", "ppo-multi": "PPO",
    "ppo-binary": "PPO", "a2c": "A2C", "trpo": "TRPO", "maskable": "MaskablePPO", "recurrent": "RecurrentPPO",
    "recurrent-shared": "RecurrentPPO", "dqn": "DQN", "qrdqn": "QR-DQN", "sac": "SAC", "sac-sde": "SAC", "td3": "TD3",
    "ddpg": "DDPG", "tqc": "TQC", "ars": "ARS",
}  # fmt: skip
ON_POLICY = [name for name in NAMES if NAMES[name] in ("PPO", "A2C", "TRPO", "MaskablePPO")]
Train = Callable[[str], Trained]
FIRST = np.ones(NUM_ROWS, np.bool_)


@pytest.fixture(scope="session")
def opened(trained: Train) -> Callable[[str], Sb3Agent]:
    """Return the function that opens the zip of a model by name, once."""
    done: dict[str, Sb3Agent] = {}

    def open_once(name: str) -> Sb3Agent:
        if name not in done:
            _, path, env = trained(name)
            done[name] = open_sb3(path, spaces_of(env))
        return done[name]

    return open_once


Opened = Callable[[str], Sb3Agent]


def act(agent: Sb3Agent, observation: Any, deterministic: bool = True, seed: int = 0) -> Any:
    return agent.act(observation, agent.initial_state(NUM_ROWS), FIRST, generator(seed), deterministic)


@pytest.mark.parametrize("name", MAKERS)
def test_a_zip_acts_as_the_model_that_the_library_loads_from_it(name: str, trained: Train, opened: Opened) -> None:
    model, path, env = trained(name)
    loaded = type(model).load(path, device="cpu")
    observation = observations(env, NUM_ROWS)
    wanted, _ = loaded.predict(observation, episode_start=FIRST, deterministic=True)
    step = act(opened(name), observation)
    np.testing.assert_array_equal(step.action, wanted)
    assert step.action.shape == (NUM_ROWS, *env.action_space.shape)
    assert all(env.action_space.contains(action) for action in step.action)


@pytest.mark.parametrize("name", MAKERS)
def test_algorithm_policy_and_default_layer_are_recognised(name: str, opened: Opened, trained: Train) -> None:
    agent = opened(name)
    assert (agent.algorithm, agent.policy_kind) == (NAMES[name], KINDS[name])
    assert agent.num_features == {"ppo-unshared": 20, "ddpg": 8}.get(name, 16)
    assert agent.observation_space == trained(name).env.observation_space
    assert len(agent.sha256) == 64


@pytest.mark.parametrize("name", MAKERS)
def test_the_features_are_those_that_a_hook_in_the_library_sees(name: str, trained: Train, opened: Opened) -> None:
    model, _, env = trained(name)
    observation = observations(env, NUM_ROWS)
    seen: list[torch.Tensor] = []
    hook = model.policy.get_submodule(opened(name).layer).register_forward_hook(lambda *args: seen.append(args[2]))
    model.predict(observation, episode_start=FIRST, deterministic=True)
    hook.remove()
    step = act(opened(name), observation)
    np.testing.assert_array_equal(step.features, seen[0].detach().flatten(1).numpy())
    assert step.features.dtype == np.float32


@pytest.mark.parametrize("name", MAKERS)
def test_the_default_layer_is_the_last_one_before_the_policys_output(name: str, opened: Opened) -> None:
    """What follows it gives the columns: one linear layer, whose input the features are."""
    names = [layer.name for layer in list_layers(opened(name))]
    following = {"actor.latent_pi": "actor.mu", "mlp_extractor.policy_net": "action_net"}
    if (after := following.get(opened(name).layer)) is not None:
        assert any(layer == after or layer.startswith(f"{after}.") for layer in names)
        return
    prefix, _, number = opened(name).layer.rpartition(".")
    last = max(int(layer.rpartition(".")[2]) for layer in names if layer.startswith(f"{prefix}."))
    assert last - int(number) in (1, 2)  # TD3's output is followed by tanh


@pytest.mark.parametrize("name", ON_POLICY)
def test_value_and_distribution_are_the_librarys(name: str, trained: Train, opened: Opened) -> None:
    model, _, env = trained(name)
    observation = observations(env, NUM_ROWS)
    step = act(opened(name), observation)
    with torch.no_grad():
        tensor, _ = model.policy.obs_to_tensor(observation)
        value = model.policy.predict_values(tensor).flatten().numpy()
        distribution = model.policy.get_distribution(tensor)
        drawn = distribution.sample()
        log_prob = distribution.log_prob(drawn).numpy()
    np.testing.assert_allclose(step.value, value, atol=1e-5)
    np.testing.assert_allclose(log_prob_of(step, opened(name), drawn.numpy()), log_prob, atol=1e-5, rtol=1e-5)


def log_prob_of(step: Any, agent: Sb3Agent, action: np.ndarray) -> np.ndarray:
    """Return log-probabilities [B] by the columns alone, as `PolicyKind` describes them."""
    columns = torch.from_numpy(step.policy).double()
    taken = torch.from_numpy(action)
    if agent.policy_kind in ("categorical", "multi_categorical"):
        parts = columns.split(choices_of(agent.action_space), 1)
        taken = taken.reshape(len(columns), -1).long()
        chosen = [part.log_softmax(1).gather(1, taken[:, [index]]) for index, part in enumerate(parts)]
        return torch.cat(chosen, 1).sum(1).numpy()
    mean, log_std = columns.chunk(2, 1)
    normal = torch.distributions.Normal(mean, log_std.exp())
    if agent.policy_kind == "gaussian":
        return normal.log_prob(taken).sum(1).numpy()
    squashed = taken.double().clamp(-1 + 1e-6, 1 - 1e-6)
    return (normal.log_prob(squashed.atanh()) - (1 - squashed**2 + 1e-6).log()).sum(1).numpy()


@pytest.mark.parametrize("name", ["recurrent", "recurrent-shared"])
def test_recurrent_state_is_carried_and_forgotten_where_episodes_start(
    name: str, trained: Train, opened: Opened
) -> None:
    model, _, env = trained(name)
    seen = observations(env, 5 * NUM_ROWS).reshape(5, NUM_ROWS, -1)
    starts = np.random.default_rng(0).random((5, NUM_ROWS)) < 0.3
    starts[0] = True
    agent = opened(name)
    state, library = agent.initial_state(NUM_ROWS), None
    states = None
    for observation, start in zip(seen, starts, strict=True):
        wanted, library = model.predict(observation, state=library, episode_start=start, deterministic=True)
        step = agent.act(observation, state, start, generator(), True)
        np.testing.assert_allclose(step.action, wanted, atol=1e-6)
        np.testing.assert_allclose(step.state[0], library[0].swapaxes(0, 1), atol=1e-6)
        with torch.no_grad():
            tensor, _ = model.policy.obs_to_tensor(observation)
            before = tuple(torch.from_numpy(part.swapaxes(0, 1).copy()) for part in state)
            own = before[2:] if len(before) == 4 else before
            value = model.policy.predict_values(tensor, own, torch.from_numpy(start).float()).flatten()
        np.testing.assert_allclose(step.value, value.numpy(), atol=1e-5)
        state, states = step.state, step.state
    assert states is not None
    assert all(len(part) == NUM_ROWS for part in states)


def test_rows_of_a_recurrent_state_can_be_taken_out(trained: Train, opened: Opened) -> None:
    agent = opened("recurrent")
    observation = observations(trained("recurrent").env, NUM_ROWS)
    first = act(agent, observation)
    later = np.zeros(NUM_ROWS, np.bool_)
    every = agent.act(observation, first.state, later, generator(), True)
    rows = [1, 4]
    some = agent.act(observation[rows], tuple(part[rows] for part in first.state), later[rows], generator(), True)
    np.testing.assert_allclose(some.features, every.features[rows], atol=1e-6)


@pytest.mark.parametrize("name", ["dqn", "qrdqn"])
def test_the_value_of_q_values_is_the_greatest(name: str, trained: Train, opened: Opened) -> None:
    model, _, env = trained(name)
    observation = observations(env, NUM_ROWS)
    step = act(opened(name), observation)
    with torch.no_grad():
        tensor = torch.from_numpy(observation)
        values = model.q_net(tensor) if name == "dqn" else model.quantile_net(tensor).mean(1)
    np.testing.assert_allclose(step.policy, values.numpy(), atol=1e-6)
    np.testing.assert_array_equal(step.value, step.policy.max(1))


@pytest.mark.parametrize("name", ["sac", "sac-sde", "tqc"])
def test_columns_before_tanh_are_the_actors(name: str, trained: Train, opened: Opened) -> None:
    model, _, env = trained(name)
    observation = observations(env, NUM_ROWS)
    step = act(opened(name), observation)
    assert step.value is None
    with torch.no_grad():
        mean, log_std, more = model.actor.get_action_dist_params(torch.from_numpy(observation))
        model.actor.action_dist.proba_distribution(mean, log_std, **more)
        normal = model.actor.action_dist.distribution
    np.testing.assert_allclose(step.policy, torch.cat((normal.mean, normal.stddev.log()), 1).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_drawn_actions_depend_on_the_generator_alone(name: str, trained: Train, opened: Opened) -> None:
    observation = observations(trained(name).env, NUM_ROWS)
    before = torch.random.get_rng_state()
    once = act(opened(name), observation, deterministic=False, seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(5)
    again = act(opened(name), observation, deterministic=False, seed=3)
    np.testing.assert_array_equal(once.action, again.action)
    assert all(trained(name).env.action_space.contains(action) for action in once.action)
    if KINDS[name] not in ("q_values", "deterministic"):
        others = [act(opened(name), observation, deterministic=False, seed=seed).action for seed in range(5)]
        assert any((other != once.action).any() for other in others)


def test_a_model_in_memory_is_wrapped_as_it_is(trained: Train) -> None:
    for name in ("ppo-dict", "dqn", "maskable"):
        model, path, env = trained(name)
        agent = sb3_agent(model)
        observation = observations(env, NUM_ROWS)
        from_zip = act(open_sb3(path, spaces_of(env)), observation)
        np.testing.assert_array_equal(act(agent, observation).features, from_zip.features)
        assert agent.algorithm == NAMES[name]
        assert agent.observation_space == env.observation_space


def test_texts_of_an_observation_are_left_out_as_they_are_in_recordings(trained: Train) -> None:
    from minigrid.wrappers import RGBImgPartialObsWrapper

    _, path, env = trained("ppo-dict")
    with_mission = RGBImgPartialObsWrapper(gym.make("MiniGrid-Empty-5x5-v0"))
    assert "mission" in with_mission.observation_space.spaces
    observation = observations(env, NUM_ROWS)
    steps = [act(open_sb3(path, spaces_of(one)), observation) for one in (env, with_mission)]
    np.testing.assert_array_equal(steps[0].features, steps[1].features)


def test_parts_of_an_observation_keep_the_order_of_training(tmp_path: Path) -> None:
    """A Dict that was made of a plain dict is sorted, one of an OrderedDict is not; the weights follow its order."""
    parts = OrderedDict(zip("ba", (gym.spaces.Box(-1, 1, (2,)), gym.spaces.Box(-1, 1, (3,))), strict=True))
    env = ManySwitches(gym.spaces.Discrete(3))
    env.observation_space = gym.spaces.Dict(parts)
    model = PPO("MultiInputPolicy", env, n_steps=4, batch_size=4, device="cpu")
    model.save(tmp_path / "ordered.zip")
    agent = open_sb3(tmp_path / "ordered.zip", spaces_of(env))
    observation = observations(env, NUM_ROWS)
    wanted, _ = model.predict(observation, deterministic=True)
    np.testing.assert_array_equal(act(agent, observation).action, wanted)
    with torch.no_grad():
        value = model.policy.predict_values(model.policy.obs_to_tensor(observation)[0]).flatten()
    np.testing.assert_allclose(act(agent, observation).value, value.numpy(), atol=1e-6)


def test_stacked_pictures_pass_through_the_librarys_convolutions(tmp_path: Path) -> None:
    for shape in ((4, 36, 36), (36, 36, 4)):
        env = ManySwitches(gym.spaces.Discrete(3))
        env.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)
        arguments = {"features_extractor_kwargs": {"features_dim": 12}}
        model = PPO("CnnPolicy", env, n_steps=4, batch_size=4, device="cpu", policy_kwargs=arguments)
        model.save(tmp_path / "cnn.zip")
        agent = open_sb3(tmp_path / "cnn.zip", spaces_of(env))
        observation = observations(env, NUM_ROWS)
        step = act(agent, observation)
        with torch.no_grad():
            tensor, _ = model.policy.obs_to_tensor(observation)
            features, value = model.policy.extract_features(tensor), model.policy.predict_values(tensor)
        np.testing.assert_allclose(step.features, features.numpy(), atol=1e-6)
        np.testing.assert_allclose(step.value, value.flatten().numpy(), atol=1e-6)
        assert agent.num_features == 12


REFERENCE = {
    "ppo-LunarLander-v2": ("LunarLander-v3", 10, 244.0, 0.5),
    "dqn-CartPole-v1": ("CartPole-v1", 10, 500.0, 0.5),
    "sac-Pendulum-v1": ("Pendulum-v1", 10, -135.0, 0.5),
}
"""Environment, episodes (seeds 0 to 9, greedy), and the mean return that their README states, to the nearest one."""


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCE)
def test_agents_of_years_ago_score_what_is_known_of_them(name: str, reference_dir: Path) -> None:
    folder = reference_dir / "agents"
    if not folder.is_dir():
        pytest.skip(f"shared reference data not present: {folder}")
    env_id, episodes, mean, tolerance = REFERENCE[name]
    envs = [gym.make(env_id) for _ in range(episodes)]
    agent = open_sb3(folder / f"{name}.zip", spaces_of(envs[0]))
    seen = {index: env.reset(seed=index)[0] for index, env in enumerate(envs)}
    returns = np.zeros(episodes)
    while seen:
        playing = list(seen)
        observation = np.stack([seen[index] for index in playing])
        actions = agent.act(observation, None, np.zeros(len(playing), np.bool_), generator(), True).action
        for index, action in zip(playing, actions, strict=True):
            seen[index], reward, terminated, truncated, _ = envs[index].step(action)
            returns[index] += float(reward)
            if terminated or truncated:
                del seen[index]
    assert abs(returns.mean() - mean) <= tolerance, returns


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UserError, match="got Linear, expected a model of Stable-Baselines3"):
        sb3_agent(torch.nn.Linear(1, 1))


def test_a_mask_forbids_actions_and_only_maskable_ppo_takes_one(trained: Train, opened: Opened) -> None:
    model, _, env = trained("maskable")
    agent = opened("maskable")
    observation = observations(env, NUM_ROWS)
    masks = np.random.default_rng(0).random((NUM_ROWS, 4)) < 0.5
    masks[:, 1] = True
    wanted, _ = model.predict(observation, action_masks=masks, deterministic=True)
    step = agent.act(observation, None, FIRST, generator(), True, action_masks=masks)
    np.testing.assert_array_equal(step.action, wanted)
    for seed in range(20):
        drawn = agent.act(observation, None, FIRST, generator(seed), False, action_masks=masks).action
        assert masks[np.arange(NUM_ROWS), drawn].all()
    with pytest.raises(UserError, match=r"got \[6, 2\], expected \[6, 4\]"):
        agent.act(observation, None, FIRST, generator(), True, action_masks=masks[:, :2])
    with pytest.raises(UserError, match="PPO takes none"):
        opened("ppo").act(
            observations(trained("ppo").env, NUM_ROWS), None, FIRST, generator(), True, action_masks=masks[:, :2]
        )


def test_as_many_actions_of_a_dqn_are_random_as_at_the_end_of_its_training(trained: Train) -> None:
    model, _, env = trained("dqn")
    agent = sb3_agent(model)
    observation = np.repeat(observations(env, 1), 2000, 0)
    starts = np.zeros(2000, np.bool_)
    greedy = agent.act(observation, None, starts, generator(), True).action
    drawn = agent.act(observation, None, starts, generator(), False).action
    assert abs((drawn != greedy).mean() - model.exploration_rate / 2) < 0.05


def test_another_layer_can_be_looked_into_and_a_wrong_one_is_named(trained: Train) -> None:
    _, path, env = trained("recurrent")
    spaces = spaces_of(env)
    agent = open_sb3(path, spaces, layer="lstm_actor")
    observation = observations(env, NUM_ROWS)
    step = act(agent, observation)
    assert agent.num_features == 8
    np.testing.assert_array_equal(step.features, step.state[0][:, -1])
    with pytest.raises(UserError, match=r"there is no 'lstm_acto'\. Did you mean 'lstm_actor'\?"):
        open_sb3(path, spaces, layer="lstm_acto")
    _, path, env = trained("sac")
    with pytest.raises(UserError, match=r"'critic.qf0' is not used to choose actions.*actor.latent_pi \(16\)"):
        open_sb3(path, spaces_of(env), layer="critic.qf0")


def test_a_layer_that_puts_out_a_tuple_is_refused(trained: Train) -> None:
    _, path, env = trained("ppo")
    with pytest.raises(UserError, match=r"'mlp_extractor' is not used|returns a tuple"):
        open_sb3(path, spaces_of(env), layer="mlp_extractor")


def test_layers_are_listed_with_their_sizes(opened: Opened) -> None:
    listed = {layer.name: layer.num_features for layer in list_layers(opened("ppo"))}
    assert listed["mlp_extractor.policy_net"] == 16
    assert listed["mlp_extractor.value_net.2"] == 8
    assert listed["action_net"] == 2
    listed = {layer.name: layer.num_features for layer in list_layers(opened("ppo-dict"))}
    assert listed["features_extractor.extractors.image.linear"] == 24
