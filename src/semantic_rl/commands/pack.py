"""semantic-rl pack."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import PackConfig
from semantic_rl.progress_bar import progress_bar


def run(arguments: list[str]) -> None:
    """Pack an agent and print the folder."""
    config = parse(PackConfig, arguments, "pack")
    from semantic_rl.agents.pack import pack

    with progress_bar("playing", config.episodes) as on_progress:
        out = pack(config, on_progress)
    print(out)
