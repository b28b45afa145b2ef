"""semantic-rl explore."""

from dataclasses import replace

from semantic_rl.commands.parse import parse
from semantic_rl.config import ExploreConfig


def run(arguments: list[str]) -> None:
    """Serve the page until interrupted, or export it into a file."""
    config = parse(ExploreConfig, arguments, "explore")
    from semantic_rl.find_or_record import find_or_record

    other = config.other and find_or_record(config.other)
    explore(replace(config, recording=find_or_record(config.recording), other=other))


def explore(config: ExploreConfig) -> None:
    """Serve or export the recordings that the settings name."""
    from semantic_rl.explorer.open_recordings import open_views

    if config.export is None:
        from semantic_rl.explorer.server.serve import serve

        serve(open_views(config), config)
        return
    from semantic_rl.explorer.export.choice import read_choice
    from semantic_rl.explorer.export.html_file import check_place, export

    check_place(config.export)
    (view,) = open_views(config)
    exported = export(view, config.export, read_choice(view, config.frames, config.planes, config.columns))
    print(f"{config.export}: {config.export.stat().st_size / 1e6:.1f} MB. {exported.frames_text}")
