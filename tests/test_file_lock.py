"""What happens on a system without locks: everything is imported and written as elsewhere."""

import subprocess
import sys
from pathlib import Path

from .test_layers import MODULES, imports

WITHOUT_LOCKS = """
import sys
sys.modules["fcntl"] = None
from pathlib import Path
from semantic_rl.atomic_write import remove_abandoned, whole_file, whole_folder
from semantic_rl.folder_lock import hold_folder
from semantic_rl.recording.store.annotations import Annotations
folder = Path(sys.argv[1])
with hold_folder(folder) as held:
    assert not held
    with whole_file(folder / "file") as temporary:
        temporary.write_text("x", encoding="utf-8")
    with whole_folder(folder / "inner") as temporary:
        (temporary / "file").write_text("y", encoding="utf-8")
Annotations(folder).put_cluster(2, "before a jump", "", "Ada", 0)
remove_abandoned(folder, 0)
"""


def test_one_module_alone_asks_for_the_systems_locks() -> None:
    assert [name for name, path in MODULES.items() if "fcntl" in imports(path)] == ["file_lock"]


def test_files_folders_and_notes_are_written_where_there_are_no_locks(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_LOCKS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["annotations.json", "file", "inner"]
