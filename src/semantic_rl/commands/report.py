"""semantic-rl report."""

import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import ReportConfig
from semantic_rl.progress_bar import phase_bar


def run(arguments: list[str]) -> None:
    """Write the report and print its path."""
    config = parse(ReportConfig, arguments, "report")
    from semantic_rl.recording.store import open_recording
    from semantic_rl.report import make_report

    with phase_bar("report") as on_progress:
        path = make_report(config, on_progress)
    note = open_recording(config.recording, with_frames=False, clustering=config.clustering).clusters_note
    if note is not None:
        print(f"note: {note}", file=sys.stderr)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
