"""Settings of the explorer."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, MOST_PERPLEXITY, at_least, require, within, without_effect
from semantic_rl.config.markers import Positional

MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class ExploreConfig:
    """Open a page in the browser on which one wanders through what an agent has learned, or write it into one file."""

    recording: Positional[Path]
    """Recording folder, or the name of an agent that ships with the package: its states are recorded first."""
    other: Positional[Path | None] = None
    """A second recording, to see both side by side."""
    port: int = 8765
    """Port of the page; where it is in use, the next free one is taken. 0 takes any."""
    host: str = "127.0.0.1"
    """Address to listen on; any but this machine's own lets others in, who then need the token in the address."""
    browser: bool = True
    """By default the page is opened in the browser; --no-browser only says where it is."""
    export: Path | None = None
    """Write the page with its data into this one file instead, which needs no server and no network."""
    frames: int = 2_000
    """Export: states, in whole episodes, whose frames are in the file; 0 for none."""
    max_points: int = MOST_POINTS
    """Points on the map; of more states, so many are drawn at random. Lists and counts are of all states."""
    tsne_states: int = 30_000
    """Points that t-SNE places."""
    perplexity: float = 30.0
    """Perplexity of t-SNE; of fewer than three times as many states, as much as they allow."""
    author: str = ""
    """Whom notes are signed with, where the page gives no name; by default your login name."""
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
        if self.export is None:
            without_effect(self, "only --export writes frames into a file", "frames")
        else:
            without_effect(self, "--export writes a file and serves nothing", "port", "host", "browser", "author")
