"""The whole campaign in one command: `./dev campaign`.

It tries damaged files, wrong flags, requests, kills, hostile places and two of everything at once, in batches, each in
a process of its own, and prints a table of what was tried and what was wrong. What is done is kept in `--folder`:
after an interruption the same command goes on. `--share 0.01` tries a hundredth. What took too long is tried once more
at the end, when nothing else runs, and is wrong if it takes too long again.
"""

import argparse
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
REPOSITORY = TESTS.parent
sys.path[:0] = [str(REPOSITORY), str(TESTS)]
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "NO_COLOR": "1"}

from tests.campaign.batches import (  # noqa: E402
    Batch,
    all_batches,
    import_everything,
    late_of,
    run_batch,
    small_batches,
    try_late_again,
)
from tests.campaign.materials import make_materials  # noqa: E402
from tests.campaign.table import read_results, show  # noqa: E402


def main() -> int:
    """Run all batches that are not done yet and print the table; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="tests.campaign", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("campaign"), help="where results are kept (campaign)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the whole that is tried (1)")
    parser.add_argument("--small", action="store_true", help="what every test run tries")
    parser.add_argument("--kind", action="append", help="only these kinds of attack; may be given several times")
    parser.add_argument("--name", action="append", help="only what is attacked under these names, such as 'record'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="batches at once (a core each)")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    batches = small_batches() if given.small else all_batches(given.share)
    batches = [batch for batch in batches if given.kind is None or batch.attack in given.kind]
    batches = [batch for batch in batches if given.name is None or batch.name in given.name]
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    import_everything()
    make_materials(folder / "materials")
    failed = _run_all(batches, folder, given.jobs)
    failed += _try_late_again([batch for batch in batches if batch not in failed], folder)
    results = read_results(folder, batches)
    print(show(results))
    for batch in failed:
        print(f"{batch.file_name} did not end: see {folder / batch.file_name}.log", file=sys.stderr)
    return int(bool(failed) or any(result.wrong for result in results))


def _run_all(batches: Sequence[Batch], folder: Path, jobs: int) -> list[Batch]:
    """Run the batches that have no result yet, each in a child; return those that failed themselves."""
    waiting = [batch for batch in batches if not (folder / f"{batch.file_name}.json").exists()]
    done, failed, running = len(batches) - len(waiting), list[Batch](), dict[int, Batch]()
    begun = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                batch = waiting.pop(0)
                running[_start(batch, folder, run_batch)] = batch
            child, status = os.waitpid(-1, 0)
            batch = running.pop(child)
            done += 1
            failed += [batch] if status else []
            print(f"{time.monotonic() - begun:6.0f} s  {done}/{len(batches)}  {batch.file_name}", flush=True)
    finally:
        for child in running:
            os.kill(child, signal.SIGTERM)
    return failed


def _try_late_again(batches: Sequence[Batch], folder: Path) -> list[Batch]:
    """Try what took too long once more, one batch after the other; return those that failed themselves."""
    failed: list[Batch] = []
    for batch in batches:
        if late := late_of(batch, folder):
            print(f"once more by themselves: {len(late)} of {batch.file_name}, which took too long", flush=True)
            child = _start(batch, folder, try_late_again)
            failed += [batch] if os.waitpid(child, 0)[1] else []
    return failed


def _start(batch: Batch, folder: Path, run: Callable[[Batch, Path], object]) -> int:
    """Run a batch in a forked child, whose output goes into a file; return its process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with (folder / f"{batch.file_name}.log").open("wb") as log:
            os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        run(batch, folder)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
