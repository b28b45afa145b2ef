"""Reads the folder in which rl-baselines3-zoo keeps how an agent's environment was made.

It lies beside the agent's zip, or holds it: `config.yml` and `args.yml`, and `vecnormalize.pkl` if observations were
normalised. The YAML files ask for Python objects (`!!python/object/apply`); here these become plain lists and texts,
and nothing is executed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from semantic_rl.envs.spec import Scalar
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import read_file, shown_path

CONFIG, ARGUMENTS, ENV_ARGUMENTS = "config.yml", "args.yml", "env_kwargs.yml"
NORMALIZERS = ("vecnormalize.pkl", "vec_normalize.pkl")
MOST_BYTES = 1_000_000
WAY_OUT = "name the wrappers with --wrap, or move the folder away."

NAMES: dict[str, tuple[str, str | None]] = {
    # class: name in our table, argument with its number
    "AtariWrapper": ("atari", "frame_skip"),
    "FrameSkip": ("frame-skip", "skip"),
    "ResizeObservation": ("resize", "shape"),
    "GrayScaleObservation": ("grayscale", None),
    "GrayscaleObservation": ("grayscale", None),
    "FlattenObservation": ("flatten", None),
    "TimeLimit": ("time-limit", "max_episode_steps"),
    "TimeAwareObservation": ("time-aware", None),
    "TimeFeatureWrapper": ("time-feature", None),
    "ClipAction": ("clip-action", None),
    "RescaleAction": ("rescale-action", None),
    "FlatObsWrapper": ("flat", None),
    "ImgObsWrapper": ("image", None),
    "FullyObsWrapper": ("full-view", None),
    "OneHotPartialObsWrapper": ("one-hot", None),
    "RGBImgPartialObsWrapper": ("pixels", None),
    "RGBImgObsWrapper": ("full-pixels", None),
}
WITHOUT_EFFECT = ("Monitor", "VecMonitor")
"""Wrappers that change nothing that an agent sees or does."""


@dataclass(frozen=True)
class ZooSettings:
    """How an agent's environment was made."""

    folder: Path
    wrappers: tuple[str, ...]
    """Names of our wrappers, the innermost first."""
    arguments: dict[str, Scalar]
    vec_normalize: Path | None


def find_zoo_folder(agent_path: Path, env: str) -> Path | None:
    """Return the folder that belongs to an agent's zip; None if there is none."""
    beside, base = agent_path.parent, env.rpartition("/")[2].rpartition("-v")[0]
    names = [agent_path.stem, env.rpartition(":")[2], env.replace("/", "-")]
    candidates = [beside / name for name in names if name]
    if base and "*" not in base:
        candidates += sorted(beside.glob(f"{base}-v[0-9]*"))
    return next((folder for folder in (*candidates, beside) if (folder / CONFIG).is_file()), None)


def find_vec_normalize(agent_path: Path) -> Path | None:
    """Return the statistics that lie beside a zip under its name, with `.vecnormalize.pkl` for `.zip`."""
    path = agent_path.with_name(f"{agent_path.stem}.vecnormalize.pkl")
    return path if path.is_file() else None


def read_zoo_folder(folder: Path, reads_wrappers: bool) -> ZooSettings:
    """Return what a folder says; `reads_wrappers` is off where the user has named the wrappers.

    Raises UserError if a file is damaged, or if it names a wrapper that is not known.
    """
    config = _read(folder / CONFIG)
    wrappers = _wrappers(config, folder / CONFIG) if reads_wrappers else ()
    arguments = _read(folder / ARGUMENTS).get("env_kwargs") if (folder / ARGUMENTS).is_file() else None
    if (folder / ENV_ARGUMENTS).is_file():
        arguments = {**_mapping(arguments), **_read(folder / ENV_ARGUMENTS)}
    normalizer = next((folder / name for name in NORMALIZERS if (folder / name).is_file()), None)
    if normalizer is None and _normalizes_observations(config):
        raise UserError(
            f"{shown_path(folder / CONFIG)}: the agent was trained on normalised observations, and there is no "
            f"{NORMALIZERS[0]} with it; name the file with --vec-normalize."
        )
    return ZooSettings(folder, wrappers, _scalars(_mapping(arguments), folder), normalizer)


