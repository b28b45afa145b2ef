"""semantic-rl clips."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import ClipsConfig


def run(arguments: list[str]) -> None:
    """Make the clips, say which ones are too short, and print the paths."""
    config = parse(ClipsConfig, arguments, "clips")
    from semantic_rl.clips.play_agent import make

    for path in make(config):
        print(path)
