"""semantic-rl evaluate."""

import json

from semantic_rl.commands.parse import parse
from semantic_rl.config import EvaluateConfig
from semantic_rl.progress_bar import progress_bar


def run(arguments: list[str]) -> None:
    """Play whole episodes and print the scores, as a table or as JSON."""
    config = parse(EvaluateConfig, arguments, "evaluate")
    from semantic_rl.evaluate import evaluate
    from semantic_rl.evaluate_foreign import evaluate_foreign
    from semantic_rl.recording.record.open_subject import is_our_agent, refuse_environment

    play = evaluate_foreign
    if is_our_agent(config.agent):
        refuse_environment(config)
        play = evaluate
    with progress_bar("playing", config.episodes) as on_progress:
        result = play(config, on_progress)
    print(json.dumps(result.to_json()) if config.json else result.table())
