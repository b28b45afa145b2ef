"""Clips: for each cluster a video of what the agent does while it is in that cluster.

from semantic_rl.clips import ClipSettings, make_clips
make_clips(open_recording("recordings/coinrun"), Path("clips"), ClipSettings(overlay=True))
"""

from semantic_rl.clips.choose import Shot, choose_shots
from semantic_rl.clips.make import Clip, make_clips
from semantic_rl.config.clips import ClipSettings

__all__ = ["Clip", "ClipSettings", "Shot", "choose_shots", "make_clips"]
