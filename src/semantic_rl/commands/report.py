"""semantic-rl report."""

import sys

from semantic_rl.commands.parse import parse
from semantic_rl.config import ReportConfig


def run(arguments: list[str]) -> None:
    """Write the report and print its path."""
    config = parse(ReportConfig, arguments, "report")
    from rich.console import Console
    from rich.progress import Progress

    from semantic_rl.recording.store import open_recording
    from semantic_rl.report import make_report

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("", total=None)
        path = make_report(
            config, lambda what, done, total: bars.update(task, description=what, completed=done, total=total)
        )
    note = open_recording(config.recording, with_frames=False, clustering=config.clustering).clusters_note
    if note is not None:
        print(f"note: {note}", file=sys.stderr)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
