"""Commands let threads sleep while they wait, unless told otherwise."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from importlib import import_module
try:
    import_module(sys.argv[1]).main(sys.argv[2:])
except SystemExit:
    pass
print(os.environ.get("OMP_WAIT_POLICY"))
"""


@pytest.mark.parametrize("given", [None, "active"])
@pytest.mark.parametrize(
    "command",
    [
        ["semantic_rl.cli", "metrics", "nothing"],
        ["semantic_rl.cli", "evaluate", "nothing"],
        ["train_procgen.train_sppo", "--env_name", "nothing"],
    ],
)
def test_threads_sleep_unless_the_user_says_otherwise(command: list[str], given: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **({} if given is None else {"OMP_WAIT_POLICY": given})}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command],
        env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split()[-1] == (given or "passive")
