"""semantic-rl pack."""

import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import PackConfig


def run(arguments: list[str]) -> None:
    """Pack an agent and print the folder."""
    config = parse(PackConfig, arguments, "pack")
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.agents.pack import pack

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("playing", total=config.episodes)
        out = pack(config, lambda done, total: bars.update(task, completed=done, total=total))
    print(out)
