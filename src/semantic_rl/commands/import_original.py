"""semantic-rl import-original."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import ImportOriginalConfig


def run(arguments: list[str]) -> None:
    """Make a run folder from an original checkpoint and print its path."""
    config = parse(ImportOriginalConfig, arguments, "import-original")
    from semantic_rl.original.import_checkpoint import import_original

    print(import_original(config))
