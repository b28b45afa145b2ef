"""Names of the actions and of the numbers in the observations of well-known environments."""

from typing import Any, NamedTuple

ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}


class ActionNames(NamedTuple):
    """Names of a discrete space's actions with their signs, or of the dimensions of a continuous one."""

    names: tuple[str, ...]
    signs: tuple[str, ...] = ()


_BLACKJACK = ActionNames(("stick", "hit"), ("s", "h"))
_PUSHES = ActionNames(("push left", "no push", "push right"), ("←", "·", "→"))
_LANDER = ActionNames(("no engine", "left engine", "main engine", "right engine"), ("·", "←", "↑", "→"))
_CAR = ActionNames(("nothing", "steer right", "steer left", "gas", "brake"), ("·", "→", "←", "↑", "↓"))
_TORQUES = ActionNames(("torque −1", "no torque", "torque +1"), ("−", "·", "+"))
_GRID = ActionNames(
    ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done"), ("←", "→", "↑", "P", "D", "T", "✓")
)

DISCRETE: dict[str, ActionNames] = {
    "CartPole": ActionNames(("push left", "push right"), ("←", "→")),
    "MountainCar": _PUSHES,
    "Acrobot": _TORQUES,
    "LunarLander": _LANDER,
    "CarRacing": _CAR,
    "FrozenLake": ActionNames(("left", "down", "right", "up"), ("←", "↓", "→", "↑")),
    "FrozenLake8x8": ActionNames(("left", "down", "right", "up"), ("←", "↓", "→", "↑")),
    "CliffWalking": ActionNames(("up", "right", "down", "left"), ("↑", "→", "↓", "←")),
    "CliffWalkingSlippery": ActionNames(("up", "right", "down", "left"), ("↑", "→", "↓", "←")),
    "Taxi": ActionNames(("south", "north", "east", "west", "pick up", "drop off"), ("↓", "↑", "→", "←", "P", "D")),
    "Blackjack": _BLACKJACK,
}
"""By the id without its version."""

CONTINUOUS: dict[str, ActionNames] = {
    "MountainCarContinuous": ActionNames(("force",)),
    "Pendulum": ActionNames(("torque",)),
    "LunarLander": ActionNames(("main engine", "side engines")),
    "LunarLanderContinuous": ActionNames(("main engine", "side engines")),
    "BipedalWalker": ActionNames(("hip 1", "knee 1", "hip 2", "knee 2")),
    "BipedalWalkerHardcore": ActionNames(("hip 1", "knee 1", "hip 2", "knee 2")),
    "CarRacing": ActionNames(("steering", "gas", "brake")),
}

_LANDER_NUMBERS = ("x", "y", "x velocity", "y velocity", "angle", "angular velocity", "left leg contact",
                   "right leg contact")  # fmt: skip
_LEG = ("hip {} angle", "hip {} speed", "knee {} angle", "knee {} speed", "leg {} contact")
_WALKER_NUMBERS = (
    *("hull angle", "hull angular velocity", "x velocity", "y velocity"),
    *(name.format(leg) for leg in (1, 2) for name in _LEG),
    *(f"lidar {ray}" for ray in range(1, 11)),
)
NUMBERS: dict[str, tuple[str, ...]] = {
    "CartPole": ("cart position", "cart velocity", "pole angle", "pole angular velocity"),
    "MountainCar": ("position", "velocity"),
    "MountainCarContinuous": ("position", "velocity"),
    "Pendulum": ("cos(angle)", "sin(angle)", "angular velocity"),
    "Acrobot": ("cos(angle 1)", "sin(angle 1)", "cos(angle 2)", "sin(angle 2)", "angular velocity 1",
                "angular velocity 2"),
    "LunarLander": _LANDER_NUMBERS,
    "LunarLanderContinuous": _LANDER_NUMBERS,
    "BipedalWalker": _WALKER_NUMBERS,
    "BipedalWalkerHardcore": _WALKER_NUMBERS,
}  # fmt: skip
"""Names of the numbers of a vector, by the id without its version."""


def discrete_names(base: str, unwrapped: Any, count: int) -> ActionNames:
    """Return names for the actions of a discrete space: known ones, or their numbers.

    `base` is the id without its version, and `unwrapped` the bare environment.
    """
    found = _meanings(unwrapped, count)
    if len(found) == count:
        return ActionNames(tuple(map(_in_words, found)), tuple(map(_joystick_sign, found)))
    if is_minigrid(unwrapped) and count == len(_GRID.names):
        return _GRID
    known = DISCRETE.get(base)
    if known is not None and len(known.names) == count:
        return known
    return ActionNames(tuple(f"action {action}" for action in range(count)))


