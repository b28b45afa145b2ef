"""Settings of the command that lists the layers of an agent."""

from dataclasses import dataclass

from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class LayersConfig:
    """List the layers of an agent whose output can be recorded, in the order in which they run, with their sizes."""

    agent: Positional[str]
    """A run or checkpoint folder, the name of an agent that ships with the package, a zip of Stable-Baselines3 or
    sb3-contrib, or a function in a Python file that makes an agent (my_agent.py:make_agent), which is run."""
    env: str = ""
    """Gymnasium id of the environment that the agent plays. Agents that this package trained know theirs; a zip needs
    it unless it describes its spaces."""
    trust: bool = False
    """Let Stable-Baselines3 itself open the zip, with the Python objects in it. This runs any code that the file holds,
    so use it only if you trust whoever wrote it."""
    json: bool = False
    """Print JSON."""
