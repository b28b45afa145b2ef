"""Commands that compute t-SNE and metrics let threads sleep while they wait, unless told otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
from semantic_rl.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(os.environ.get("OMP_WAIT_POLICY"), "sklearn" in sys.modules)
"""


@pytest.mark.parametrize("given", [None, "active"])
@pytest.mark.parametrize("command", [["metrics"], ["figures", "embeddings"]])
def test_threads_sleep_unless_the_user_says_otherwise(command: list[str], given: str | None, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **({} if given is None else {"OMP_WAIT_POLICY": given})}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command, str(tmp_path / "nothing")],
        env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split()[-2] == (given or "passive")