def continuous_names(base: str, unwrapped: Any, count: int) -> tuple[str, ...]:
    """Return names for the dimensions of a continuous action space: known ones, MuJoCo's joints, or their numbers."""
    known = CONTINUOUS.get(base)
    if known is not None and len(known.names) == count:
        return known.names
    model = getattr(unwrapped, "model", None)
    if hasattr(model, "actuator") and getattr(model, "nu", 0) == count:
        assert model is not None
        return tuple(_actuator_name(model, index) for index in range(count))
    return tuple(f"action {index}" for index in range(count))


def number_labels(base: str, unwrapped: Any, count: int) -> tuple[str, ...]:
    """Return names for the numbers of a vector; empty if they are not known."""
    known = NUMBERS.get(base) or _mujoco_labels(unwrapped)
    return known if len(known) == count else ()


def is_minigrid(unwrapped: Any) -> bool:
    """Say whether an environment is one of MiniGrid's or derived from one."""
    return any(kind.__module__.startswith("minigrid.") for kind in type(unwrapped).__mro__)


def _meanings(unwrapped: Any, count: int) -> list[str]:
    """Return what an environment says of its actions, as Atari's games do; nothing if it does not say it in words."""
    if not hasattr(unwrapped, "get_action_meanings"):
        return []
    try:
        said = unwrapped.get_action_meanings()
        found: list[Any] = [said[index] for index in range(count)] if isinstance(said, dict) else list(said)
    except Exception:  # somebody else's code, and names are not needed
        return []
    return found if all(isinstance(meaning, str) for meaning in found) else []


def _in_words(meaning: str) -> str:
    """Return 'up right fire' for UPRIGHTFIRE."""
    words, rest = [], meaning
    while rest:
        word = next((word for word in ("UP", "DOWN", "LEFT", "RIGHT", "FIRE", "NOOP") if rest.startswith(word)), rest)
        words.append("nothing" if word == "NOOP" else word.lower())
        rest = rest[len(word) :]
    return " ".join(words)


def _joystick_sign(meaning: str) -> str:
    words = _in_words(meaning).split()
    ways = {("up", "left"): "↖", ("up", "right"): "↗", ("down", "left"): "↙", ("down", "right"): "↘"}
    directions = tuple(word for word in words if word in ARROWS)
    arrow = ways.get(directions) or "".join(ARROWS[word] for word in directions)  # type: ignore[call-overload]
    return (arrow + ("•" if "fire" in words else "")) or "·"


def _actuator_name(model: Any, index: int) -> str:
    joint = int(model.actuator_trnid[index][0])
    return (
        model.actuator(index).name or (model.joint(joint).name if 0 <= joint < model.njnt else "") or f"motor {index}"
    )


def _mujoco_labels(unwrapped: Any) -> tuple[str, ...]:
    """Return names of the positions and velocities that the observations of most MuJoCo environments consist of."""
    structure, model = getattr(unwrapped, "observation_structure", None), getattr(unwrapped, "model", None)
    if not isinstance(structure, dict) or model is None:
        return ()
    positions: list[str] = []
    velocities: list[str] = []
    for index in range(model.njnt):
        name = model.joint(index).name or f"joint {index}"
        kind = int(model.jnt_type[index])  # 0: free, 1: ball, 2: slide, 3: hinge
        axes = {0: ("x", "y", "z", "qw", "qx", "qy", "qz"), 1: ("qw", "qx", "qy", "qz")}.get(kind, ("",))
        turns = {0: ("x", "y", "z", "roll", "pitch", "yaw"), 1: ("roll", "pitch", "yaw")}.get(kind, ("",))
        positions += [f"{name} {axis}".strip() for axis in axes]
        velocities += [f"{name} {axis}".strip() + " velocity" for axis in turns]
    skipped = int(structure.get("skipped_qpos", 0))
    if len(positions) - skipped != structure.get("qpos") or len(velocities) != structure.get("qvel"):
        return ()
    found = (*positions[skipped:], *velocities)
    others = [(name, int(size)) for name, size in structure.items() if name not in ("skipped_qpos", "qpos", "qvel")]
    return (*found, *(f"{name} {index}" for name, size in others for index in range(size)))
