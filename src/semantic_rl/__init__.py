"""Deep reinforcement learning with visible clusters of states: PPO with a semantic clustering module."""

from typing import Any

__version__ = "0.1.0"


def explore(recording: Any, other: Any = None, height: int = 760, port: int = 0) -> Any:
    """Show the explorer of one recording, or of two side by side, in a notebook, as `semantic-rl explore` does.

    `recording` and `other` are folders, or results of `open_recording`. The result is displayed if it is the last value
    of a cell; its `stop()` ends the server behind it. Raises UserError if a recording cannot be opened.
    """
    from importlib import import_module  # imported here so that importing the package stays cheap

    return import_module("semantic_rl.explorer.notebook").explore(recording, other, height, port)


def open_agent(what: Any, env: Any = None, layer: str | None = None, trust: bool = False, **settings: Any) -> Any:
    """Open an agent: a run, a shipped name, a zip of Stable-Baselines3, or file.py:function.

    See `semantic_rl.agents.open.open_agent`.
    """
    from importlib import import_module

    return import_module("semantic_rl.agents.open").open_agent(what, env, layer, trust, **settings)


def sb3_agent(model: Any, layer: str | None = None) -> Any:
    """Wrap a model of Stable-Baselines3 or sb3-contrib that is in memory; see `semantic_rl.agents.sb3.sb3_agent`."""
    from importlib import import_module

    return import_module("semantic_rl.agents.sb3").sb3_agent(model, layer)


def module_agent(network: Any, layer: str, env: Any, policy_kind: Any = None, **settings: Any) -> Any:
    """Make an agent of a torch.nn.Module and one of its layers; see `semantic_rl.agents.module.module_agent`."""
    from importlib import import_module

    return import_module("semantic_rl.agents.module").module_agent(network, layer, env, policy_kind, **settings)


def record(agent: Any, env: str, out: Any, num_states: int | None = None, **settings: Any) -> Any:
    """Let an agent play and record the states that it visits; returns the opened recording.

    `agent` is what `open_agent` returns, `env` a Gymnasium id, a Procgen game or file.py:function, `out` the folder to
    create. Further settings are those of `semantic-rl record`, such as `wrap=("atari",)`, `frame_size=0`, `seed=1`.
    Raises UserError if the agent does not fit the environment or if the folder exists.
    """
    from importlib import import_module

    return import_module("semantic_rl.recording.record.library").record(agent, env, out, num_states, **settings)


class RecordingWriter:
    """Makes a recording of what your own loop plays; see `semantic_rl.recording.own_data.writer`.

    with semantic_rl.RecordingWriter("recordings/mine", "CartPole-v1") as writer:
        writer.add_episode(observations=…, actions=…, features=…, rewards=…, terminated=True)
    """

    def __new__(cls, *arguments: Any, **settings: Any) -> Any:
        from importlib import import_module

        return import_module("semantic_rl.recording.own_data.writer").RecordingWriter(*arguments, **settings)


def open_recording(path: Any, clustering: str | None = None) -> Any:
    """Open a finished recording: `.states`, `.episodes`, `.frame(row)`; see `semantic_rl.recording.store`.

    `clustering` names the clustering whose plane and clusters the states have; None takes the recording's default.
    """
    from importlib import import_module

    return import_module("semantic_rl.recording.store").open_recording(path, clustering=clustering)


def fit(recording: Any, num_codes: int | None = None, **settings: Any) -> Any:
    """Fit a plane and `num_codes` clusters to the features of a recording and write them into it, as `fit` does.

    `recording` is a folder or the result of `open_recording`; `settings` are those of `config.FitConfig`. Returns a
    `Clustering`, whose `place(features)` returns the places and clusters of further states. Raises UserError.
    """
    from importlib import import_module

    return import_module("semantic_rl.clustering.fit").fit(recording, num_codes, **settings)
