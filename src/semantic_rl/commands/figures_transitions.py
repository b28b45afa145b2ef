"""semantic-rl figures transitions."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import TransitionsFigureConfig


def run(arguments: list[str]) -> None:
    """Draw the transition matrix and graph and print the paths."""
    config = parse(TransitionsFigureConfig, arguments, "figures transitions")
    from semantic_rl.figures.transitions import make_transitions

    for path in make_transitions(config.recording, config.out, config.clustering):
        print(path)
