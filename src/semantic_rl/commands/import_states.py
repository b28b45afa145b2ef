"""semantic-rl import-states."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import ImportStatesConfig


def run(arguments: list[str]) -> None:
    """Make a recording of states that exist already and print what is in it."""
    config = parse(ImportStatesConfig, arguments, "import-states")
    from semantic_rl.recording.own_data.import_states import import_states
    from semantic_rl.recording.store import open_recording

    print(open_recording(import_states(config)).summary())
