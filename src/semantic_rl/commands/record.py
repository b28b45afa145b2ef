"""semantic-rl record."""

import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import RecordConfig


def run(arguments: list[str]) -> None:
    """Make a recording and print what is in it."""
    config = parse(RecordConfig, arguments, "record")
    from semantic_rl.recording.record import record
    from semantic_rl.recording.store import open_recording

    recording = open_recording(record(config))
    print(recording.summary())
    if recording.untrained_note is not None:
        print(f"note: {recording.untrained_note}", file=sys.stderr)
