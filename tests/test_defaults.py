"""No function repeats the default of a setting: defaults stand in the dataclasses of `config` alone."""

import ast
import dataclasses
from pathlib import Path

import semantic_rl
from semantic_rl import config

PACKAGE = Path(semantic_rl.__file__).parent
SAYS_NOTHING = (0, False, None, "", "auto")
"""What stands for "not given"; a seed of 0 is a seed all the same."""


def settings() -> set[tuple[str, object]]:
    """Return the name and the default of all settings that have one."""
    classes = [found for name in config.__all__ if dataclasses.is_dataclass(found := getattr(config, name))]
    fields = [field for found in classes for field in dataclasses.fields(found)]
    return {(field.name, field.default) for field in fields if field.default is not dataclasses.MISSING}


def repeated(path: Path, defaults: set[tuple[str, object]]) -> set[tuple[str, str, str]]:
    """Return (file, function, parameter) of parameters that write out the default of a setting of the same name."""
    found: set[tuple[str, str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        arguments = [*node.args.posonlyargs, *node.args.args]
        pairs = list(zip(arguments[len(arguments) - len(node.args.defaults) :], node.args.defaults, strict=True))
        pairs += list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
        for argument, default in pairs:
            if not isinstance(default, ast.Constant) or (argument.arg, default.value) not in defaults:
                continue
            if default.value not in SAYS_NOTHING or argument.arg == "seed":
                found.add((path.relative_to(PACKAGE).as_posix(), node.name, argument.arg))
    return found


def test_no_function_repeats_the_default_of_a_setting() -> None:
    defaults = settings()
    assert {("perplexity", 30.0), ("clip_range", 0.2), ("feature_dof", 20.0), ("num_codes", 8)} <= defaults
    files = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "config" not in path.parents]
    assert not set[tuple[str, str, str]]().union(*(repeated(path, defaults) for path in files))
