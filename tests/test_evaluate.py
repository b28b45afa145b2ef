"""An agent is evaluated on whole episodes, without favour for short ones, and says how certain the mean is."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semantic_rl.cli import main
from semantic_rl.config import EnvConfig, EvaluateConfig, TrainConfig, to_dict
from semantic_rl.envs.base import EnvStep
from semantic_rl.envs.procgen.spec import procgen_spec
from semantic_rl.errors import UserError
from semantic_rl.evaluate import Episodes, bootstrap_interval, chosen_by, evaluate, play_quotas, summarize
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint


def make_run(folder: Path, env: EnvConfig, algorithm: Any = "sppo", config: Any = None) -> Path:
    """Write an untrained agent as a run folder."""
    train_config = TrainConfig(algorithm=algorithm, environment=env)
    torch.manual_seed(0)
    policy = SemanticPolicy(num_codes=train_config.num_codes).state_dict()
    state = {"update": 3, "config": to_dict(train_config) if config is None else config}
    save_checkpoint(folder, Checkpoint(policy, None, None, state), keep=1)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent of BigFish, whose episodes are short without training."""
    pytest.importorskip("procgen_gym", reason="needs Python 3.13 for the games")
    return make_run(tmp_path_factory.mktemp("runs") / "run", EnvConfig("bigfish", num_levels=200, start_level=7))


class Scripted:
    """Environments whose episodes are given: lengths by environment; an episode returns its own length."""

    num_actions = 15
    observation_shape: tuple[int, int, int] = (64, 64, 3)

    def __init__(self, lengths: list[list[int]]) -> None:
        self.num_envs = len(lengths)
        self._lengths = lengths
        self._episode = [0] * self.num_envs
        self._step = [0] * self.num_envs
        self.actions: list[NDArray[np.integer]] = []

    def act(self, actions: NDArray[np.integer]) -> None:
        self.actions.append(actions.copy())
        self._step = [step + 1 for step in self._step]

    def observe(self) -> EnvStep:
        done = np.zeros(self.num_envs, np.bool_)
        for index, lengths in enumerate(self._lengths):
            if self._step[index] == lengths[self._episode[index] % len(lengths)]:
                done[index] = True
                self._episode[index] += 1
                self._step[index] = 0
        none = np.zeros(self.num_envs, np.bool_)
        reward = np.ones(self.num_envs, np.float32) if self.actions else np.zeros(self.num_envs, np.float32)
        observation = np.zeros((self.num_envs, *self.observation_shape), np.uint8)
        return EnvStep(observation, reward, done, none, done, np.zeros(self.num_envs, np.int64))

    def state(self) -> list[bytes]:
        raise NotImplementedError

    def restore(self, state: list[bytes]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


def test_every_environment_plays_its_share_and_then_does_nothing() -> None:
    games = Scripted([[1], [9, 2], [3]])
    finished: list[tuple[int, int]] = []
    policy = SemanticPolicy(num_codes=0)
    choose = chosen_by(policy, torch.Generator(), deterministic=False)
    episodes = play_quotas(choose, games, [2, 2, 1], lambda *done: finished.append(done))
    assert episodes.lengths.tolist() == [1, 1, 9, 2, 3]
    assert episodes.returns.tolist() == [1.0, 1.0, 9.0, 2.0, 3.0]
    assert episodes.successes.all()
    assert finished[-1] == (5, 5)
    assert len(games.actions) == 11
    assert [actions[0] for actions in games.actions[2:]] == [4] * 9
    assert [actions[2] for actions in games.actions[3:]] == [4] * 8


def test_short_episodes_are_not_favoured() -> None:
    """Of episodes of 1 and of 19 steps, equally likely, the mean length is 10; the first to end have far less."""
    generator = np.random.default_rng(0)
    lengths = generator.choice([1, 19], (64, 100))
    choose = chosen_by(SemanticPolicy(num_codes=0), torch.Generator(), deterministic=False)
    episodes = play_quotas(choose, Scripted(lengths.tolist()), [1] * 64)
    assert episodes.lengths.tolist() == lengths[:, 0].tolist()
    order = np.cumsum(lengths, axis=1).argsort(axis=None, stable=True)
    assert lengths.flatten()[order[:64]].mean() == 1
    assert 8 < episodes.lengths.mean() < 12


def test_the_same_seed_gives_the_same_result_and_another_one_does_not(run: Path) -> None:
    config = EvaluateConfig(run, episodes=5, precision="fp32", device="cpu")
    first, second, other = (evaluate(c).to_json() for c in (config, config, replace(config, seed=1)))
    for result in (first, second, other):
        assert result.pop("seconds") > 0
    assert first == second
    assert first["steps"] != other["steps"]


def test_game_mode_and_levels_are_the_agents_unless_told_otherwise(run: Path) -> None:
    own = evaluate(EvaluateConfig(run, episodes=1))
    assert (own.env, own.distribution_mode, own.num_levels, own.start_level) == ("bigfish", "easy", 200, 7)
    assert (own.algorithm, own.episodes) == ("sppo", 1)
    told = evaluate(EvaluateConfig(run, episodes=1, distribution_mode="hard", num_levels=0, start_level=0))
    assert (told.distribution_mode, told.num_levels, told.start_level) == ("hard", 0, 0)


def test_a_checkpoint_folder_and_an_agent_without_the_module_are_evaluated_too(run: Path, tmp_path: Path) -> None:
    checkpoint = next((run / "checkpoints").iterdir())
    assert evaluate(EvaluateConfig(checkpoint, episodes=1)).agent == str(checkpoint)
    ppo = make_run(tmp_path / "ppo", EnvConfig("bigfish"), "ppo")
    assert evaluate(EvaluateConfig(ppo, episodes=1)).algorithm == "ppo"


def test_more_episodes_than_environments_are_all_played(run: Path) -> None:
    assert evaluate(EvaluateConfig(run, episodes=70, num_threads=1)).episodes == 70


def summary(returns: list[float], env: EnvConfig) -> Any:
    count = len(returns)
    episodes = Episodes(np.array(returns), np.arange(1, count + 1), np.arange(count) % 2 == 0)
    return summarize(episodes, 0, "run", "sppo", procgen_spec(to_dict(env)), 0.0)


def test_the_summary_is_that_of_the_episodes() -> None:
    returns = [0.0, 10.0, 10.0, 10.0, 5.0]
    result = summary(returns, EnvConfig("coinrun"))
    assert result.mean_return == 7.0
    deviation = math.sqrt(sum((value - 7.0) ** 2 for value in returns) / 4)
    assert result.std_return == pytest.approx(deviation)
    assert result.standard_error == pytest.approx(deviation / math.sqrt(5))
    assert result.normalized_mean == pytest.approx((7.0 - 5) / (10 - 5))
    assert (result.mean_length, result.success_rate, result.steps) == (3.0, 0.6, 15)
    low, high = result.confidence_interval
    assert 0 <= low < 7.0 < high <= 10


def test_the_scale_is_that_of_the_mode_and_absent_where_none_is_published() -> None:
    assert summary([13.6], EnvConfig("fruitbot", "hard")).normalized_mean == pytest.approx((13.6 + 0.5) / 27.7)
    assert summary([5.0], EnvConfig("maze", "memory")).normalized_mean is None


def test_one_episode_has_a_mean_but_no_deviation() -> None:
    result = summary([4.0], EnvConfig("coinrun"))
    assert (result.mean_return, result.std_return, result.standard_error) == (4.0, None, None)
    assert result.confidence_interval == (4.0, 4.0)
    rows = {line[:16].strip(): line[17:] for line in result.table().splitlines()}
    for name in ("mean return", "deviation", "standard error"):
        assert rows[name].endswith("one episode says nothing of how others differ")
    assert rows["success rate"] != "–", "a dash is explained"
    json.dumps(result.to_json(), allow_nan=False)


def test_the_bootstrap_interval_is_that_of_the_normal_distribution_for_many_episodes() -> None:
    values = np.random.default_rng(0).normal(3, 2, 1000)
    low, high = bootstrap_interval(values, seed=0)
    half = 1.96 * values.std() / math.sqrt(1000)
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)


