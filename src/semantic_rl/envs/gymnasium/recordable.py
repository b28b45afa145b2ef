"""One Gymnasium environment as the recorder plays it: with a batch axis of 1, and a seed for each episode."""

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from semantic_rl.envs.base import EnvStep
from semantic_rl.envs.gymnasium import calls
from semantic_rl.envs.gymnasium.make import EnvRecipe
from semantic_rl.envs.gymnasium.observations import Observation, ObservationReader
from semantic_rl.envs.gymnasium.rounded_actions import RoundedActions
from semantic_rl.envs.gymnasium.spec import MINIGRID_SUCCESS, gymnasium_spec, success_key
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError, nearest, on_one_line
from semantic_rl.input_places import shown_path

REMEMBERING = ("gymnasium.envs.box2d.bipedal_walker", "gymnasium.envs.box2d.car_racing")
"""Environments that keep their physical world over a reset, so that an episode depends on those before it. They are
made anew for each episode, which then depends on its seed alone."""
DRAWING = ("ale_py.env",)
"""Environments that draw each of their observations, whether anybody asks for a picture or not."""
GREATEST_REWARD = float(np.finfo(np.float32).max)


def _shared(value: bool) -> NDArray[np.bool_]:
    """Return a read-only array [1], which many steps share."""
    array = np.array([value])
    array.flags.writeable = False
    return array


TRUE, FALSE = _shared(True), _shared(False)
NO_REWARD = np.zeros(1, np.float32)


