"""Plays the agent in many environments and hands each episode to the writer as soon as it is certain to be recorded.

An environment of which no episode is needed does not step. With a GPU, and where environments are played in
processes of their own, they form two crews: while the environments of one crew step, the network acts for the other.
Otherwise, games, network and rendering take turns, each using all cores.

There are two kinds of environment (see `envs`). One can save and restore its state, so that a recording that was
interrupted continues exactly where it stopped. The other begins each episode with a seed of its own, and after an
interruption the episodes that were running start over. In both, only recorded states are rendered, by replaying their
episode; an environment that does not play out the same again is rendered while it plays.

Axes: N environments (slots), B environments of a crew that are still playing.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import or_
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.envs.base import EnvStep
from semantic_rl.envs.gymnasium.env_processes import send_requests
from semantic_rl.envs.procgen.vector_env import ABANDON
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError
from semantic_rl.recording.record.actions import random_actions
from semantic_rl.recording.record.actor import Actor
from semantic_rl.recording.record.quota import Quota
from semantic_rl.recording.record.render import LiveRenderer, Renderer, pack_step
from semantic_rl.recording.record.trajectories import Trajectories, Trajectory
from semantic_rl.recording.store.extra_columns import CATEGORIES, EXTRA_COLUMNS, Categories
from semantic_rl.recording.store.resume import Snapshot
from semantic_rl.recording.store.text_codes import TextCodes
from semantic_rl.recording.store.writer import Episode, ShardWriter

STATES_RENDERED_TOGETHER = 2048
"""States that are collected before rendering: enough to occupy all cores, few enough to finish soon on a stop."""
MOST_EPISODE_STEPS = 200_000
"""Steps after which an episode is taken for one that never ends."""


class Exploration(NamedTuple):
    """Settings of the explore protocol, which takes random actions and keeps only some of the steps."""

    num_steps: int
    random_action_probability: float
    keep_probability: float


def check_length(num_steps: int, spec: EnvSpec) -> None:
    """Raise UserError if an episode has so many steps that it will never end."""
    if num_steps > MOST_EPISODE_STEPS:
        raise UserError(
            f"env: an episode of {spec.id} did not end within {MOST_EPISODE_STEPS:,} steps; add a limit: "
            "--wrap time-limit=1000"
        )


def joined(observations: Sequence[Any]) -> Any:
    """Join observations, arrays [1, …] or dictionaries of them, into one with [B, …]."""
    if isinstance(observations[0], dict):
        return {name: np.concatenate([one[name] for one in observations]) for name in observations[0]}
    return np.concatenate(observations)


class Play:
    """Environments, actor and running episodes; call `step` until it returns False.

    With `most_episode_steps`, an episode of a game that is still running after so many steps is abandoned: it is
    recorded as unfinished, and the environment goes on with its next level.
    """

    def __init__(
        self,
        envs: Sequence[Any],
        spec: EnvSpec,
        actor: Actor,
        writer: ShardWriter,
        quota: Quota,
        dtype: np.dtype[np.void],
        exploration: Exploration | None,
        renderer: Renderer | LiveRenderer | None,
        seed: int,
        seed_of_episode: Callable[[int], int],
        num_crews: int = 1,
        most_episode_steps: int = 0,
    ) -> None:
        self._most_episode_steps = most_episode_steps
        self._envs = envs
        self._spec = spec
        self._restores = spec.restores_exactly
        self._seed_of_episode = seed_of_episode
        self._actor = actor
        self._writer = writer
        self._has_info = EXTRA_COLUMNS in writer.description
        self._texts = TextCodes(writer.description.get(CATEGORIES, ()))
        self._masks_actions = not self._restores and bool(envs[0].has_action_masks)
        self._quota = quota
        self._exploration = exploration
        self._renderer = renderer if isinstance(renderer, Renderer) else None
        self._live = renderer if isinstance(renderer, LiveRenderer) else None
        self._generator = np.random.default_rng(seed)
        count = len(envs)
        self._crews = np.array_split(np.arange(count), num_crews)
        self._received = [True] * len(self._crews)
        self._current: list[Any] = [env.observe() if self._restores else None for env in envs]
        self._starts = np.ones(count, np.bool_)
        """[N]: the next step is the first of its episode."""
        self._number = np.full(count, -1, np.int64)
        """[N]: number of the running episode; −1 if the environment waits, or is no longer needed."""
        self._first_level = np.zeros(count, np.int64)
        self._trajectories = Trajectories(count, dtype, spec)
        self._waiting: dict[int, tuple[Trajectory, Episode]] = {}
        """Finished episodes, by number, for which it is not yet decided whether they are taken."""
        self._refused: set[int] = set()
        """Running episodes that will not be taken; a step of theirs may still be in progress."""
        self._unrendered: list[tuple[Trajectory, Episode]] = []
        self.num_steps = 0
        """Number of steps so far, counted per environment."""
        self.num_taken = 0
        """Number of states of the episodes that are certain to be recorded."""
        self.num_checks = 0
        """Number of checks whether the states suffice, which the caller counts; a part of the state, because a snapshot
        completes a step, after which a check may be due."""
        self._begin(range(count))

    @property
    def num_states(self) -> int:
        """Return the number of states that are, or may yet be, recorded."""
        return self._quota.num_steps

    def step(self) -> bool:
        """Step every environment once; return False when everything has been handed to the writer."""
        is_last = self._exploration is not None and self.num_steps == self._exploration.num_steps
        if is_last:
            self._receive_all()
            self._end_unfinished()
        if is_last or not (self._number >= 0).any():
            self.write()
            return False
        keeps = self._exploration is None or self._generator.random() < self._exploration.keep_probability
        for crew in range(len(self._crews)):
            self._receive(crew)
            self._act(crew, keeps)
        if sum(len(trajectory.block.rows) for trajectory, _ in self._unrendered) >= STATES_RENDERED_TOGETHER:
            self.write()
        self.num_steps += 1
        return True

    def stop(self) -> None:
        """Drop the episodes that are not certain to be recorded; the next `step` is the last."""
        self._receive_all()
        self._number[:] = -1
        self._waiting.clear()

    def _begin(self, slots: Iterable[int]) -> None:
        """Begin the next episodes of environments, as far as they are wanted."""
        begun: list[int] = []
        for slot in slots:
            number = self._quota.begin()
            if number is None:
                break
            self._number[slot] = number
            begun.append(slot)
        self._begin_numbered(begun)

    def _begin_numbered(self, slots: Sequence[int]) -> None:
        """Begin the episodes of which the environments have the numbers."""
        starts: list[bytes] = []
        for slot in slots:
            if self._restores:
                starts.append(b"" if self._renderer is None else self._envs[slot].state()[0])
            else:
                seed = self._seed_of_episode(int(self._number[slot]))
                self._envs[slot].begin(seed)
                starts.append(seed.to_bytes(8, "little"))
        send_requests(self._envs[slot] for slot in slots)
        for slot, start in zip(slots, starts, strict=True):
            if not self._restores:
                self._current[slot] = self._envs[slot].observe()
            self._starts[slot] = True
            self._first_level[slot] = self._current[slot].level_seed[0]
            self._trajectories.begin(slot, start)

    def _playing(self, crew: int) -> NDArray[np.int64]:
        slots = self._crews[crew]
        return slots[self._number[slots] >= 0]

    def _receive(self, crew: int) -> None:
        """Wait for a crew's games and process the results of their step."""
        if self._received[crew]:
            return
        self._received[crew] = True
        numbers: list[int] = self._number.tolist()
        slots: list[int] = []
        for slot in self._playing(crew).tolist():
            self._current[slot] = self._envs[slot].observe()
            if numbers[slot] not in self._refused:
                slots.append(slot)
        outcomes: list[EnvStep] = [self._current[slot] for slot in slots]
        terminated = [bool(outcome.terminated[0]) for outcome in outcomes]
        truncated = [bool(outcome.truncated[0]) for outcome in outcomes]
        reward = [float(outcome.reward[0]) for outcome in outcomes]
        extra = self._info(slots) if self._has_info else []
        self._trajectories.end_step(slots, reward, terminated, truncated, extra)
        for slot, outcome, is_end in zip(slots, outcomes, map(or_, terminated, truncated), strict=True):
            self._quota.step(numbers[slot])
            check_length(self._trajectories.length(slot), self._spec)
            if is_end:
                self._end(slot, outcome)
            elif self._trajectories.length(slot) == self._most_episode_steps:
                self._end(slot, None)
                self._envs[slot].act(np.array([ABANDON]))
                self._current[slot] = self._envs[slot].observe()
        self._decide()
        # Only this crew: whether the other one is in the middle of a step depends on snapshots and must not matter.
        for slot in self._playing(crew).tolist():
            if int(self._number[slot]) in self._refused:
                self._refused.remove(int(self._number[slot]))
                self._number[slot] = -1
                self._trajectories.begin(slot, b"")
        crew_slots = self._crews[crew]
        self._begin(crew_slots[self._number[crew_slots] < 0].tolist())

    def _receive_all(self) -> None:
        for crew in range(len(self._crews)):
            self._receive(crew)

    def _end(self, slot: int, outcome: EnvStep | None) -> None:
        """Take an episode out of the trajectories; if `outcome` is None, it is unfinished."""
        episode = Episode(
            length=self._trajectories.length(slot),
            episode_return=float(self._trajectories.return_so_far[slot]),
            level_seed=int(self._first_level[slot]),
            success=outcome is not None and bool(outcome.success[0]),
            terminated=outcome is not None and bool(outcome.terminated[0]),
            truncated=outcome is not None and bool(outcome.truncated[0]),
            env=slot,
        )
        number = int(self._number[slot])
        self._waiting[number] = self._trajectories.take(slot, finished=outcome is not None), episode
        self._quota.finish(number)
        self._number[slot] = -1

    def _end_unfinished(self) -> None:
        for slot in np.flatnonzero(self._number >= 0).tolist():
            self._end(slot, None)
        self._decide()

    def _decide(self) -> None:
        """Queue the episodes that are now certain to be recorded, and note those that are certain not to be."""
        decision = self._quota.decide()
        for number in decision.taken:
            trajectory, episode = self._waiting.pop(number)
            if not len(trajectory.block.rows):
                continue
            self.num_taken += len(trajectory.block.rows)
            self._unrendered.append((trajectory, episode))
        for number in decision.refused:
            if self._waiting.pop(number, None) is None:
                self._refused.add(number)

    def write(self) -> None:
        """Hand the queued episodes to the writer, rendered if there is a renderer."""
        episodes, self._unrendered = self._unrendered, []
        if self._renderer is None:
            blocks = (trajectory.block for trajectory, _ in episodes)
        else:
            blocks = self._renderer.render([trajectory for trajectory, _ in episodes])
        for block, (_, episode) in zip(blocks, episodes, strict=True):
            self._writer.add(block, episode)

    def _act(self, crew: int, keeps: bool) -> None:
        """Choose actions for a crew, store its states if `keeps`, and start the step of its games."""
        slots = self._playing(crew)
        self._received[crew] = False
        if not len(slots):
            return
        # Pictures first: they are encoded while the network acts.
        pictures = [] if not keeps or self._live is None else self._live.render([self._envs[slot] for slot in slots])
        masks = joined([self._envs[slot].action_masks() for slot in slots.tolist()]) if self._masks_actions else None
        columns = self._actor(self._seen(slots), slots, self._starts[slots], masks)
        self._starts[slots] = False
        action = columns["action"]
        columns["action_random"] = np.zeros(len(slots), np.bool_)
        if self._exploration is not None:
            replaced = self._generator.random(len(slots)) < self._exploration.random_action_probability
            action = action.copy()
            drawn = random_actions(self._spec.action, self._generator, len(slots), masks)
            action[replaced] = drawn.reshape(action.shape).astype(action.dtype)[replaced]
            columns["action_random"] = replaced
        columns["action"] = action
        if self._spec.action.width:
            columns["action_vector"] = action.reshape(len(slots), -1).astype(np.float32)
        columns["level_seed"] = np.array([self._current[slot].level_seed[0] for slot in slots.tolist()])
        if keeps:
            self._trajectories.add_rows(slots, columns, [self._pack(slot) for slot in slots.tolist()], pictures)
        self._trajectories.begin_step(slots, action, keeps)
        for position, slot in enumerate(slots.tolist()):
            self._envs[slot].act(action[position : position + 1])
        send_requests(self._envs[slot] for slot in slots.tolist())

    def _seen(self, slots: NDArray[np.int64]) -> Any:
        """Return what the agent sees in these environments: an array [B, …], or a dictionary of arrays."""
        if self._restores:
            seen = [self._current[slot].observation for slot in slots]
        else:
            seen = [self._envs[slot].agent_observation() for slot in slots.tolist()]
        return joined(seen)

    def _info(self, slots: list[int]) -> list[dict[str, float]]:
        """Return the values of the last step's info, texts as their numbers."""
        values: list[dict[str, Any]] = [dict(self._envs[slot].info_values) for slot in slots]
        texts = {name: [one[name] for one in values] for name in self._texts.categories}
        for name, codes in self._texts.encode(texts).items():
            for one, code in zip(values, codes.tolist(), strict=True):
                one[name] = code
        return values

    @property
    def categories(self) -> Categories:
        """The texts of the columns of texts, in the order of their numbers."""
        return self._texts.categories

    def _pack(self, slot: int) -> bytes:
        """Compress the observation of an environment."""
        return pack_step(self._current[slot].observation, self._spec)

    def snapshot(self) -> Snapshot:
        """Return the complete state; taking a snapshot does not affect how the recording continues."""
        self._receive_all()
        self.write()
        running, values = self._trajectories.state()
        waiting = [trajectory for trajectory, _ in self._waiting.values()]
        written, writer = self._writer.state()
        return Snapshot(
            {
                "running": [trajectory.block for trajectory in running],
                "waiting": [trajectory.block for trajectory in waiting],
                "written": written,
            },
            {
                "envs": [state for env in self._envs for state in env.state()] if self._restores else [],
                "memory": self._actor.memory,
                "generator": [self._actor.generator.get_state().numpy().tobytes()],
                "running/replays": [item for trajectory in running for item in trajectory[1:]],
                "waiting/replays": [item for trajectory in waiting for item in trajectory[1:]],
            },
            {
                "trajectories": values,
                "writer": writer,
                "waiting": [[number, *episode] for number, (_, episode) in self._waiting.items()],
                "refused": sorted(self._refused),
                "quota": self._quota.state(),
                "generator": self._generator.bit_generator.state,
                "number": self._number.tolist(),
                "first_level": self._first_level.tolist(),
                "starts": self._starts.tolist(),
                "num_steps": self.num_steps,
                "num_checks": self.num_checks,
                "texts": self._texts.categories,
            },
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Restore what `snapshot` returned."""
        blocks, blobs, values = snapshot
        if self._restores:
            for env, state in zip(self._envs, blobs["envs"], strict=True):
                env.restore([state])
            self._current = [env.observe() for env in self._envs]
        self._actor.restore(blobs["memory"])
        self._received = [True] * len(self._crews)
        generator_state = np.frombuffer(blobs["generator"][0], np.uint8).copy()
        self._actor.generator.set_state(torch.from_numpy(generator_state))
        self._generator.bit_generator.state = values["generator"]

        def trajectories(name: str) -> list[Trajectory]:
            replays = blobs[f"{name}/replays"]
            return [Trajectory(*item) for item in zip(blocks[name], replays[::2], replays[1::2], strict=True)]

        self._trajectories.restore(trajectories("running"), values["trajectories"])
        self._writer.restore(blocks["written"], values["writer"])
        self.num_taken = self._writer.num_states
        self._waiting = {
            number: (trajectory, Episode(*episode))
            for (number, *episode), trajectory in zip(values["waiting"], trajectories("waiting"), strict=True)
        }
        self._refused = set(values["refused"])
        self._quota.restore(values["quota"])
        self._number[:] = values["number"]
        self._first_level[:] = values["first_level"]
        self._starts[:] = values["starts"]
        self.num_steps = values["num_steps"]
        self.num_checks = values.get("num_checks", 0)
        self._texts.encode(values["texts"])
        if not self._restores:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Begin the running episodes anew, with the same seeds."""
        begun: list[int] = []
        for slot in np.flatnonzero(self._number >= 0).tolist():
            number = int(self._number[slot])
            if number in self._refused:
                self._refused.remove(number)
                self._number[slot] = -1
                continue
            self._quota.begin_anew(number)
            begun.append(slot)
        self._begin_numbered(begun)
