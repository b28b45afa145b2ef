"""Runs over a Ray cluster of two nodes on this machine, of which workers and nodes are killed for real."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reproduce.asking import NAME, ONE_RUN, assert_same_weights, num_rows, reproduce, start, wait_until
from small_runs import environment_variables

from semantic_rl.cli import main
from semantic_rl.folder_lock import read_holder

try:
    import ray  # noqa: F401  # pyright: ignore
except ImportError:
    pytest.skip("Ray is not installed (the extra 'ray')", allow_module_level=True)

NUM_UPDATES = 16


def holder(out: Path) -> dict[str, Any]:
    return read_holder(out / NAME)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for a run, and a node with room for one."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.update({name: environment_variables()[name] for name in ("PYTHONPATH", "OMP_NUM_THREADS")})
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    yield nodes
    nodes.shutdown()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "runs"
    done = reproduce(out, NUM_UPDATES, *ONE_RUN)
    assert done.returncode == 0, done.stderr
    return out / NAME


@pytest.mark.slow
def test_runs_of_killed_workers_and_dead_nodes_go_on_elsewhere_from_their_checkpoints(
    tmp_path: Path, cluster: Any, undisturbed: Path
) -> None:
    out = tmp_path / "runs"
    process = start(out, NUM_UPDATES, *ONE_RUN, "--ray", cluster.address, "--cores-per-run", "1")

    wait_until(process, lambda: num_rows(out) >= 4)
    assert holder(out)["attempt"] == 1
    os.kill(int(holder(out)["pid"]), signal.SIGKILL)

    wait_until(process, lambda: holder(out)["attempt"] == 2 and num_rows(out) >= 8)
    first, second = cluster.list_all_nodes()[-1], cluster.add_node(num_cpus=1)
    cluster.remove_node(first, allow_graceful=False)

    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, output + errors
    assert "== attempt 3 on " in (out / "logs" / f"{NAME}.log").read_text()
    assert errors.count("its worker or its node died; it continues from update") == 2
    assert f"{NAME}  finished" in output
    assert_same_weights(out / NAME, undisturbed)

    again = reproduce(out, NUM_UPDATES, *ONE_RUN, "--ray", cluster.address)
    assert "1 of 1 are finished and are skipped." in again.stdout
    assert again.returncode == 0
    assert second in cluster.list_all_nodes()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_what_runs_on_the_cluster(tmp_path: Path, cluster: Any, number: signal.Signals) -> None:
    out = tmp_path / "runs"
    process = start(out, 400, *ONE_RUN, "--ray", cluster.address)
    wait_until(process, lambda: num_rows(out) >= 3)

    process.send_signal(number)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == 128 + number, output + errors
    assert "the same command continues from here" in errors
    assert "stopped; saved after update" in (out / "logs" / f"{NAME}.log").read_text()


@pytest.mark.slow
def test_what_the_cluster_has_not_is_refused_by_name(
    tmp_path: Path, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["reproduce", *ONE_RUN, "--out", str(tmp_path / "runs"), "--ray", cluster.address]
    for arguments, expected in (
        (["--device", "cuda"], "device: 'cuda' was asked for, but no node of the Ray cluster has a GPU"),
        (["--cores-per-run", "64"], "cores_per_run: got 64, expected at most 1: no node of the Ray cluster"),
    ):
        with pytest.raises(SystemExit) as leaving:
            main([*common, *arguments])
        assert leaving.value.code == 2
        assert expected in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_node_that_does_not_see_the_folder_is_named(tmp_path: Path, cluster: Any) -> None:
    private = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {tmp_path} && exec "$@"', "sh"]
    tried = subprocess.run([*private, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"cannot make network namespaces, nor mounts of its own: {tried.stderr.strip()}")
    for node in cluster.list_all_nodes()[1:]:
        cluster.remove_node(node, allow_graceful=False)
    ray_start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "1"]
    raylet = subprocess.Popen(
        [*private, *ray_start, "--address", cluster.address],
        env=environment_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process = start(tmp_path / "runs", 2, *ONE_RUN, "--ray", cluster.address, "--cores-per-run", "1")
        output, errors = process.communicate(timeout=120)
    finally:
        raylet.send_signal(signal.SIGTERM)
        raylet.wait(timeout=60)
    assert process.returncode == 1, output + errors
    assert f"{socket.gethostname()} does not see {tmp_path / 'runs'}: --out must be on storage that all nodes" in errors


def test_an_address_that_nothing_answers_at_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for address, expected in (
            (f"127.0.0.1:{unused.getsockname()[1]}", "nothing answers at 127.0.0.1:"),
            ("head", "got 'head', expected HOST:PORT"),
        ):
            with pytest.raises(SystemExit) as leaving:
                main(["reproduce", *ONE_RUN, "--out", str(tmp_path / "runs"), "--ray", address])
            assert leaving.value.code == 2
            assert expected in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
