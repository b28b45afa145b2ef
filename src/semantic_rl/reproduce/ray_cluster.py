"""Trains runs on a Ray cluster: one task per run, on one GPU or on a number of cores."""

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

from semantic_rl.errors import UserError
from semantic_rl.reproduce.job import Job
from semantic_rl.reproduce.worker import Ending, train_job

SECONDS_TO_ANSWER = 5.0
SECONDS_TO_STOP = 120.0


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # turns off Ray's telemetry
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "ray: Ray is not installed here; install the package with its extra 'ray', in the clone: "
            "pip install '.[ray]'."
        ) from error
    return ray


def _check_answers(address: str) -> None:
    """Raise UserError unless something listens at HOST:PORT; Ray itself would keep trying for a minute."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in address:
        raise UserError(f"ray: got '{address}', expected HOST:PORT of the cluster's head, auto or local.")
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"ray: nothing answers at {address} ({error}); start a cluster with 'ray start --head', or use --ray local."
        ) from error


class RayCluster:
    """Trains as many runs at once as there are slots; tasks that die are restarted by the supervisor, not by Ray."""

    def __init__(self, address: str, device: str, cores_per_run: int | None, jobs: int | None) -> None:
        """Connect; raises UserError if nothing answers, or if no node has the resources of a run."""
        ray = self._ray = _import_ray()
        self.where = f"on the Ray cluster at {address}" if address != "local" else "on a Ray cluster of this machine"
        if address not in ("auto", "local"):
            _check_answers(address)
        options: dict[str, Any] = {"num_cpus": os.cpu_count(), "include_dashboard": False} if address == "local" else {}
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise UserError(
                f"ray: cannot join the cluster at {address}: {reason} Give this command on a machine of the cluster, "
                "with the Python and Ray of its other machines."
            ) from error
        self._jobs = jobs
        self._references: dict[str, Any] = {}
        try:
            self._choose_slot(device, cores_per_run)
        except UserError:
            self.close()
            raise

    def _nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _choose_slot(self, device: str, cores_per_run: int | None) -> None:
        nodes = self._nodes()
        with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
        if device == "cuda" and not with_gpu:
            raise UserError("device: 'cuda' was asked for, but no node of the Ray cluster has a GPU; use --device cpu.")
        self._gpus = 1 if device != "cpu" and with_gpu else 0
        usable = with_gpu if self._gpus else nodes
        most = int(max(node.get("CPU", 0) for node in usable))
        if cores_per_run is not None and cores_per_run > most:
            raise UserError(
                f"cores_per_run: got {cores_per_run}, expected at most {most}: no node of the Ray cluster that could "
                "run it has more."
            )
        shares = (int(node.get("CPU", 0) / (node["GPU"] if self._gpus else 1)) for node in usable)
        self.cores = cores_per_run or max(1, min(shares))

    @property
    def slots(self) -> int:
        """Return how many runs fit at once, which changes as nodes come and go."""
        rooms = [int(node.get("CPU", 0)) // self.cores for node in self._nodes()]
        if self._gpus:
            rooms = [min(room, int(node.get("GPU", 0))) for room, node in zip(rooms, self._nodes(), strict=True)]
        return min(sum(rooms), self._jobs or sum(rooms))

    def start(self, job: Job, attempt: int, witness: Path, version: str) -> None:
        """Ask Ray to start or resume the training of a run on a node with free resources."""
        # Each Ray worker trains one run and exits, so that memory is freed and a crash affects no other run.
        remote = self._ray.remote(max_calls=1, max_retries=0)(train_job)
        task = remote.options(num_cpus=self.cores, num_gpus=self._gpus, name=job.name)
        self._references[job.name] = task.remote(job, attempt, witness, version)

    def ended(self) -> list[tuple[str, Ending]]:
        """Return the runs that have ended since the last call."""
        references = list(self._references.values())
        if not references:
            return []
        ready, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        names = [name for name, reference in self._references.items() if reference in ready]
        return [(name, self._ending(self._references.pop(name))) for name in names]

    def _ending(self, reference: Any) -> Ending:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.TaskCancelledError:
            return Ending("stopped")
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.LocalRayletDiedError):
            return Ending("died", "its worker or its node died")
        except errors.RayError as error:
            lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
            return Ending("failed", lines[-1].strip())

    def stop(self) -> None:
        """Make all runs save and exit: Ray raises SIGINT in their processes."""
        for reference in self._references.values():
            self._ray.cancel(reference, force=False)

    def close(self) -> None:
        """Disconnect from the cluster, or shut it down if this process started it; running tasks end."""
        with contextlib.suppress(Exception):
            self._ray.shutdown()
