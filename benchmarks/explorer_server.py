"""How long the explorer's server takes to start, and to answer each question, and its memory; of one recording.

    python benchmarks/explorer_server.py RECORDING [--export] [--keep-derived]

What earlier runs computed and kept (`derived/`) is removed first, unless --keep-derived. t-SNE is asked for last. Times
are of the first answer, over HTTP on this machine, with nothing else to do for the server; `again` is the second.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
WRITE = {"X-Semantic-RL": "1", "Content-Type": "application/json"}
LISTS = (
    "failures",
    "highest_value",
    "value_drops",
    "boundary",
    "longest_dwells",
    "rarest_transitions",
    "lookalikes",
)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--export", action="store_true", help="measure the export instead")
    parser.add_argument("--keep-derived", action="store_true", help="do not remove what earlier runs kept")
    arguments = parser.parse_args()
    if not arguments.keep_derived:
        shutil.rmtree(arguments.recording / "derived", ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "semantic_rl.cli", "explore", str(arguments.recording)]
    if arguments.export:
        measure_export(command, environment)
        return
    begun = time.perf_counter()
    with subprocess.Popen(
        [*command, "--no-browser", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            found = re.match(r"(http://\S+)", process.stdout.readline())
            assert found, "the server did not start"
            print(f"{'start':<28} {time.perf_counter() - begun:8.2f} s   {memory(process.pid)}")
            measure_answers(found[1], process.pid)
        finally:
            process.kill()


def measure_answers(address: str, pid: int) -> None:
    """Ask everything once or twice."""
    meta = json.loads(ask(address, "api/recordings"))["recordings"][0]
    columns = [column["name"] for column in meta["columns"] if column["name"] not in ("pca", "tsne")]
    left, right, bottom, top = meta["planes"][0]["limits"] or (-9, 9, -9, 9)
    middle = (left + right) / 2
    half = {"plane": "fdr", "polygon": [[left, bottom], [middle, bottom], [middle, top], [left, top]]}
    print(f"{meta['num_states']:,} states, {meta['num_shown']:,} points")
    first_paint = ["api/recordings", *(f"api/a/column/{name}" for name in ("row", "fdr", "cluster"))]
    questions = [
        *first_paint,
        *(f"api/a/column/{name}" for name in columns if name not in ("row", "fdr", "cluster")),
        "api/a/episodes",
        "api/a/episode/7",
        "api/a/frame/1000",
        "api/a/frames/2000/64",
        "api/a/transitions",
        "api/a/transition/1/2",
        *(f"api/a/playlist/{name}" for name in LISTS),
        "api/a/clusters",
        "api/a/column/pca",
        "api/a/column/tsne",
    ]
    for question in questions:
        show(question, lambda question=question: ask(address, question), pid)
    if meta["num_codes"]:
        show("inside: half of the plane", lambda: ask(address, "api/a/inside", json.dumps(half).encode()), pid)
        key = json.loads(ask(address, "api/a/inside", json.dumps(half).encode()))["key"]
        show("inside: its mean frame", lambda: ask(address, f"api/a/inside-mean/{key}"), pid)
        show("inside: its rows, Parquet", lambda: ask(address, f"api/a/rows?key={key}"), pid)

    # two states each, since what is asked twice in the same words is not searched for again
    for way in ("features", "plane", *(["pixels"] if meta["has_frames"] else [])):
        for row in (1000, 2000):
            near = {"row": min(row, meta["num_states"] - 1), "by": way, "plane": "pca", "episodes": "others"}
            show(f"near by {way}", lambda near=near: ask(address, "api/a/near", json.dumps(near).encode()), pid)


def show(name: str, question: "object", pid: int) -> None:
    """Print how long a question takes, twice."""
    times: list[float] = []
    size = 0
    for _ in range(2):
        begun = time.perf_counter()
        size = len(question())  # type: ignore[operator]
        times.append(time.perf_counter() - begun)
    print(f"{name:<28} {times[0]:8.3f} s   again {times[1]:7.3f} s   {size / 1e6:8.3f} MB   {memory(pid)}")


def ask(address: str, path: str, body: bytes | None = None) -> bytes:
    """Ask until what is under way is there."""
    while True:
        request = urllib.request.Request(address + path, body, WRITE if body else {})
        with urllib.request.urlopen(request) as response:
            if response.status == 200:
                return response.read()
        time.sleep(0.05)


def memory(pid: int) -> str:
    """Return the most memory that a process has had, and has now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    peak, now = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024 for name in ("VmHWM", "VmRSS"))
    return f"{now:,.0f} MB (peak {peak:,.0f})"


def measure_export(command: list[str], environment: dict[str, str]) -> None:
    """Write the file without and with frames."""
    with tempfile.TemporaryDirectory() as folder:
        for frames in ("0", "2000"):
            path = Path(folder) / f"page-{frames}.html"
            begun = time.perf_counter()
            subprocess.run([*command, "--export", str(path), "--frames", frames], env=environment, check=True)
            print(f"{frames} frames: {time.perf_counter() - begun:.1f} s, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
