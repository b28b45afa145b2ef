"""semantic-rl figures embeddings."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import EmbeddingsFigureConfig


def run(arguments: list[str]) -> None:
    """Draw the FDR space beside t-SNE and print the paths."""
    config = parse(EmbeddingsFigureConfig, arguments, "figures embeddings")
    from semantic_rl.figures.embeddings import make_embeddings

    for path in make_embeddings(
        config.recording,
        config.out,
        clustering=config.clustering,
        color=config.color,
        max_states=config.max_states,
        perplexity=config.perplexity,
        seed=config.seed,
        num_threads=config.num_threads,
    ):
        print(path)
