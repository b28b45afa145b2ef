"""Opens a zip as Stable-Baselines3 itself does, pickles included: only for files whose author is trusted.

Pickled objects that are not needed to act, and that often cannot be opened years later, are replaced: the spaces, which
come from the environment, schedules, buffers and the last observations.
"""

from importlib import import_module
from typing import Any

from semantic_rl.agents.sb3_spaces import in_words, policy_spaces
from semantic_rl.agents.sb3_zip import Sb3File
from semantic_rl.agents.spaces import Spaces
from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import shown_path

NOT_NEEDED = ("_last_obs", "_last_original_obs", "_last_episode_starts", "_last_dones", "ep_info_buffer",
              "ep_success_buffer", "action_noise", "tensorboard_log", "clip_range_vf")  # fmt: skip
SCHEDULES = ("lr_schedule", "clip_range", "exploration_schedule", "delta_std_schedule")
SMALLEST = {"n_envs": 1, "n_steps": 2, "buffer_size": 1}
"""Settings that decide how much memory the library reserves for training."""


def load_trusted(file: Sb3File, spaces: Spaces) -> Any:
    """Return the model, on the CPU. This runs any code that the file holds. Raises UserError if that fails."""
    from stable_baselines3.common.save_util import load_from_zip_file

    wanted = policy_spaces(spaces)
    replaced: dict[str, Any] = {name: None for name in NOT_NEEDED if name in file.data}
    replaced |= {name: _no_schedule for name in SCHEDULES if name in file.data}
    replaced |= {"observation_space": wanted.observation, "action_space": wanted.action, "learning_rate": 0.0}
    smallest = {name: value for name, value in SMALLEST.items() if name in file.data}
    if "buffer_size" in smallest:
        smallest.pop("n_steps", None)  # there it is that of returns
    try:
        data, _, _ = load_from_zip_file(file.path, device="cpu", custom_objects=replaced)
        algorithm = _algorithm(data or {}, file)
        return algorithm.load(file.path, device="cpu", custom_objects=replaced, **smallest)
    except UserError:
        raise
    except Exception as error:  # the file's own code runs here
        said = on_one_line(f"{type(error).__name__}: {error}")[:200]
        raise UserError(
            f"{shown_path(file.path)}: Stable-Baselines3 cannot open it for observations "
            f"{in_words(wanted.observation)} and actions "
            f"{in_words(wanted.action)} ({said}); if a module is missing, put its folder into PYTHONPATH."
        ) from error


def _no_schedule(progress_remaining: float) -> float:
    return 0.0


def _algorithm(data: dict[str, Any], file: Sb3File) -> Any:
    """Return the class of the library whose policies the zip's policy class derives from."""
    policy_class = data.get("policy_class")
    on_policy = ("sb3_contrib", "TRPO") if "cg_max_steps" in data else ("stable_baselines3", "A2C")
    if "clip_range" in data:
        on_policy = ("stable_baselines3", "PPO")
    for module, name, (package, algorithm) in (
        ("sb3_contrib.common.recurrent.policies", "RecurrentActorCriticPolicy", ("sb3_contrib", "RecurrentPPO")),
        ("sb3_contrib.common.maskable.policies", "MaskableActorCriticPolicy", ("sb3_contrib", "MaskablePPO")),
        ("stable_baselines3.common.policies", "ActorCriticPolicy", on_policy),
        ("stable_baselines3.dqn.policies", "DQNPolicy", ("stable_baselines3", "DQN")),
        ("stable_baselines3.sac.policies", "SACPolicy", ("stable_baselines3", "SAC")),
        ("stable_baselines3.td3.policies", "TD3Policy", ("stable_baselines3", "TD3")),
        ("sb3_contrib.qrdqn.policies", "QRDQNPolicy", ("sb3_contrib", "QRDQN")),
        ("sb3_contrib.tqc.policies", "TQCPolicy", ("sb3_contrib", "TQC")),
        ("sb3_contrib.ars.policies", "ARSPolicy", ("sb3_contrib", "ARS")),
    ):
        if isinstance(policy_class, type) and issubclass(policy_class, getattr(import_module(module), name)):
            return getattr(import_module(package), algorithm)
    name = on_one_line(getattr(policy_class, "__name__", str(policy_class)))[:80]
    raise UserError(
        f"{shown_path(file.path)}: its policy class '{name}' derives from none of the library's; wrap its network with "
        "semantic_rl.module_agent."
    )
