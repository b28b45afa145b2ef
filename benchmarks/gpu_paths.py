"""Trains the same agent by each of the ways that a GPU has, and sets what they learn beside the original.

    python benchmarks/gpu_paths.py OUT_FOLDER [--start RUN] [--updates 200] [--ways kernels plain fp32] [--device cuda]
        [--limit 150] [--original ORIGINAL_CURVES.csv.gz]

The ways: `kernels` is what a GPU takes by default; `plain` is bf16 without our Triton kernels, so with PyTorch's layers
and loss; `fp32` is float32, which has none of the kernels either. Each trains SPPO on Ninja, seed 2021, in a folder and
a process of its own, until update `--updates` or for at most `--limit` seconds; with `--start`, from a copy of that
run. Prints a table of FDR and VQ loss, value loss, λ and return, by windows of updates. The losses of the semantic
module are nearly free of chance: the original's three seeds differ by 2% in the FDR loss. So a way that computes
something else shows in them long before it shows in the return.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl

SOURCE = Path(__file__).resolve().parent.parent / "src"
RUN = "sppo-ninja_easy_0_0_2021"
WAYS = ("kernels", "plain", "fp32")
WITHOUT_KERNELS = (
    "import semantic_rl.triton_support as support; support.can_start_kernels = lambda device: False; "
    "from semantic_rl.cli import main; main()"
)
COLUMNS = {
    "FDR": ("loss/skill_loss", "skill_loss"),
    "VQ": ("loss/vq_loss", "vq_loss"),
    "value loss": ("loss/value_loss", "value_loss"),
    "λ": ("semantic/weight", None),
    "return": ("eprewmean", "eprewmean"),
}
WINDOW = 20
"""Updates that are averaged."""
NUM_STEPS = 16_384
"""Of an update."""


def train(way: str, arguments: argparse.Namespace) -> Path:
    """Train by one way, and return the run's log."""
    root = arguments.out / way
    run = root / RUN
    if arguments.start is not None and not run.exists():
        shutil.copytree(arguments.start, run)
    command = [sys.executable, *(("-m", "semantic_rl.cli") if way == "kernels" else ("-c", WITHOUT_KERNELS)), "train"]
    settings = {
        "algorithm": "sppo", "env": "ninja", "seed": 2021, "timesteps": arguments.updates * NUM_STEPS,
        "run-root": root, "device": arguments.device, "precision": "fp32" if way == "fp32" else "auto",
        "checkpoint-interval": 250,
    }  # fmt: skip
    options = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen([*command, *options, *(["--resume"] if run.exists() else [])], env=environment)
    try:
        process.wait(arguments.limit)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    return run / "progress.csv"


def windows(log: Path, arguments: argparse.Namespace) -> None:
    """Print what a log and the original say, by windows."""
    ours = pl.read_csv(log, infer_schema_length=None).rename({"misc/nupdates": "update"})
    original = None
    if arguments.original is not None:
        original = pl.read_csv(arguments.original, infer_schema_length=None).filter(
            (pl.col("algorithm") == "sppo") & (pl.col("game") == "ninja")
        )
    last = max(ours["update"].to_list(), default=0)
    for first in range(1, last + 1, WINDOW):
        here = ours.filter(pl.col("update").is_between(first, first + WINDOW - 1))
        is_here = pl.col("update").is_in(here["update"].to_list())
        cells: list[str] = []
        for name, (our_column, their_column) in COLUMNS.items():
            text = f"{name} {here[our_column].mean():.4g}"
            if original is not None and their_column is not None:
                theirs = original.filter(is_here).group_by("seed").agg(pl.col(their_column).mean()).sort("seed")
                text += f" ({', '.join(f'{value:.4g}' for value in theirs[their_column])})"
            cells.append(text)
        print(f"  {first:4d}–{first + len(here) - 1:<4d} {'   '.join(cells)}", flush=True)


def main() -> None:
    """Read the command line, train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--limit", type=float, default=150.0)
    parser.add_argument("--original", type=Path)
    arguments = parser.parse_args()
    for way in arguments.ways:
        log = train(way, arguments)
        print(f"{way} (in parentheses: the original's seeds)", flush=True)
        if log.is_file():
            windows(log, arguments)


if __name__ == "__main__":
    main()
