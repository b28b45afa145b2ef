"""Finds which policy class of Stable-Baselines3 a zip holds, by the names beside its pickles, which stay closed."""

import re
from typing import Any, NamedTuple, NoReturn, cast

from semantic_rl.agents.sb3_zip import Sb3File
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import shown_path

CLASSES: dict[str, tuple[str, ...]] = {
    "stable_baselines3.common.policies": (
        "ActorCriticPolicy", "ActorCriticCnnPolicy", "MultiInputActorCriticPolicy",
    ),
    "stable_baselines3.dqn.policies": ("DQNPolicy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.sac.policies": ("SACPolicy", "CnnPolicy", "MultiInputPolicy"),
    "stable_baselines3.td3.policies": ("TD3Policy", "CnnPolicy", "MultiInputPolicy"),
    "sb3_contrib.ars.policies": ("ARSPolicy", "ARSLinearPolicy"),
    "sb3_contrib.common.maskable.policies": (
        "MaskableActorCriticPolicy", "MaskableActorCriticCnnPolicy", "MaskableMultiInputActorCriticPolicy",
    ),
    "sb3_contrib.common.recurrent.policies": (
        "RecurrentActorCriticPolicy", "RecurrentActorCriticCnnPolicy", "RecurrentMultiInputActorCriticPolicy",
    ),
    "sb3_contrib.qrdqn.policies": ("QRDQNPolicy", "CnnPolicy", "MultiInputPolicy"),
    "sb3_contrib.tqc.policies": ("TQCPolicy", "CnnPolicy", "MultiInputPolicy"),
}  # fmt: skip
"""Policy classes that can be rebuilt, by module."""
_METHOD = re.compile(r"<function ([\w.<>]+)\.[\w<>]+ at 0x")


class PolicyClass(NamedTuple):
    """A policy class of the library, by where it is."""

    module: str
    name: str

    @property
    def family(self) -> str:
        """Return the base class of the variants for images and for dictionaries."""
        return CLASSES[self.module][0]


def policy_class_of(file: Sb3File) -> PolicyClass:
    """Return the policy class of a zip; raises UserError, with its name, if it is none of the library's."""
    entry = file.data.get("policy_class")
    described = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    module = str(described.get("__module__"))
    methods = (_METHOD.match(str(described.get(key, ""))) for key in ("__init__", "_build", "forward", *described))
    name = next((match[1] for match in methods if match), "")
    if module not in CLASSES or name not in CLASSES[module]:
        known = f"{module}.{name}" if name else str(module)
        cannot(file, f"its policy class '{on_one_line(known[:100])}' is none of the library's")
    return PolicyClass(module, name)


def cannot(file: Sb3File, reason: str) -> NoReturn:
    """Raise UserError: the policy cannot be rebuilt without opening the pickles."""
    raise UserError(
        f"{shown_path(file.path)}: {reason}, so it cannot be rebuilt without the Python objects that are pickled in "
        "the file; if you trust whoever wrote it, --trust opens it as Stable-Baselines3 itself does, which runs any "
        "code that the file holds."
    )
