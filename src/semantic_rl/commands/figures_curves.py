"""semantic-rl figures curves."""

from semantic_rl.commands.parse import parse
from semantic_rl.config import CurvesFigureConfig


def run(arguments: list[str]) -> None:
    """Draw the learning curves, print the final scores and the paths."""
    config = parse(CurvesFigureConfig, arguments, "figures curves")
    from semantic_rl.figures.curve_panels import make_curves

    paths, table = make_curves(
        config.run_root,
        config.out,
        config.env,
        config.distribution_mode,
        config.num_levels,
        skip_updates=config.skip_updates,
        smoothing=config.smoothing,
        normalized=config.normalize,
        interval=config.interval,
        show_runs=config.show_runs,
        max_steps=config.max_steps,
        final_updates=config.final_updates,
        original_workers=config.original_workers,
        seed=config.seed,
    )
    print(table, end="\n\n")
    for path in paths:
        print(path)
