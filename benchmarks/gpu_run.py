"""Does what gpu_run.sh says: checks, measures and trains in one call, and writes down whatever happens."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

PYTHON = sys.executable
DEVICE = os.environ.get("DEVICE", "cuda")
LIMIT = float(os.environ.get("LIMIT", "540"))
TIMESTEPS = os.environ.get("TIMESTEPS", "25000000")
GAMES = ("coinrun", "fruitbot", "jumper", "ninja")
RUNS = os.environ.get("RUNS", " ".join(f"{name}:{game}:2021" for name in ("sppo", "ppo") for game in GAMES)).split()
TRAIN_ARGUMENTS = os.environ.get("TRAIN_ARGUMENTS", "").split()
CHECKS = ("probe", "kernels", "tests", "profile", "rollout", "training")
PART_BYTES = 15 * 2**20
MAX_PARTS = 4
SECONDS_TO_PACK = 8.0
SECONDS_TO_STOP = 20.0
TAIL = 4000
"""Characters of a step's output that go into figures.json."""

BENCHMARK = [PYTHON, "benchmarks/training.py", "--device", DEVICE, "--rounds", "1", "--json"]
ON_A_GPU = "(cuda or graph or streams or waits or gpu or kernel) and not interpret and not 4096 and not 2049"
"""Names of tests that use a GPU, without the slowest."""
TESTS = [
    *(PYTHON, "-m", "pytest", "-q", "-rA", "--no-header", "-p", "no:cacheprovider"),
    *(() if DEVICE == "cpu" else ("-n", "6", "-k", ON_A_GPU)),
    *(f"tests/training/test_{name}.py" for name in ("graphs", "static_learning", "actors", "act_kernel")),
    *("tests/models/test_fused.py", "tests/models/test_code_lookup.py", "tests/losses/test_fdr_kernels.py"),
]


