"""Settings of the explorer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import MAX_SEED, MOST_PERPLEXITY, at_least, require, within, without_effect
from semantic_rl.config.figures import EmbeddingsFigureConfig
from semantic_rl.config.markers import Positional

MOST_POINTS = 1_000_000
ALL = "all"


@dataclass(frozen=True)
class ExploreConfig:
    """Open an interactive page of a recording in the browser, or write this page into a single file."""

    recording: Positional[Path]
    """Recording folder, or the name of an agent that ships with the package: then its states are recorded first."""
    other: Positional[Path | None] = None
    """A second recording, to show both side by side."""
    clustering: str | None = None
    """Clustering to show: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned; by
    default the one that the recording names."""
    other_clustering: str | None = None
    """Clustering of the second recording, which may be the same one: to show two clusterings side by side."""
    port: int = 8765
    """Port of the page. If it is in use, the next free port is used; 0 uses any free port."""
    host: str = "127.0.0.1"
    """Address to listen on. The default admits this machine only; with another address, people on other machines can
    open the page if they know the token in its URL."""
    browser: bool = True
    """By default the page is opened in the browser; --no-browser only prints its address."""
    export: Path | None = None
    """Write the page and its data into this HTML file instead; the file needs no server and no network."""
    frames: int = 2_000
    """With --export: number of states, in whole episodes, whose frames are in the file; 0 for none."""
    planes: tuple[Literal["fdr", "tsne", "pca"], ...] = ("fdr", "tsne", "pca")
    """With --export: the planes that are in the file, as far as the recording has them."""
    columns: tuple[str, ...] = (ALL,)
    """With --export: all, none, or those of these columns that are in the file besides what every file has:
    uncertainty, return_to_go, columns of your own."""
    max_points: int = MOST_POINTS
    """Largest number of points on the map; of a larger recording, a random sample is drawn. Lists and counts always
    cover all states."""
    tsne_states: int = EmbeddingsFigureConfig.max_states
    """Number of states that t-SNE places."""
    perplexity: float = EmbeddingsFigureConfig.perplexity
    """Perplexity of t-SNE; at most a third of the number of states."""
    author: str = ""
    """Name that signs notes if the page gives none; by default your login name."""
    seed: int = 0
    """Seed of all random choices."""

    def __post_init__(self) -> None:
        within(self, 0, 65535, "port")
        require(
            self.host.isprintable() and bool(self.host) and " " not in self.host,
            "host",
            self.host,
            "an address of this machine, like 127.0.0.1",
        )
        at_least(self, 0, "frames")
        within(self, 1, MOST_POINTS, "max_points")
        at_least(self, 10, "tsne_states")
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        within(self, 0, MAX_SEED, "seed")
        require(
            self.export is None or self.export.suffix.lower() in (".html", ".htm"),
            "export",
            str(self.export),
            "a file name that ends in .html",
        )
        require(
            self.export is None or self.other is None,
            "other",
            str(self.other),
            "one recording with --export: a file shows one",
        )
        if self.other is None:
            without_effect(self, "there is no second recording", "other_clustering")
        if self.export is None:
            without_effect(self, "only --export writes a file", "frames", "planes", "columns")
        else:
            without_effect(self, "--export writes a file and serves nothing", "port", "host", "browser", "author")
