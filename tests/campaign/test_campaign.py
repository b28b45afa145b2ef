"""A small part of the campaign, in every test run; the whole is `./dev campaign`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .batches import small_batches
from .flags import commands_without_attack
from .places import can_mount
from .table import Result, read_results

REPOSITORY = Path(__file__).resolve().parent.parent.parent
KINDS = list(dict.fromkeys(batch.attack for batch in small_batches()))


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Result]]:
    """Run the small part once, and return what was found by kind of attack."""
    folder = tmp_path_factory.mktemp("campaign")
    for above in (folder, *folder.parents[:2]):  # one of the attacks is made as another user
        above.chmod(above.stat().st_mode | 0o011)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tests.campaign", "--small", "--folder", str(folder)]
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=590, check=False
    )
    assert "did not end" not in done.stderr, done.stderr
    found: dict[str, list[Result]] = {kind: [] for kind in KINDS}
    for result in read_results(folder, small_batches()):
        found[result.kind.partition(":")[0]].append(result)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_everything_hostile_is_answered_right(results: dict[str, list[Result]], kind: str) -> None:
    wrong = [f"{result.kind}: {said}" for result in results[kind] for said in result.wrong]
    assert not wrong, "\n".join(wrong)
    assert all(result.tried for result in results[kind])


def test_the_flags_of_every_command_are_attacked() -> None:
    assert not commands_without_attack()


def test_disks_and_users_are_among_the_places(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("not allowed to mount file systems or to become another user here")
