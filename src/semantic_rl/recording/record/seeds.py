"""Derives the seeds of environments, actions and episodes from the seed that the user gives.

Each kind has a random stream of its own, so that a change of one number, such as that of environments, does not
disturb the others.
"""

import numpy as np

ENVIRONMENTS, ACTIONS, EPISODES = range(3)
"""Numbers of the streams."""


def seeds_of(seed: int, stream: int, count: int) -> list[int]:
    """Return the seeds of `count` environments, or of the actions."""
    return (np.random.SeedSequence([seed, stream]).generate_state(count) % 2**31).tolist()


def seed_of_episode(seed: int, number: int) -> int:
    """Return the seed with which the episode of this number begins, in environments that are seeded by episode."""
    return int(np.random.SeedSequence([seed, EPISODES, number]).generate_state(1)[0] % 2**31)
