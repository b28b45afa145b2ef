"""Holds the walls between the parts of the package: who may import whom, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "semantic_rl"

EVERYONE = (
    "errors", "called_flags", "atomic_write", "file_lock", "folder_lock", "output_places", "input_places", "json_files",
    "late_imports", "progress_bar", "progress_log", "cores", "palette",
)  # fmt: skip
"""What every part may import: errors, progress bars, colours, and the ways to read and write files."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    # part                   may import, besides itself and EVERYONE
    "errors":                (),
    "called_flags":          (),
    "atomic_write":          ("artifacts",),
    "file_lock":             (),
    "folder_lock":           (),
    "output_places":         ("artifacts",),
    "input_places":          (),
    "json_files":            (),
    "late_imports":          (),
    "stop_signals":          (),
    "progress_bar":          (),
    "progress_log":          (),
    "cores":                 (),
    "palette":               (),
    "control_factor":        ("artifacts",),
    "user_code":             (),
    "array_pickle":          (),
    "envs.spec":             (),
    "envs.procgen.games":    ("envs.spec",),
    "envs.procgen.spec":     ("envs.procgen.games", "envs.spec"),
    "config":                ("envs.procgen.games", "envs.spec"),
    "artifacts":             (),
    "arguments":             ("config",),
    "shapes":                (),
    "triton_support":        (),
    "torch_threads":         (),
    "losses":                ("config", "shapes", "torch_threads", "triton_support"),
    "envs":                  ("config",),
    "envs.gymnasium":        ("envs.base", "envs.spec", "array_pickle", "user_code"),
    "models":                ("config", "envs.procgen.games", "shapes", "torch_threads", "triton_support"),
    "agents":                ("artifacts",),
    "agents.open":           ("agents", "user_code"),
    "agents.spaces":         ("envs.gymnasium", "envs.procgen.games"),
    "agents.user_file":      ("agents", "user_code"),
    "agents.policy":         ("agents", "artifacts", "models", "training.checkpoint", "training.device"),
    "agents.pack":           ("agents", "artifacts", "config", "evaluate", "training.checkpoint", "training.logger"),
    "training":              ("agents", "config", "artifacts", "envs", "models", "losses", "control_factor",
                              "stop_signals", "triton_support"),
    "evaluate":              ("analysis.return_ranges", "config", "envs", "models", "training.checkpoint",
                              "training.device"),
    "evaluate_foreign":      ("evaluate", "config", "envs", "recording.record"),
    "recording":             (),
    "recording.store":       ("artifacts", "control_factor", "envs.spec", "envs.procgen.spec"),
    "recording.record":      ("recording.store", "agents", "control_factor", "artifacts", "config", "envs", "models",
                              "training.checkpoint", "training.device", "stop_signals",
                              "training.versions", "user_code"),
    "clustering":            ("recording.store", "recording.own_data.npz_source", "losses", "analysis", "config",
                              "artifacts", "stop_signals"),
    "recording.own_data":    ("recording.store", "artifacts", "config", "envs.spec", "envs.gymnasium"),
    "analysis":              ("recording.store", "artifacts", "config", "envs.procgen.games", "envs.spec"),
    "figures":               ("analysis", "recording.store", "artifacts", "config"),
    "clips":                 ("analysis", "recording.store", "artifacts", "config", "envs.spec"),
    "clips.play_agent":      ("clips", "envs.procgen.spec", "recording.store", "recording.record",
                              "training.checkpoint", "artifacts", "config"),
    "report":                ("analysis", "figures", "clips", "recording.store", "agents", "artifacts",
                              "envs.spec", "config"),
    "explorer":              ("analysis", "clips", "recording.store", "artifacts", "envs.spec", "config"),
    "checking":              ("agents", "analysis", "artifacts", "recording.store", "training.checkpoint"),
    "original":              ("artifacts", "array_pickle", "config", "models", "training.checkpoint",
                              "training.resume_checks", "training.versions", "analysis"),
    "reproduce":             ("config", "artifacts", "envs.procgen.games", "training", "analysis", "figures",
                              "original.published_curves", "stop_signals"),
    "demo":                  ("recording", "analysis", "figures", "clips", "report", "config", "artifacts"),
    "find_or_record":        ("agents", "recording", "config", "artifacts"),
    "commands":              ("*",),
    "terminal_signs":        (),
    "cli":                   ("commands", "arguments", "terminal_signs"),
}  # fmt: skip
"""A new part needs a row; a new entry in a row needs a reason in the commit that makes it."""

EXPLORER_FLOORS: tuple[tuple[str, ...], ...] = (
    ("background_jobs", "built_page", "contract", "encoding", "errors"),
    ("dataset",),
    ("queries",),
    ("selection",),
    ("recording_view", "open_recordings"),
    ("export",),
    ("server",),
    ("notebook",),
)
"""Rooms of the explorer, from the ground up: each imports only what stands on its own floor or below."""

