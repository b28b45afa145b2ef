"""Times `semantic-rl fit` and prints its peak memory and held-out scores.

    semantic-rl record sppo-coinrun --states 25000 --frame-size 0 --num-levels 0 --out recordings/coinrun
    python benchmarks/fit.py recordings/coinrun
    python benchmarks/large_recording.py recordings/coinrun recordings/million --states 1000000
    python benchmarks/fit.py recordings/million

Goals on two cores: 25,000 states of 256 features in 60 seconds; a million in five minutes and 2 GB. The clustering is
removed afterwards.
"""

import argparse
import resource
import shutil
import time
from pathlib import Path

from semantic_rl.clustering.fit import run_fit
from semantic_rl.clustering.judging import scores_table
from semantic_rl.config import FitConfig

NAME = "benchmark"


def main() -> None:
    """Read the command line, fit, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path, help="recording to fit to; it is left as it was")
    parser.add_argument("--head", choices=("mlp", "linear"), default="mlp")
    parser.add_argument("--steps", type=int, default=None, help="default: that of the head")
    parser.add_argument("--num-threads", type=int, default=2)
    arguments = parser.parse_args()
    seconds: dict[str, float] = {}
    processors: dict[str, float] = {}
    last, since = "", (time.perf_counter(), time.process_time())

    def on_progress(what: str, done: int, total: int) -> None:
        nonlocal last, since
        now = time.perf_counter(), time.process_time()
        seconds[last] = seconds.get(last, 0.0) + now[0] - since[0]
        processors[last] = processors.get(last, 0.0) + now[1] - since[1]
        last, since = what, now

    config = FitConfig(
        arguments.recording,
        name=NAME,
        head=arguments.head,
        steps=arguments.steps,
        num_threads=arguments.num_threads,
    )
    began = time.perf_counter()
    clustering = run_fit(config, on_progress).clustering
    on_progress("", 0, 0)
    shutil.rmtree(clustering.folder)
    print(scores_table(clustering.scores, arguments.head))
    for what, taken in seconds.items():
        print(f"{what or 'opening and writing':<40} {taken:6.1f} s, {processors[what]:6.1f} s of processor time")
    print(f"{'all':<40} {time.perf_counter() - began:6.1f} s, {sum(processors.values()):6.1f} s of processor time")
    print(f"{'peak memory':<40} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:6.2f} GB")


if __name__ == "__main__":
    main()
