"""semantic-rl train."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import TrainConfig


def run(arguments: list[str]) -> None:
    """Train an agent."""
    config = parse(TrainConfig, arguments, "train")
    from semantic_rl.training.train import train

    train(config)
