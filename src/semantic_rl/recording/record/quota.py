"""Decides which episodes a recording takes, so that asking for N states favours neither short nor long episodes.

Environments that play in parallel finish short episodes first; taking episodes as they finish until there are N states
would leave out the long ones. So episodes count in the order in which they *begin*: a recording takes the first E of
them, where E is the smallest number whose lengths add up to at least N. The lengths in this order are independent draws
(an episode begins when another one ends, whatever its own length will be), and whether E is reached depends only on the
first E episodes. So E is a stopping time, and by Wald's identity means over the recording are means over episodes. What
bias remains comes from the episode with which N is reached, which tends to be long: one episode in E.

Waiting for all episodes that began earlier would hold back many while a single one takes long. So an episode that
begins more than `slack` states before the end is taken as soon as it is finished; only the last ones wait.

Nor does an episode begin that will probably not be needed: if those that are running are as long as others were, and
the states then suffice, environments wait until one of them has ended. That too depends on earlier episodes only.
"""

import math
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

CAUTION = 2.0
"""Standard deviations by which the expected number of states must exceed what is asked for."""


class Decision(NamedTuple):
    """Newly decided episodes, by number; each episode is decided once."""

    taken: list[int]
    """Finished episodes that are part of the recording."""
    refused: list[int]
    """Finished or running episodes that will never be part of it."""


@dataclass
class _Episode:
    length: int
    finished: bool
    certain: bool
    """Whether it began so early that it is taken whatever happens in the other environments."""
    taken: bool


class Quota:
    """Numbers episodes in the order in which they begin, and decides which are taken."""

    def __init__(self, num_states: int | None, num_episodes: int | None, slack: int = 0) -> None:
        """Take whole episodes until there are `num_states` states or `num_episodes` episodes; None sets no limit."""
        self._num_states = num_states
        self._num_episodes = num_episodes
        self._slack = slack
        self._num_begun = 0
        self.num_steps = 0
        """Total number of steps of the episodes that are, or may yet be, taken."""
        self._num_settled = 0
        self._open: dict[int, _Episode] = {}
        self._is_due = False
        self._num_finished = 0
        self._sum_of_lengths = 0
        self._sum_of_squares = 0
        """Of the lengths of the episodes that have finished."""

    def begin(self) -> int | None:
        """Begin an episode and return its number; None if, as far as is known now, no further one will be taken."""
        number = self._num_begun
        if self._is_full(self.num_steps) or (self._num_episodes is not None and number >= self._num_episodes):
            return None
        if self._will_suffice():
            return None
        self._num_begun += 1
        self._open[number] = _Episode(0, False, not self._is_full(self.num_steps + self._slack), False)
        return number

    def _is_full(self, num_states: int) -> bool:
        return self._num_states is not None and num_states >= self._num_states

    def _will_suffice(self) -> bool:
        """Say whether the episodes that have begun probably have enough states."""
        if self._num_states is None or self._num_finished == 0:
            return False
        mean = self._sum_of_lengths / self._num_finished
        variance = max(self._sum_of_squares / self._num_finished - mean**2, 0.0)
        remaining = [max(mean - episode.length, 0.0) for episode in self._open.values() if not episode.finished]
        return self.num_steps + sum(remaining) - CAUTION * math.sqrt(variance * len(remaining)) >= self._num_states

    def step(self, number: int) -> None:
        """Count a step of a running episode."""
        self._open[number].length += 1
        self.num_steps += 1

    def begin_anew(self, number: int) -> None:
        """Note that a running episode has been begun once more."""
        self.num_steps -= self._open[number].length
        self._open[number].length = 0

    def finish(self, number: int) -> None:
        """Note that an episode has ended."""
        episode = self._open[number]
        episode.finished = True
        self._num_finished += 1
        self._sum_of_lengths += episode.length
        self._sum_of_squares += episode.length**2
        self._is_due = True

    def decide(self) -> Decision:
        """Say which episodes are now taken and which never will be."""
        decision = Decision([], [])
        if not self._is_due and not self._is_full(self.num_steps):
            return decision
        self._is_due = False
        earlier, all_finished = self._num_settled, True
        for number, episode in list(self._open.items()):
            if not episode.certain and self._is_full(earlier):
                decision.refused.append(number)
                self.num_steps -= episode.length
                del self._open[number]
                continue
            earlier += episode.length
            all_finished = all_finished and episode.finished
            if episode.finished and not episode.taken and (episode.certain or all_finished):
                episode.taken = True
                decision.taken.append(number)
            if all_finished:
                self._num_settled += episode.length
                del self._open[number]
        return decision

    def state(self) -> dict[str, Any]:
        """Return the complete state, as JSON values."""
        return {
            "num_begun": self._num_begun,
            "num_steps": self.num_steps,
            "num_settled": self._num_settled,
            "lengths": [self._num_finished, self._sum_of_lengths, self._sum_of_squares],
            "open": [[number, *astuple(episode)] for number, episode in self._open.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._num_begun = state["num_begun"]
        self.num_steps = state["num_steps"]
        self._num_settled = state["num_settled"]
        # Recordings that an earlier version began know of no lengths.
        self._num_finished, self._sum_of_lengths, self._sum_of_squares = state.get("lengths", (0, 0, 0))
        self._is_due = True
        self._open = {number: _Episode(*rest) for number, *rest in state["open"]}
