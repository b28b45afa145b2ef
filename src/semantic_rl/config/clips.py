"""Settings of the clips: which frames a clip shows, how it looks, and how the agent is played to get them."""

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

MAX_EPISODE_STEPS = 200
"""The default of `ClipSettings.max_episode_steps` in games that a successful agent ends."""


@dataclass(frozen=True)
class ClipSettings:
    """Which frames the clip of a cluster shows and how it looks; selection rule and defaults are the original's."""

    frames: int = 480
    """Number of frames in a video."""
    frames_per_second: int = 8
    """Playback speed in frames per second."""
    min_shot: int = 5
    """Shortest shot, in frames. A shot shows consecutive steps of one episode in one cluster."""
    max_shot: int = 20
    """Longest shot, in frames; longer ones are skipped, not cut."""
    success_fraction: float = 0.8
    """Use only episodes whose return is above this fraction of the game's maximum."""
    max_episode_steps: int | None = None
    """Use only episodes with at most this many steps; 0 sets no limit. By default the limit is 200, and none in games
    that go on until the agent fails."""
    all_episodes: bool = False
    """Use all episodes, whatever their return and length."""
    overlay: bool = False
    """Draw the cluster, the action and a progress bar of the shot on each frame."""
    video_size: int = 256
    """Width and height of the MP4 in pixels; 0 writes no MP4."""
    animation_size: int = 160
    """Width and height of the animated picture in pixels; 0 writes none."""
    animation_frames: int = 160
    """Number of frames in the animated picture; they are the first frames of the video."""
    format: Literal["webp", "gif"] = "webp"
    """File format of the animated picture."""
    seed: int = 0
    """Seed of the random choice of shots; if an agent is played, also of its episodes."""

    def __post_init__(self) -> None:
        at_least(self, 1, "frames", "frames_per_second", "min_shot", "animation_frames")
        within(self, 1, 50, "frames_per_second")
        at_least(self, 1, "max_shot")
        require(self.max_shot >= self.min_shot, "max_shot", self.max_shot, f"at least min_shot = {self.min_shot}")
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
    """Make a video and an animated picture of each cluster that show what the agent does while it is in the cluster."""

    source: Positional[Path]
    """Agent to play: a run folder, a checkpoint folder, or the name of an agent that ships with the package, such as
    sppo-coinrun ('semantic-rl agents' lists these names). Or a recording: then nothing is played, and the clips are
    cut from its frames."""
    out: Path
    """Folder in which the clips are written."""
    clips: ClipSettings = field(default_factory=ClipSettings)
    clustering: str | None = None
    """For a recording: clustering to show, the name of one that 'semantic-rl fit' made, or agent for what the agent
    itself learned; by default the one that the recording names."""
    max_steps: int = 200_000
    """For an agent: stop playing after this many states, even if a cluster still lacks frames."""
    distribution_mode: str | None = None
    """For an agent: difficulty of the game; by default the one that the agent was trained on."""
    num_levels: int | None = None
    """For an agent: number of levels to play, 0 for all; by default the levels that it was trained on."""
    start_level: int | None = None
    """For an agent: seed of the first of these levels; by default the one that it was trained on."""
    level_seed: int | None = None
    """For an agent: play only this level, instead of those of --num-levels and --start-level."""
    num_envs: int = 64
    """For an agent: number of environments that are played in parallel."""
    device: Device = "auto"
    """For an agent: where the network runs; auto uses CUDA if there is a device."""
    precision: Precision = "auto"
    """For an agent: number format of the convolutions; auto uses bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """For an agent: number of CPU threads of the network; 0 leaves the choice to PyTorch."""
    names: Path | None = None
    """For an agent: a recording of the same agent; the names that its clusters were given go into the clips' titles."""
    keep_recording: bool = False
    """For an agent: keep the episodes that were played, in the folder 'playing' below --out; with --resume, other clips
    can be made from them."""
    resume: bool = False
    """For an agent: continue with episodes that an earlier call kept, or left when it was interrupted."""

    def __post_init__(self) -> None:
        above_zero(self, "max_steps", most=MOST_STEPS)
        check_levels(self.num_levels, self.start_level, self.level_seed)
        within(self, 1, 32767, "num_envs")
        within(self, 0, MOST_THREADS, "num_threads")
