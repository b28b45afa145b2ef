"""The recording folder: written by `record`, read by everything that shows or measures an agent. Needs no PyTorch.

from semantic_rl.recording.store import open_recording
recording = open_recording("recordings/coinrun")
recording.states, recording.episodes, recording.frame(0)
"""

from semantic_rl.recording.store.clusterings import Clustering
from semantic_rl.recording.store.reader import Recording, open_recording

__all__ = ["Clustering", "Recording", "open_recording"]
