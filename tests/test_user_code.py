"""Tests of running functions of a user's own files."""

import sys
from pathlib import Path

from semantic_rl.user_code import UserFunction, call_user_function


def _user_file(folder: Path, says: str, *, package: bool) -> UserFunction:
    neighbour = folder / "semantic_rl_neighbour" / "__init__.py" if package else folder / "semantic_rl_neighbour.py"
    neighbour.parent.mkdir(parents=True)
    neighbour.write_text(f"SAYS = {says!r}\n", encoding="utf-8")
    path = folder / "mine.py"
    path.write_text("import semantic_rl_neighbour\n\ndef make():\n    return semantic_rl_neighbour\n", encoding="utf-8")
    return UserFunction(path, "make")


def test_each_file_imports_the_neighbours_of_its_own_folder(tmp_path: Path) -> None:
    one = _user_file(tmp_path / "one", "one", package=False)
    two = _user_file(tmp_path / "two", "two", package=True)
    for function, says in ((one, "one"), (two, "two"), (one, "one")):
        module = call_user_function(function, {})
        assert says == module.SAYS
    del sys.modules["semantic_rl_neighbour"]


def test_what_a_file_imports_stays_imported_where_no_other_file_has_the_name(tmp_path: Path) -> None:
    function = _user_file(tmp_path / "one", "one", package=False)
    other = tmp_path / "two" / "other.py"
    other.parent.mkdir()
    other.write_text(
        "def make():\n    import semantic_rl_neighbour\n    return semantic_rl_neighbour\n", encoding="utf-8"
    )
    first = call_user_function(function, {})
    assert call_user_function(UserFunction(other, "make"), {}) is first
    assert call_user_function(function, {}) is first
    del sys.modules["semantic_rl_neighbour"]


def test_libraries_and_folders_of_their_names_are_no_neighbours(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "tabnanny").mkdir(parents=True)  # an empty folder gives way to the library's module
        (tmp_path / name / "mine.py").write_text(
            "import tabnanny\n\ndef make():\n    return tabnanny\n", encoding="utf-8"
        )
    sys.modules.pop("tabnanny", None)
    first, second = (
        call_user_function(UserFunction(tmp_path / name / "mine.py", "make"), {}) for name in ("one", "two")
    )
    assert first is second
