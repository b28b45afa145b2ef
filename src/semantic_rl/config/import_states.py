"""Settings of importing states that exist already."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import require
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class ImportStatesConfig:
    """Make a recording of states that exist already, without an agent or an environment.

    The columns: features (needed), observation, pictures, action, reward, value, log_probs, episode, done, terminated,
    truncated, level, success. Other columns of numbers or texts are kept as further columns. Nothing in the file is
    executed.
    """

    file: Positional[Path]
    """A .parquet file, or an .npz file of arrays with a row for each state."""
    out: Path
    """Recording folder to create."""
    env: str | None = None
    """Name of the environment that readers see; by default that of the file."""
    frame_size: int = 256
    """Longer side in pixels of the pictures that people look at; smaller ones stay as they are. 0 leaves them out."""
    steps_per_second: float = 15.0
    """Speed at which people see the states played."""

    def __post_init__(self) -> None:
        require(
            self.frame_size == 0 or 16 <= self.frame_size <= 512,
            "frame_size",
            self.frame_size,
            "0 (no pictures) or a number from 16 to 512",
        )
        require(
            0 < self.steps_per_second <= 1000,
            "steps_per_second",
            self.steps_per_second,
            "a number above 0 and of at most 1000",
        )
