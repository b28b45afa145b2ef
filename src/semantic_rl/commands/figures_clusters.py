"""semantic-rl figures clusters."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import ClustersFigureConfig


def run(arguments: list[str]) -> None:
    """Draw the cluster cards and print the paths."""
    config = parse(ClustersFigureConfig, arguments, "figures clusters")
    from semantic_rl.figures.clusters import make_clusters

    for path in make_clusters(config.recording, config.out, config.seed, config.clustering):
        print(path)
