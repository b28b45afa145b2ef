"""How fast recording is, how many bytes a state takes, and how long a frame takes to read.

    python benchmarks/recording.py [--agent RUN] [--games fruitbot coinrun] [--states 20000] [--pictures 5000] [--json]

Without --agent a policy that has learned nothing plays; its episodes are longer than a trained agent's, so more is
played that is not recorded. Each recording is made in a process of its own. Speeds leave out the start, which is
measured by recording one step. Beside them stand the bounds: the network's bare forward at a batch of 64, and the
games' own 512×512 renderer on all cores. Machines are noisy: run it on an idle one.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

NUM_READS = 500
RENDER_SECONDS = 3.0


def make_recording(agent: str | None, game: str, num_states: int, frame_size: int, out: Path) -> dict[str, float]:
    """Record and return seconds and the process's peak of memory in MB."""
    import torch

    from semantic_rl.config import EnvConfig, RecordConfig
    from semantic_rl.models.policy import SemanticPolicy
    from semantic_rl.recording.record import record, record_policy

    def run(amount: dict[str, Any], folder: Path) -> float:
        config = RecordConfig(agent=Path(agent or "untrained"), out=folder, frame_size=frame_size, **amount)
        began = time.perf_counter()
        if agent:
            record(config)
        else:
            torch.manual_seed(0)
            record_policy(SemanticPolicy(), EnvConfig(env=game), config)
        return time.perf_counter() - began

    one_step = {"protocol": "explore", "explore_steps": 1, "keep_probability": 1.0}
    run(one_step, out.with_name("warm-up"))  # loads assets and libraries
    start = run(one_step, out.with_name("start"))
    seconds = run({"states": num_states}, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "start_seconds": start, "peak_mb": peak}


def network_rate() -> float:
    """Return observations/s of the bare network at a batch of 64."""
    import torch

    from semantic_rl.models.policy import SemanticPolicy
    from semantic_rl.training.device import autocast, choose_device, choose_precision

    device = choose_device("auto")
    policy = SemanticPolicy().to(device)
    observation = torch.zeros(64, 64, 64, 3, dtype=torch.uint8, device=device)
    count, began = 0, 0.0
    with torch.no_grad(), autocast(device, choose_precision("auto", device)):
        for step in range(60):
            if step == 10:
                count, began = 0, time.perf_counter()
            policy(observation).value.cpu()
            count += 64
    return count / (time.perf_counter() - began)


def renderer_rate(game: str) -> float:
    """Return 512×512 frames/s of the games' renderer on all cores, and nothing but the renderer."""
    import numpy as np

    from semantic_rl.config import EnvConfig
    from semantic_rl.recording.record.envs import make_rendering_env

    def play(_: int) -> int:
        env = make_rendering_env(EnvConfig(env=game))
        env.observe()
        count, end = 0, time.perf_counter() + RENDER_SECONDS
        while time.perf_counter() < end:
            env.act(np.array([7]))
            env.observe()
            count += 1
        env.close()
        return count

    cores = os.cpu_count() or 1
    play(0)
    with ThreadPoolExecutor(cores) as threads:
        return sum(threads.map(play, range(cores))) / RENDER_SECONDS


def read_microseconds(folder: Path, frame_size: int) -> tuple[float, float | None]:
    """Return microseconds for one observation and for one picture, at random rows."""
    import numpy as np

    from semantic_rl.recording.store import open_recording

    recording = open_recording(folder)
    rows = np.random.default_rng(0).integers(0, recording.num_states, NUM_READS).tolist()

    def measure(read: Any) -> float:
        began = time.perf_counter()
        for row in rows:
            read(row)
        return 1e6 * (time.perf_counter() - began) / NUM_READS

    return measure(recording.observation), measure(recording.frame) if frame_size else None


def bytes_per_state(folder: Path, num_states: int) -> dict[str, float]:
    """Return bytes a state by kind of file."""
    sizes: dict[str, float] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kind = path.name.partition("-")[0].partition(".")[0]
            sizes[kind] = sizes.get(kind, 0.0) + path.stat().st_size / num_states
    return sizes


def measure(agent: str | None, game: str, num_states: int, frame_size: int) -> dict[str, Any]:
    """Measure one recording."""
    from semantic_rl.recording.store import open_recording

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "recording"
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            made = pool.apply(make_recording, (agent, game, num_states, frame_size, out))
        recording = open_recording(out)
        observation, picture = read_microseconds(out, frame_size)
        return {
            "game": recording.description["environment"]["env"],
            "picture_size": frame_size,
            "states": recording.num_states,
            "states_per_second": recording.num_states / (made["seconds"] - made["start_seconds"]),
            **made,
            "bytes_per_state": bytes_per_state(out, recording.num_states),
            "read_observation_us": observation,
            "read_picture_us": picture,
        }


def line(result: dict[str, Any]) -> str:
    """Write one result as a row of the table."""
    sizes = result["bytes_per_state"]
    pictures = f"{sizes['pictures']:>9,.0f}" if "pictures" in sizes else "        –"
    read = result["read_picture_us"]
    return (
        f"{result['game']:<10} {result['picture_size']:>8} {result['states']:>8,} {result['states_per_second']:>9,.0f} "
        f"{sizes['states']:>7,.0f} {sizes['observations']:>13,.0f} {pictures} "
        f"{result['read_observation_us']:>12,.0f} {'–' if read is None else format(read, ',.0f'):>11} "
        f"{result['peak_mb']:>8,.0f}"
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", help="run folder; without it an untrained policy plays")
    parser.add_argument("--games", nargs="+", default=["fruitbot", "coinrun"], help="games for the untrained policy")
    parser.add_argument("--states", type=int, default=20_000, help="states of the recording without pictures")
    parser.add_argument("--pictures", type=int, default=5_000, help="states of the recording with pictures")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    games = ["the agent's"] if arguments.agent else arguments.games
    results = [
        measure(arguments.agent, game, num_states, frame_size)
        for game in games
        for num_states, frame_size in ((arguments.states, 0), (arguments.pictures, 256))
    ]
    bounds: dict[str, Any] = {
        "network_per_second": network_rate(),
        "renderer_per_second": {name: renderer_rate(name) for name in {result["game"] for result in results}},
    }
    if arguments.json:
        print(json.dumps({"results": results, "bounds": bounds}, indent=2))
        return
    print("                                         bytes a state                        µs to read")
    print("game       pictures   states  states/s  states  observations  pictures  observation     picture  peak MB")
    for result in results:
        print(line(result))
    print(f"\nbounds: network {bounds['network_per_second']:,.0f} states/s at a batch of 64; renderer ", end="")
    print(", ".join(f"{name} {rate:,.0f}" for name, rate in bounds["renderer_per_second"].items()), "frames/s")


if __name__ == "__main__":
    main()
