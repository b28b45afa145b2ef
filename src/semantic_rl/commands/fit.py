"""semantic-rl fit."""

import sys

from semantic_rl.called_flags import as_called
from semantic_rl.commands.parse import parse
from semantic_rl.config import FitConfig
from semantic_rl.progress_bar import SECONDS_BEFORE_PROGRESS, phase_bar


def run(arguments: list[str]) -> None:
    """Fit a clustering, print its scores beside the baselines' and where it is."""
    config = parse(FitConfig, arguments, "fit")
    from semantic_rl.clustering.fit import run_fit
    from semantic_rl.clustering.judging import missing_scores, scores_table
    from semantic_rl.recording.store.clusterings import FITTED_NOTE

    with phase_bar("fitting", after_seconds=SECONDS_BEFORE_PROGRESS) as on_progress:
        try:
            found = run_fit(config, on_progress)
        except (KeyboardInterrupt, SystemExit):
            if config.apply is None:
                said = "stopped. If the fit had begun, the same command with --resume continues it."
                print(as_called(said), file=sys.stderr)
            raise
    clustering = found.clustering
    about, judged = clustering.description["fitted_to"], clustering.description["judged_on"]
    print(scores_table(clustering.scores, clustering.name))
    for sentence in missing_scores(clustering.scores, judged["num_states"]):
        print(sentence)
    print(
        f"\nFitted to {about['num_states']:,} states; scores are of {judged['num_states']:,} held-out states "
        f"({judged['held_out']})."
    )
    print(FITTED_NOTE)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(clustering.folder)
