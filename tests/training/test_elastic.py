"""A worker killed in the middle of a run under torchrun: its agent starts all anew, and nothing differs in the end."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import RUN_NAME
from training.torchrun import ELASTIC, ONE_MACHINE, TORCHRUN, finish, running, training, wait_for_rows, workers_of

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.training.checkpoint import load_checkpoint

NUM_UPDATES = 8
CHECKPOINTS = ("--auto-resume", "--checkpoint-interval", "2")
PORT = 29_433
HOSTS = {"10.77.0.1": "semantic-rl-a", "10.77.0.2": "semantic-rl-b"}
LINKS = ("semrl0", "semrl1")


def assert_same_weights_and_environments(run: Path, other: Path) -> None:
    for worker in (0, 1):
        ours, theirs = load_checkpoint(run, worker), load_checkpoint(other, worker)
        assert ours.state["update"] == theirs.state["update"] == NUM_UPDATES
        for mine, their in ((ours.policy, theirs.policy), (ours.worker.tensors, theirs.worker.tensors)):  # type: ignore[union-attr]
            assert mine.keys() == their.keys()
            for name in mine:
                assert mine[name].numpy().tobytes() == their[name].numpy().tobytes(), (worker, name)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("undisturbed")
    with running([*TORCHRUN, *ONE_MACHINE, *training(root, NUM_UPDATES, *CHECKPOINTS)]) as processes:
        finish(processes)
    return root / RUN_NAME


@pytest.mark.slow
def test_a_killed_worker_is_started_anew_and_the_run_goes_on_from_its_checkpoint(tmp_path: Path, undisturbed: Path):
    run = tmp_path / RUN_NAME
    with running([*TORCHRUN, *ONE_MACHINE, *ELASTIC, *training(tmp_path, NUM_UPDATES, *CHECKPOINTS)]) as processes:
        wait_for_rows(run / "progress.csv", 5, processes)
        assert checkpoint_folders(run)
        os.kill(workers_of(processes[0].pid)[1], signal.SIGKILL)
        said = finish(processes)

    assert "Signal 9 (SIGKILL)" in said or "exitcode: -9" in said, said
    assert_same_weights_and_environments(run, undisturbed)


def namespaces(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True, text=True)


@pytest.fixture
def hosts() -> Iterator[dict[str, str]]:
    """Two hosts with a cable between them, and nothing else that they could reach."""
    if not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("cannot make network namespaces: needs root, and 'ip' of iproute2")
    made: list[str] = []
    try:
        for name in HOSTS.values():
            namespaces("netns", "add", name)
            made.append(name)
        first, second = HOSTS.values()
        peer = ("peer", "name", LINKS[1], "netns", second)
        namespaces("link", "add", LINKS[0], "netns", first, "type", "veth", *peer)
        for (address, name), link in zip(HOSTS.items(), LINKS, strict=True):
            namespaces("-n", name, "address", "add", f"{address}/24", "dev", link)
            for device in (link, "lo"):
                namespaces("-n", name, "link", "set", device, "up")
    except subprocess.CalledProcessError as error:
        for name in made:
            namespaces("netns", "delete", name)
        pytest.skip(f"cannot make network namespaces: {error.stderr.strip()}")
    yield HOSTS
    for name in made:
        namespaces("netns", "delete", name)


def agent(host: str, address: str, link: str, *arguments: str) -> list[str]:
    """The command that one would type on a host; all have this machine's name, so it must be told who leads."""
    leader = next(iter(HOSTS))
    rendezvous = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"{leader}:{PORT}", "--rdzv-id", "test"]
    rendezvous += ["--rdzv-conf", f"is_host={int(address == leader)}"]
    variables = ["env", f"GLOO_SOCKET_IFNAME={link}", f"TP_SOCKET_IFNAME={link}"]
    size = ["--nnodes", "2", "--nproc-per-node", "1", "--local-addr", address]
    return ["ip", "netns", "exec", host, *variables, *TORCHRUN, *rendezvous, *size, *ELASTIC, *arguments]


def on_both(run_root: Path) -> list[list[str]]:
    arguments = training(run_root, NUM_UPDATES, *CHECKPOINTS)
    return [agent(name, address, link, *arguments) for (address, name), link in zip(HOSTS.items(), LINKS, strict=True)]


@pytest.mark.slow
def test_two_hosts_train_as_one_machine_and_survive_a_killed_worker(
    tmp_path: Path, undisturbed: Path, hosts: dict[str, str]
):
    run = tmp_path / RUN_NAME
    with running(*on_both(tmp_path)) as processes:
        wait_for_rows(run / "progress.csv", 5, processes)
        assert checkpoint_folders(run)
        (victim,) = workers_of(processes[1].pid)  # on the second host: the first has to notice by itself
        os.kill(victim, signal.SIGKILL)
        finish(processes)

    assert_same_weights_and_environments(run, undisturbed)
