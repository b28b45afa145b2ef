"""semantic-rl check."""

import json
import sys
import time

from semantic_rl.commands.parse import parse
from semantic_rl.config import CheckConfig

SECONDS_BEFORE_PROGRESS = 2.0


def run(arguments: list[str]) -> None:
    """Check a path, print what is right and wrong, and exit with 1 if something is wrong."""
    config = parse(CheckConfig, arguments, "check")
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.checking import check

    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("checking", total=None, visible=False)

        def report(what: str, done: int, total: int) -> None:
            visible = time.monotonic() - began > SECONDS_BEFORE_PROGRESS
            bars.update(task, description=what, completed=done, total=total, visible=visible)

        found = check(config.path, report)
    print(json.dumps(found.to_json(), indent=2) if config.json else found.table())
    if not found.is_right:
        sys.exit(1)
