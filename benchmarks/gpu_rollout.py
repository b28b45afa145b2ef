"""How long a rollout and an update take with other numbers of groups and threads.

    python benchmarks/gpu_rollout.py [--device cuda] [--algorithm sppo] [--env ninja] [--variants 2,8 4,6 …]

A variant is the number of groups and the number of threads that step the games of each. Prints the milliseconds of a
rollout, of the advantages, of learning and of the rest of an update.
"""

import argparse
import os
import re
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch

from semantic_rl.config import EnvConfig, TrainConfig
from semantic_rl.envs import factory
from semantic_rl.training.batch import make_batch
from semantic_rl.training.device import choose_precision, keep_freed_memory, working_on
from semantic_rl.training.distributed import Workers
from semantic_rl.training.session import Session

VARIANTS = ["4,6", "2,12", "2,16", "4,4", "4,6", "4,8"]


def ignore(done: int, total: int) -> None:
    """Show nothing."""


def measure(arguments: argparse.Namespace, device: torch.device, variant: str, repeats: int = 3) -> list[float]:
    """Return the median milliseconds of each phase."""
    groups, threads = (int(part) for part in variant.split(","))
    environment = EnvConfig(env=arguments.env, env_groups=groups)
    config = TrainConfig(algorithm=arguments.algorithm, environment=environment)
    with patch.object(factory, "threads_of_group", lambda num_groups: threads):
        session = Session(config, device, choose_precision("auto", device), Workers(device=device))
    rows: list[list[float]] = []
    for _ in range(1 + repeats):
        marks = [time.perf_counter()]
        rollout = session.collect(ignore)
        marks.append(time.perf_counter())
        if arguments.rollout_only:
            rows.append([1000 * (marks[1] - marks[0])])
            continue
        batch, explained = make_batch(rollout, config.ppo)
        marks.append(time.perf_counter())
        learned = session.update(batch, ignore)
        marks.append(time.perf_counter())
        session.finish_update(learned, explained)
        session.snapshot()
        marks.append(time.perf_counter())
        rows.append([1000 * (after - before) for before, after in pairwise(marks)])
    session.close()
    phases = [statistics.median(column) for column in zip(*rows[1:], strict=True)]
    rate = 1000 * config.batch_size / sum(phases)
    print(f"{variant}: " + ", ".join(f"{phase:.1f}" for phase in phases) + f"; {rate:.0f} steps/s", flush=True)
    return phases


def apply(variant: str) -> None:
    """Write a variant into `envs/factory.py` as what is always taken; meant for a machine that is given back."""
    groups, threads = variant.split(",")
    path = Path(factory.__file__)
    source = path.read_text(encoding="utf-8")
    source = re.sub(r"MAX_GROUPS_ON_GPU = \d+", f"MAX_GROUPS_ON_GPU = {groups}", source)
    source = re.sub(r"    num_threads = num_cores\(\) if .*", f"    return {threads}", source)
    path.write_text(source, encoding="utf-8")


def main() -> None:
    """Measure every variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--algorithm", default="sppo")
    parser.add_argument("--env", default="ninja")
    parser.add_argument("--variants", nargs="+", default=VARIANTS)
    parser.add_argument("--apply", action="store_true", help="write the fastest into the code of this machine")
    parser.add_argument("--rollout-only", action="store_true", help="leave learning out")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    keep_freed_memory()
    print("groups,threads: ms of rollout, advantages, learning, rest")
    with working_on(device):
        rollouts = {variant: measure(arguments, device, variant)[0] for variant in arguments.variants}
    if arguments.apply:
        apply(min(rollouts, key=lambda variant: rollouts[variant]))


if __name__ == "__main__":
    main()
