"""Settings of the clips: what goes into one, what it looks like, and how an agent is played for them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import (
    MOST_STEPS,
    MOST_THREADS,
    Device,
    Precision,
    above_zero,
    at_least,
    require,
    within,
    without_effect,
)
from semantic_rl.config.levels import check_levels
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class ClipSettings:
    """What goes into the clip of a cluster, and what it looks like; the rule and its numbers are the original's."""

    frames: int = 480
    """Frames of a video."""
    frames_per_second: int = 8
    """Frames shown in a second."""
    min_run: int = 5
    """Shortest run of consecutive frames in the cluster that is shown."""
    max_run: int = 20
    """Longest run that is shown; longer ones are left out, not cut."""
    success_fraction: float = 0.8
    """Only episodes count whose return is above this fraction of the game's maximum."""
    max_episode_steps: int | None = None
    """Only episodes of at most so many steps count, 0 for all; by default 200, and all in starpilot and fruitbot."""
    all_episodes: bool = False
    """Take all episodes, whatever their return and length."""
    overlay: bool = False
    """Show cluster, action and how far the run is on each frame."""
    video_size: int = 256
    """Width and height of the MP4; 0 for none."""
    animation_size: int = 160
    """Width and height of the animated picture; 0 for none."""
    animation_frames: int = 160
    """Frames of the animated picture, the first ones of the video."""
    format: Literal["webp", "gif"] = "webp"
    """Format of the animated picture."""
    seed: int = 0
    """Seed of the choice among runs; an agent plays with it, too."""

    def __post_init__(self) -> None:
        at_least(self, 1, "frames", "frames_per_second", "min_run", "animation_frames")
        within(self, 1, 50, "frames_per_second")
        at_least(self, 1, "max_run")
        require(self.max_run >= self.min_run, "max_run", self.max_run, f"at least min_run = {self.min_run}")
        within(self, -1e9, 1e9, "success_fraction")
        if self.max_episode_steps is not None:
            at_least(self, 0, "max_episode_steps")
        for name in ("video_size", "animation_size"):
            size = getattr(self, name)
            require(
                size == 0 or (64 <= size <= 512 and size % 2 == 0), name, size, "0 (none) or an even number, 64 to 512"
            )
        require(
            self.video_size + self.animation_size > 0,
            "animation_size",
            self.animation_size,
            "a number above 0 where video_size is 0 as well: there would be nothing to write",
        )
        within(self, 0, 2**31 - 1, "seed")
        if self.all_episodes:
            reason = "--all-episodes takes every episode"
            without_effect(self, reason, "success_fraction", "max_episode_steps")
        if self.animation_size == 0:
            without_effect(self, "--animation-size 0 makes no animated pictures", "animation_frames", "format")


@dataclass(frozen=True)
class ClipsConfig:
    """Make a video and an animated picture for each cluster: what the agent does when it is in it."""

    source: Positional[Path]
    """Agent to play: a run folder, a checkpoint folder, or the name of one that ships with the package, such as
    sppo-coinrun ('semantic-rl agents' lists them). Or a recording, of which only what is in it is taken."""
    out: Path
    """Folder to make the clips in."""
    clips: ClipSettings = field(default_factory=ClipSettings)
    max_steps: int = 200_000
    """Agent: stop playing after so many states, though a cluster may still lack frames."""
    distribution_mode: str | None = None
    """Agent: difficulty of the game; by default the one it was trained on."""
    num_levels: int | None = None
    """Agent: levels to play, 0 for all; by default those it was trained on."""
    start_level: int | None = None
    """Agent: seed of the first of these levels; by default the one it was trained on."""
    level_seed: int | None = None
    """Agent: play this one level and no other, in place of --num-levels and --start-level."""
    num_envs: int = 64
    """Agent: environments that play side by side."""
    device: Device = "auto"
    """Agent: where the network runs; auto takes CUDA where there is a device."""
    precision: Precision = "auto"
    """Agent: arithmetic of the convolutions; auto takes bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """Agent: CPU threads of the network; 0 leaves PyTorch's choice."""
    names: Path | None = None
    """Agent: a recording of the same agent, whose names of clusters go into the clips' titles."""
    keep_recording: bool = False
    """Agent: keep what was played, in the folder playing; with resume other clips can be made of it."""
    resume: bool = False
    """Agent: go on with what was played before, and interrupted or kept."""

    def __post_init__(self) -> None:
        above_zero(self, "max_steps", most=MOST_STEPS)
        check_levels(self.num_levels, self.start_level, self.level_seed)
        within(self, 1, 32767, "num_envs")
        within(self, 0, MOST_THREADS, "num_threads")
