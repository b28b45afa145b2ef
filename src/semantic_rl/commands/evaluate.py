"""semantic-rl evaluate."""

import json
import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import EvaluateConfig


def run(arguments: list[str]) -> None:
    """Play whole episodes and print the scores, as a table or as JSON."""
    config = parse(EvaluateConfig, arguments, "evaluate")
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.evaluate import evaluate
    from semantic_rl.evaluate_foreign import evaluate_foreign
    from semantic_rl.recording.record.open_subject import is_our_agent, refuse_environment

    play = evaluate_foreign
    if is_our_agent(config.agent):
        refuse_environment(config)
        play = evaluate
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("playing", total=config.episodes)
        result = play(config, lambda done, total: bars.update(task, completed=done, total=total))
    print(json.dumps(result.to_json()) if config.json else result.table())