def test_json_is_one_object_alone_on_stdout(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(run), "--episodes", "2", "--num-levels", "0", "--start-level", "0", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert result["episodes"] == 2
    assert result["num_levels"] == 0
    assert {"mean_return", "std_return", "success_rate", "confidence_interval", "mean_length"} <= result.keys()


def test_people_get_a_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(run), "--episodes", "2"])
    said = capsys.readouterr().out
    assert "bigfish, easy, 200 levels from 7" in said
    assert "95% interval" in said
    assert all(len(line) < 200 for line in said.splitlines())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{tmp}/absent"], "absent: no such file or folder"),
        (["{tmp}"], "holds no checkpoint"),
        (["{run}", "--episodes", "0"], "episodes: got 0"),
        (["{run}", "--num-levels", "-1"], "num_levels: got -1"),
        (["{run}", "--seed", "-1"], "seed: got -1"),
        (["{run}", "--distribution-mode", "memory"], "bigfish has no mode 'memory'"),
        (["{run}", "--distribution-mode", "esy"], "Did you mean 'easy'?"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as exit_code:
        main(["evaluate", *(argument.format(tmp=tmp_path, run=run) for argument in arguments)])
    said = capsys.readouterr()
    assert exit_code.value.code == 2
    assert reason in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_cuda_is_refused_where_there_is_none(run: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("no CUDA device is what this test needs")
    with pytest.raises(UserError, match="no CUDA device"):
        evaluate(EvaluateConfig(run, episodes=1, device="cuda"))


@pytest.mark.parametrize("config", [{}, {"env": "pong"}, "nothing"])
def test_a_checkpoint_that_names_no_game_is_refused(tmp_path: Path, config: Any) -> None:
    agent = make_run(tmp_path / "run", EnvConfig(), config=config)
    with pytest.raises(UserError, match="names no Procgen game"):
        evaluate(EvaluateConfig(agent, episodes=1))