CLI_MAY_IMPORT_AT_START = ("arguments", "config", *EVERYONE[:-1], "artifacts", "envs.procgen.games", "terminal_signs")
"""The colours take NumPy. The rest is imported inside each command, so that `--help` is quick."""

WITHOUT_TORCH_AND_GAMES = (
    *EVERYONE, "envs.spec", "envs.procgen.games", "envs.procgen.spec", "config", "artifacts", "arguments",
    "terminal_signs", "recording.store", "recording.own_data", "analysis", "figures", "clips", "report",
    "explorer", "commands", "cli",
)  # fmt: skip
HEAVY = ("torch", "procgen_gym", "gymnasium")

NOWHERE = ("joblib", "train_procgen")
"""joblib would execute what a foreign file asks for; the old command lines are a layer above this package."""


def module_name(path: Path) -> str:
    """Return 'envs.base' for .../semantic_rl/envs/base.py and '' for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def within(name: str, part: str) -> bool:
    """Say whether the module `name` is `part` or lies in it."""
    return name == part or name.startswith(part + ".")


def part_of(name: str) -> str | None:
    """Return the part that a module belongs to: the longest row of the table that it lies in."""
    return max((part for part in MAY_IMPORT if within(name, part)), key=len, default=None)


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Return the full names of all modules that a file imports, in functions and under TYPE_CHECKING too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = ["semantic_rl", *path.parent.relative_to(PACKAGE).parts]
                base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.add(full if full.removeprefix("semantic_rl.") in MODULES else base)
    return found


def our_imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Return what a file imports of this package, as names in it; the package's version is not counted."""
    return {
        name.removeprefix("semantic_rl.") for name in imports(path, top_level_only) if name.startswith("semantic_rl.")
    }


def other_imports(path: Path) -> set[str]:
    """Return the top-level names of all other packages that a file imports."""
    return {name.partition(".")[0] for name in imports(path)} - {"semantic_rl"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_part_may(name: str) -> None:
    if name == "":
        assert not our_imports(MODULES[name]), "importing the package must stay cheap"
        return
    part = part_of(name)
    assert part is not None, f"{name} belongs to no part: give it a row in MAY_IMPORT"
    allowed = (part, *EVERYONE, *MAY_IMPORT[part])
    wrong = {
        target
        for target in our_imports(MODULES[name])
        if "*" not in allowed and not any(within(target, other) for other in allowed)
    }
    assert not wrong, f"{name} imports {sorted(wrong)}; {part} may import {list(allowed)}"


def floor_of(name: str) -> int | None:
    """Return the floor of the explorer that a module stands on; None for the package itself."""
    room = name.removeprefix("explorer").lstrip(".").partition(".")[0]
    return next((floor for floor, rooms in enumerate(EXPLORER_FLOORS) if room in rooms), None)


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "explorer") and name != "explorer"])
def test_no_import_in_the_explorer_runs_up(name: str) -> None:
    floor = floor_of(name)
    assert floor is not None, f"{name} stands on no floor: give its room a place in EXPLORER_FLOORS"
    targets = [target for target in our_imports(MODULES[name]) if within(target, "explorer")]
    up = {target for target in targets if (other := floor_of(target)) is None or other > floor}
    assert not up, f"{name} imports {sorted(up)}, which stand above it"


def test_the_command_line_imports_the_rest_inside_its_commands() -> None:
    allowed = ("cli", "commands.parse", *CLI_MAY_IMPORT_AT_START)
    for name in (name for name in MODULES if within(name, "cli") or within(name, "commands")):
        found = our_imports(MODULES[name], top_level_only=True)
        wrong = {target for target in found if not any(within(target, other) for other in allowed)}
        assert not wrong, f"{name} imports {sorted(wrong)} at module level; move that into the command"


@pytest.mark.parametrize("name", MODULES)
def test_no_module_imports_what_is_banned(name: str) -> None:
    banned = set(NOWHERE)
    if part_of(name) in WITHOUT_TORCH_AND_GAMES:
        banned |= set(HEAVY)
    assert not banned & other_imports(MODULES[name])


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a new interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_neither_torch_nor_numpy() -> None:
    assert not {"torch", "numpy", *HEAVY} & loaded_after("import semantic_rl")


def test_what_reads_recordings_runs_without_torch_and_without_the_games() -> None:
    names = [name for name in MODULES if part_of(name) in WITHOUT_TORCH_AND_GAMES]
    statement = "\n".join(f"import semantic_rl.{name}" for name in names)
    assert not set(HEAVY) & loaded_after(statement)