def _wrappers(config: dict[str, Any], path: Path) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("env_wrapper", "vec_env_wrapper"):
        given = config.get(key)
        for entry in given if isinstance(given, list) else [given] if given else []:
            name, arguments = next(iter(entry.items())) if isinstance(entry, dict) and entry else (entry, {})
            found += _wrapper(str(name), _mapping(arguments), path)
    if config.get("frame_stack"):
        found.append(f"frame-stack={config['frame_stack']}")
    return tuple(found)


def _wrapper(name: str, arguments: dict[str, Any], path: Path) -> list[str]:
    last = name.rpartition(".")[2]
    if last in WITHOUT_EFFECT:
        return []
    if last not in NAMES or arguments.get("screen_size", 84) != 84:
        raise UserError(
            f"{shown_path(path)}: the agent was trained in the wrapper {on_one_line(name)[:80]}, which is not known "
            "here; name wrappers with --wrap, or make the environment in a function of your own, file.py:make_env."
        )
    ours, number_is = NAMES[last]
    number = arguments.get(number_is) if number_is is not None else None
    number = number[0] if isinstance(number, list) and number else number
    return [ours if number is None else f"{ours}={number}"]


def _normalizes_observations(config: dict[str, Any]) -> bool:
    """Say whether `normalize` (true, or the arguments of VecNormalize, which may be a text) concerns observations."""
    given, more = config.get("normalize"), _mapping(config.get("normalize_kwargs"))
    if isinstance(given, str):
        return given not in ("False", "false") and "'norm_obs': False" not in given
    return bool(given) and {**more, **_mapping(given)}.get("norm_obs", True) is not False


def _scalars(arguments: dict[str, Any], folder: Path) -> dict[str, Scalar]:
    for name, value in arguments.items():
        if not isinstance(value, str | int | float | bool | None):
            raise UserError(
                f"{shown_path(folder)}: the environment's argument '{on_one_line(str(name))[:60]}' is a "
                f"{type(value).__name__}, expected a number or a text; make the environment in a function of your own, "
                "file.py:make_env."
            )
    return cast(dict[str, Scalar], arguments)


def _mapping(value: Any) -> dict[str, Any]:
    """Return a dict, or what a list of pairs means as one; nothing for anything else."""
    if isinstance(value, dict):
        return {str(key): found for key, found in cast(dict[Any, Any], value).items()}
    pairs = cast(list[Any], value) if isinstance(value, list) else []
    while len(pairs) == 1 and isinstance(pairs[0], list) and pairs[0] and isinstance(pairs[0][0], list):
        pairs = pairs[0]  # the arguments of OrderedDict
    return {str(pair[0]): pair[1] for pair in pairs if isinstance(pair, list) and len(cast(list[Any], pair)) == 2}


def _read(path: Path) -> dict[str, Any]:
    """Return the settings in a YAML file; raises UserError if it cannot be read."""
    try:
        import yaml
    except ImportError as error:
        raise UserError(f"{shown_path(path)} needs PyYAML: pip install 'semantic-rl[sb3]'.") from error

    class PlainLoader(yaml.SafeLoader):
        """Makes plain values of what asks for Python objects."""

    def plain(loader: Any, tag: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    PlainLoader.add_multi_constructor("", plain)
    content = read_file(path, MOST_BYTES, WAY_OUT)
    try:
        return _mapping(yaml.load(content, PlainLoader))  # a SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{shown_path(path)} cannot be read: {on_one_line(str(error))[:200]}; {WAY_OUT}") from error
