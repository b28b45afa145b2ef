"""Sets a run beside the original's curves at the same updates.

    python benchmarks/learning_check.py RUN/progress.csv ORIGINAL_CURVES.csv.gz --game coinrun [--first 81 --last 100]

Prints the means over the updates from --first to --last of return, entropy, clip fraction, approximate KL, FDR and VQ
loss: ours, and those of each seed of the original.
"""

import argparse
from pathlib import Path

import polars as pl

COLUMNS = {
    "return": ("eprewmean", "eprewmean"),
    "episode length": ("eplenmean", "eplenmean"),
    "entropy": ("loss/policy_entropy", "policy_entropy"),
    "clip fraction": ("loss/clipfrac", "clipfrac"),
    "approximate KL": ("loss/approxkl", "approxkl"),
    "value loss": ("loss/value_loss", "value_loss"),
    "FDR loss": ("loss/skill_loss", "skill_loss"),
    "VQ loss": ("loss/vq_loss", "vq_loss"),
}


def main() -> None:
    """Print the comparison as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("progress", type=Path)
    parser.add_argument("original", type=Path)
    parser.add_argument("--algorithm", default="sppo")
    parser.add_argument("--game", default="coinrun")
    parser.add_argument("--first", type=int, default=81)
    parser.add_argument("--last", type=int, default=100)
    arguments = parser.parse_args()
    between = pl.col("update").is_between(arguments.first, arguments.last)
    ours = pl.read_csv(arguments.progress, infer_schema_length=None).rename({"misc/nupdates": "update"}).filter(between)
    original = pl.read_csv(arguments.original, infer_schema_length=None).filter(
        between & (pl.col("algorithm") == arguments.algorithm) & (pl.col("game") == arguments.game)
    )
    seeds = original["seed"].unique().sort().to_list()
    print(
        f"| mean of updates {ours['update'].min()}–{ours['update'].max()} | ours | "
        + " | ".join(f"original, seed {seed}" for seed in seeds)
        + " |"
    )
    print("|---|---|" + "---|" * len(seeds))
    for label, (our_column, their_column) in COLUMNS.items():
        if our_column not in ours.columns:
            continue
        theirs = [original.filter(pl.col("seed") == seed)[their_column].mean() for seed in seeds]
        print(f"| {label} | {ours[our_column].mean():.4g} | " + " | ".join(f"{value:.4g}" for value in theirs) + " |")


if __name__ == "__main__":
    main()