class GymnasiumEnv:
    """An environment without autoreset.

    `begin` starts an episode, after which `observe` returns its first observation. After the step that ends it,
    `observe` returns the last observation, which no action follows, and the next call is `begin`. Everything that is
    wrong with the environment raises UserError.
    """

    num_envs = 1

    def __init__(
        self,
        recipe: EnvRecipe,
        render: bool = False,
        spec: EnvSpec | None = None,
        info: tuple[str, ...] = (),
        texts: frozenset[str] | None = None,
    ) -> None:
        """Make the environment; with `render`, `frames` returns pictures. With `spec`, it is not read from the
        environment again.

        `info` are keys of its info whose numbers and texts `info_values` holds after each step. `texts` are those that
        hold texts; without it, the first step decides.
        """
        self._info, self._texts = info, texts
        self.info_values: dict[str, float | str] = {}
        self._recipe, self._render = recipe, render
        self._env = recipe.make(render)
        module = type(self._env.unwrapped).__module__
        self._remembers = module in REMEMBERING
        self.draws_anyway = module in DRAWING
        """A picture costs next to nothing."""
        self.spec = gymnasium_spec(self._env, recipe) if spec is None else spec
        self.observation_space = self._env.observation_space
        self.action_space: Any = self._env.action_space
        is_discrete = isinstance(self.action_space, spaces.Discrete)
        self._num_actions, self._first_action = (
            (int(self.action_space.n), int(self.action_space.start)) if is_discrete else (0, 0)
        )
        self._name = recipe.env
        self._reader = ObservationReader(self.observation_space, recipe.env)
        self._normalizer = recipe.normalizer()
        if self._normalizer is not None:
            shapes = {leaf.name: leaf.shape for leaf in self._reader.leaves}
            self._normalizer.check_fits(shapes, shown_path(Path(recipe.vec_normalize or "")))
        self._num_choices = calls.num_choices(self.action_space)
        self._round = RoundedActions(self.action_space) if isinstance(self.action_space, spaces.Box) else None
        self.has_action_masks = calls.has_action_masks(self._env)
        """It says which actions are allowed; see `action_masks`."""
        self._success_key = success_key(self.spec)
        self._reward_is_success = self.spec.success == MINIGRID_SUCCESS
        self._step: EnvStep | None = None
        self._is_running = False
        self._seed, self._num_steps = 0, 0
        self._level_seed = np.zeros(1, np.int64)

    def begin(self, seed: int) -> None:
        """Start an episode from a seed, which is the level of all its observations."""
        if self._remembers and self._step is not None:
            calls.close(self._env)
            self._env = self._recipe.make(self._render)
        self._seed, self._num_steps = seed, 0
        self._level_seed = np.array([seed])
        self._level_seed.flags.writeable = False
        raw, _ = calls.reset(self._env, seed, self._name)
        observation = self._reader.read(raw, self._where)
        self._step = EnvStep(observation, NO_REWARD.copy(), FALSE, FALSE, FALSE, self._level_seed)
        self._is_running = True

    def act(self, actions: NDArray[Any]) -> None:
        """Take a step with actions [1, …]; a discrete action is counted from 0, wherever its space begins."""
        if not self._is_running:
            raise RuntimeError("an episode must begin before the first step, and after the last one")
        self._num_steps += 1
        action = self._action(actions[0])
        raw, reward, terminated, truncated, info = calls.step(self._env, action, self._name, self._where)
        observation = self._reader.read(raw, self._where)
        number = self._reward(reward)
        if self._info:
            self.info_values = {key: self._info_value(key, info) for key in self._info}
        rewards = NO_REWARD.copy()
        rewards[0] = number
        success = FALSE
        if terminated or truncated:
            self._is_running = False
            success = TRUE if self._succeeded(number, info) else FALSE
        self._step = EnvStep(
            observation,
            rewards,
            TRUE if terminated else FALSE,
            TRUE if truncated else FALSE,
            success,
            self._level_seed,
        )

    def observe(self) -> EnvStep:
        """Return the result of the last step, or the first observation of an episode that has begun."""
        if self._step is None:
            raise RuntimeError("no episode has begun")
        return self._step

    def agent_observation(self) -> Observation:
        """Return what the agent sees of the last observation: normalised, if the recipe says so."""
        observation = self.observe().observation
        return observation if self._normalizer is None else self._normalizer.normalize_observation(observation)

    def action_masks(self) -> NDArray[np.bool_]:
        """Return [1, …] which actions the environment's own `action_masks` allows now, as MaskablePPO asks for them."""
        return calls.action_masks(self._env, self._num_choices, self._name, self._where)[None]

    def frames(self) -> NDArray[np.uint8]:
        """Return a picture [1, H, W, 3] of the last observation; needs `render`."""
        picture = calls.render(self._env, self._name)
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape[2:] not in ((3,), (4,)):
            shown = (
                f"an array of {picture.dtype} of the shape {picture.shape}"
                if isinstance(picture, np.ndarray)
                else (f"a {type(picture).__name__}")
            )
            raise UserError(
                f"{self._name}: its render returns {shown}, expected a picture [height, width, 3] of uint8; "
                f"{calls.WITHOUT_PICTURES}."
            )
        return picture[None, :, :, :3].copy()

    def close(self) -> None:
        """Free the environment."""
        calls.close(self._env)

    def _where(self) -> str:
        """Return which observation this is, for messages."""
        return f"in step {self._num_steps} of the episode with seed {self._seed}"

    def _action(self, action: Any) -> Any:
        """Return an action as the environment wants it, in memory of its own."""
        if self._num_actions:
            try:
                index = int(action)
            except (TypeError, ValueError, OverflowError):
                index = -1
            if not 0 <= index < self._num_actions:
                said = on_one_line(str(action))[:40]
                raise UserError(f"{self._name}: the agent chose action {said} of {self._num_actions} {self._where()}.")
            return index + self._first_action
        if self._round is not None:
            return self._round(action)
        space = self.action_space
        found = np.array(action, space.dtype).reshape(space.shape)
        return found + space.start if isinstance(space, spaces.MultiDiscrete) else found

    def _reward(self, reward: Any) -> float:
        try:
            number = float(np.asarray(reward).item() if isinstance(reward, np.ndarray) else reward)
        except (TypeError, ValueError):
            raise UserError(
                f"{self._name}: its reward {self._where()} is {str(reward)[:40]!r}, expected a number."
            ) from None
        if not -GREATEST_REWARD <= number <= GREATEST_REWARD:
            raise UserError(f"{self._name}: its reward {self._where()} is {number}, expected a finite number.")
        return number

    def _info_value(self, key: str, info: dict[str, Any]) -> float | str:
        """Return a number or a text of a step's info; NaN is a number."""
        if key not in info:
            known = sorted(str(name) for name in info)
            has = ", ".join(known) or "nothing"
            raise UserError(
                f"info: {self._name} has no '{key}' in its info {self._where()}; it has {has}.{nearest(key, known)}"
            )
        value = info[key]
        try:
            number = value if isinstance(value, str) else float(np.asarray(value).item())
        except (TypeError, ValueError):
            number = float("inf")
        is_text = isinstance(number, str)
        if self._texts is None:
            self._texts = frozenset(name for name in self._info if isinstance(info.get(name), str))
        if is_text != (key in self._texts):
            now, before = ("a text", "a number") if is_text else ("a number", "a text")
            raise UserError(
                f"info: '{key}' is {str(value)[:40]!r} {self._where()}, {now}; before it was {before}. Leave this key "
                "out."
            )
        if not isinstance(number, str) and abs(number) > GREATEST_REWARD:
            raise UserError(
                f"info: '{key}' is {str(value)[:40]!r} {self._where()}, expected a text or a number that float32 holds."
            )
        return number

    def _succeeded(self, reward: float, info: dict[str, Any]) -> bool:
        if self._reward_is_success:
            return reward > 0
        if self._success_key is None:
            return False
        return calls.as_flag(info.get(self._success_key), self._name, f"info['{self._success_key}']", self._where)
