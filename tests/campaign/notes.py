"""Attack: SIGKILL of the explorer's server while someone writes notes: what was answered is kept, the file is whole."""

import http.client
import json
import random
import socket
import threading
import time
from pathlib import Path

from .children import Verdict
from .materials import copy_of
from .said import Process

WRITE = {"X-Semantic-RL": "1", "Content-Type": "application/json"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def serve(recording: Path, folder: Path) -> tuple[Process, int]:
    """Start the server in a child and wait until it answers; return it and its port."""
    port = free_port()
    process = Process(["explore", str(recording), "--port", str(port), "--no-browser"], folder)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the harness: the server did not start: {process.wait(10).err[-500:]}")


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Kill a server that is written to so many times."""
    chance = random.Random(seed)
    recording = copy_of(materials / "recording", folder)
    return [Verdict(index, _kill(recording, folder, chance.uniform(0.01, 1.0), index)) for index in range(count)]


def _kill(recording: Path, folder: Path, seconds: float, number: int) -> str | None:
    process, port = serve(recording, folder)
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    answered = _write_until_it_ends(port, number)
    killer.join()
    process.wait(10)
    content = json.loads((recording / "annotations.json").read_text())
    kept = content["clusters"]["2"]["name"] if "2" in content["clusters"] else None
    asked = int(kept.rpartition(" ")[2]) if kept and kept.startswith(f"{number} ") else -1
    if asked < answered:
        return f"killed after {seconds:.2f} s: name {answered} was answered, and {kept!r} is kept"
    return None


def _write_until_it_ends(port: int, number: int) -> int:
    """Write one name after the other; return the last that was answered, -1 if none was."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answered, version = -1, None
    try:
        connection.request("GET", "/api/a/annotations")
        version = json.loads(connection.getresponse().read())["clusters"].get("2", {}).get("version", 0)
        while True:
            body = json.dumps({"name": f"{number} {answered + 1}", "seen": version})
            connection.request("PUT", "/api/a/annotations/clusters/2", body, WRITE)
            answer = connection.getresponse()
            content = json.loads(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"the harness: {answer.status} {content}")
            answered, version = answered + 1, content["version"]
    except (OSError, http.client.HTTPException, ValueError):
        return answered