class Call:
    """One call of the script: its folders, its clock, and what it has found out."""

    def __init__(self, out: Path) -> None:
        self.began = time.monotonic()
        self.out = out
        self.out.mkdir(parents=True, exist_ok=True)
        self.work = Path(tempfile.mkdtemp(prefix="gpu-run-"))
        self.runs = self.work / "runs"
        self.runs.mkdir()
        self.figures: dict[str, Any] = {"device": DEVICE, "steps": {}, "runs": {}}
        self.log_file = (self.out / "log.txt").open("a", encoding="utf-8")

    @property
    def seconds_left(self) -> float:
        """Until packing must begin."""
        return LIMIT - SECONDS_TO_PACK - (time.monotonic() - self.began)

    def log(self, text: str) -> None:
        """Write a line to log and output."""
        line = f"[{time.monotonic() - self.began:6.1f}] {text}"
        print(line, flush=True)
        self.log_file.write(line + "\n")
        self.log_file.flush()

    def save(self) -> None:
        """Write the figures found so far."""
        temporary = self.out / "figures.json.tmp"
        temporary.write_text(json.dumps(self.figures, indent=1, default=str), encoding="utf-8")
        temporary.replace(self.out / "figures.json")

    def prepare(self) -> None:
        """Compile the kernels of a minibatch in processes of their own, and find the fastest groups of games beside."""
        kernels = [PYTHON, "benchmarks/gpu_kernels.py", "--compile"]
        others = [subprocess.Popen([*kernels, part]) for part in ("0", "1", "2", "fdr")]
        command = [PYTHON, "benchmarks/gpu_rollout.py", "--device", DEVICE, "--rollout-only", "--apply"]
        self.step("rollout", command, 40, False)
        for process in others:
            self._wait(process, 20)

    def run_tests(self) -> subprocess.Popen[bytes]:
        """Start the tests beside the next steps; their output goes into tests.txt."""
        with (self.out / "tests.txt").open("wb") as output:
            return subprocess.Popen(TESTS, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def step(self, name: str, command: list[str], limit: float, parse_json: bool = False) -> bool:
        """Run one step in a process of its own; note its time, exit status, figures and last words."""
        limit = min(limit, self.seconds_left)
        if limit < 5:
            self.log(f"{name}: no time left")
            return False
        self.log(f"{name}: {' '.join(command)}")
        began = time.monotonic()
        with (
            (self.work / f"{name}.out").open("w+", encoding="utf-8") as output,
            (self.work / f"{name}.err").open("w+", encoding="utf-8") as errors,
        ):
            process = subprocess.Popen(command, stdout=output, stderr=errors, start_new_session=True)
            status = self._wait(process, limit)
            output.seek(0)
            errors.seek(0)
            text, error_text = output.read(), errors.read()
        note: dict[str, Any] = {"seconds": round(time.monotonic() - began, 1), "status": status}
        if parse_json and status == 0:
            note["figures"] = json.loads(text)
        else:
            note["output"] = text[-TAIL:]
        if error_text.strip():
            note["errors"] = error_text[-TAIL:]
        self.figures["steps"][name] = note
        self.log_file.write(text[-5 * TAIL :] + error_text[-5 * TAIL :])
        self.log(f"{name}: status {status} after {note['seconds']} s")
        self.save()
        return status == 0

    def _wait(self, process: subprocess.Popen[bytes], limit: float) -> int | str:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        try:
            return process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "killed at its limit"

    def train(self, run: str) -> bool:
        """Train one run as far as the time allows; without graphs if it fails with them. Say whether it finished."""
        algorithm, game, seed = run.split(":")
        folder = self.runs / f"{algorithm}-{game}_easy_0_0_{seed}"
        if is_finished(folder):
            self._note_progress(run, folder, True)
            return True
        for more in ([], ["--no-cuda-graphs"]):
            command = [
                *(PYTHON, "-m", "semantic_rl.cli", "train", "--algorithm", algorithm, "--env", game, "--seed", seed),
                *("--timesteps", TIMESTEPS, "--run-root", str(self.runs), "--device", DEVICE),
                *("--checkpoint-interval", "250", "--keep-checkpoints", "1", *TRAIN_ARGUMENTS, *more),
                *(["--resume"] if (folder / "config.json").is_file() else []),
            ]
            finished = self.step(f"train {run}{' without graphs' if more else ''}", command, self.seconds_left)
            self._note_progress(run, folder, finished)
            stopped = self.figures["steps"].get(f"train {run}", {}).get("status") in (130, 143)
            if finished or stopped or self.seconds_left < SECONDS_TO_STOP:
                return finished
        return False

    def _note_progress(self, run: str, folder: Path, finished: bool) -> None:
        progress = folder / "progress.csv"
        rows = progress.read_text(encoding="utf-8").splitlines() if progress.is_file() else []
        if len(rows) > 1:
            names, last = rows[0].split(","), rows[-1].split(",")
            self.figures["runs"][run] = {"finished": finished, **dict(zip(names, last, strict=False))}
            self.save()

    def unpack(self, folder: Path) -> None:
        """Take over the runs of an earlier call."""
        parts = sorted(folder.glob("runs.tar.gz.*"))
        if not parts:
            self.log(f"{folder} holds no runs.tar.gz.*: starting anew")
            return
        content = io.BytesIO(b"".join(part.read_bytes() for part in parts))
        with tarfile.open(fileobj=content, mode="r:gz") as archive:
            archive.extractall(self.runs, filter="data")
        self.log(f"unpacked {len(parts)} parts: {', '.join(sorted(path.name for path in self.runs.iterdir()))}")

    def pack(self) -> None:
        """Write the runs in parts; of finished ones the weights and curves alone."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz", compresslevel=6) as archive:
            for run in sorted(self.runs.iterdir()):
                finished = is_finished(run)
                for path in sorted(run.rglob("*")):
                    needed = not finished or path.name not in ("optimizer.safetensors", "worker-000.safetensors")
                    if path.is_file() and needed and "tensorboard" not in path.parts:
                        archive.add(path, path.relative_to(self.runs))
        data = content.getvalue()
        parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
        if len(parts) > MAX_PARTS:
            self.log(f"the runs take {len(parts)} parts, more than the {MAX_PARTS} that are planned for")
        for old in self.out.glob("runs.tar.gz.*"):
            old.unlink()
        for index, part in enumerate(parts):
            (self.out / f"runs.tar.gz.{index:02d}").write_bytes(part)
        self.log(f"packed {len(data) / 2**20:.1f} MiB in {len(parts)} parts")

    def close(self) -> None:
        """Leave nothing behind but the folder of results."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.log_file.close()


def is_finished(run: Path) -> bool:
    """Whether a run folder holds the checkpoint of its last update."""
    if not (run / "config.json").is_file():
        return False
    last = json.loads((run / "config.json").read_text(encoding="utf-8"))["num_updates"]
    return (run / "checkpoints" / f"update-{last:06d}").is_dir()


def check(call: Call, wanted: list[str]) -> None:
    """Probe, test and measure what is wanted."""
    profile = str(call.out / "profile.txt")
    kernels = ["--out", str(call.out / "kernels.json"), "--apply"]
    paths = [PYTHON, "benchmarks/gpu_paths.py", str(call.work / "paths"), "--device", DEVICE, "--limit", "130"]
    steps: dict[str, list[tuple[str, list[str], float, bool]]] = {
        "probe": [("probe", [PYTHON, "benchmarks/gpu_probe.py", "--device", DEVICE], 40, True)],
        "kernels": [("kernels", [PYTHON, "benchmarks/gpu_kernels.py", *kernels], 80, False)],
        "profile": [("profile", [PYTHON, "benchmarks/gpu_profile.py", "--device", DEVICE, "--out", profile], 50, True)],
        "rollout": [("rollout", [PYTHON, "benchmarks/gpu_rollout.py", "--device", DEVICE, "--apply"], 50, False)],
        "paths": [("paths", paths, 420, False)],
        "training": [("training", [*BENCHMARK, "--updates", "10" if DEVICE == "cuda" else "1"], 60, True)],
    }
    for name in wanted:
        for step in steps.get(name, []):
            if not call.step(*step) and name == "kernels":
                sys.exit("the kernels failed; see log.txt")


def main() -> None:
    """Check, measure, train, pack."""
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: benchmarks/gpu_run.sh OUT_FOLDER [FOLDER_TO_RESUME_FROM]")
    call = Call(Path(sys.argv[1]))
    resume_from = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    default = ("train",) if resume_from is not None else (*CHECKS, "train")
    wanted = os.environ.get("STEPS", " ".join(default)).split()
    try:
        if resume_from is not None:
            call.unpack(resume_from)
        if "prepare" in wanted:
            call.prepare()
        tests = call.run_tests() if "tests" in wanted else None
        check(call, [name for name in wanted if name == "kernels"])
        if tests is not None:
            call.log(f"tests: status {call._wait(tests, min(60.0, call.seconds_left))}")
        check(call, [name for name in wanted if name != "kernels"])
        if "train" in wanted:
            for run in RUNS:
                if call.seconds_left < SECONDS_TO_STOP:
                    break
                call.train(run)
    finally:
        call.pack()
        call.save()
        call.log("done")
        call.close()


if __name__ == "__main__":
    main()
