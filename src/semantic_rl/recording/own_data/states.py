"""Consecutive states as the user gives them, and what all states of one recording have in common."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from semantic_rl.envs.spec import EnvSpec
from semantic_rl.recording.store.schema import StateLayout


class States(NamedTuple):
    """B consecutive states of one episode; None stands for what is not known."""

    features: Any
    """[B, D] numbers."""
    observations: Any = None
    """[B, …], or a dictionary of such arrays, or a list of B observations."""
    actions: Any = None
    """[B] indices, or [B, width] numbers."""
    rewards: Any = None
    """[B]."""
    values: Any = None
    """[B]."""
    policy: Any = None
    """[B, P]: the numbers that describe the policy; see `Held.policy_kind`."""
    log_probs: Any = None
    """[B, A]: log-probabilities of all actions of a discrete space."""
    pictures: Any = None
    """[B, H, W, 3] uint8, or B encoded pictures, JPEG or PNG."""
    extra: Mapping[str, Any] = MappingProxyType({})
    """[B] numbers or texts, by name."""


class Held(NamedTuple):
    """What every state of a recording has; the first states decide it."""

    spec: EnvSpec
    first_action: int
    """The number of the first action of a discrete space, as the environment counts."""
    num_features: int
    policy_kind: str
    policy_width: int
    """P of a policy that is not categorical; 0 if it is, or if nothing is said of it."""
    picture_shape: tuple[int, int]
    """Height and width of the pictures; (0, 0) without pictures."""
    absent: Mapping[str, str]
    """What is not known, by the name of its column, with the reason."""
    extra: tuple[str, ...]
    texts: frozenset[str]
    """Those of the further columns that hold texts."""

    def layout(self) -> StateLayout:
        """Return what determines the columns of the state table."""
        return StateLayout(
            self.spec.action.num_actions,
            0,
            self.num_features,
            self.spec.action.width,
            self.policy_width,
            "float32",
            frozenset(self.absent),
            self.extra,
            self.texts,
        )
