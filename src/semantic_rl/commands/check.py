"""semantic-rl check."""

import json
import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import CheckConfig
from semantic_rl.progress_bar import SECONDS_BEFORE_PROGRESS, phase_bar


def run(arguments: list[str]) -> None:
    """Check a path, print what is right and wrong, and exit with 1 if something is wrong."""
    config = parse(CheckConfig, arguments, "check")
    from semantic_rl.checking import check

    with phase_bar("checking", after_seconds=SECONDS_BEFORE_PROGRESS) as on_progress:
        found = check(config.path, on_progress)
    print(json.dumps(found.to_json(), indent=2) if config.json else found.table())
    if not found.is_right:
        sys.exit(1)
