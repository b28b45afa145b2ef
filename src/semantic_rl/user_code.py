"""Runs a function in a user's own file, which `file.py:function` names.

The file is run as Python runs it, with its folder first on the path, so that it can import its neighbours.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from semantic_rl.errors import UserError, nearest, on_one_line
from semantic_rl.input_places import kind_of, shown_path

FORM = "a Python file and a function in it, such as my_code.py:make"
LONGEST_REASON = 300
"""Largest number of characters of a user's exception that a message quotes."""

_neighbours: dict[str, str] = {}
"""Modules that user's files have imported from their own folders, by name: the folder."""


class UserFunction(NamedTuple):
    """What `file.py:function` names."""

    path: Path
    name: str


def user_function(text: str) -> UserFunction | None:
    """Return what a text of the form file.py:function names; None if it has another form."""
    path, colon, name = text.rpartition(":")
    return UserFunction(Path(path), name) if colon and path.endswith(".py") and name.isidentifier() else None


def call_user_function(
    function: UserFunction, arguments: Mapping[str, Any], if_accepted: Mapping[str, Any] | None = None
) -> Any:
    """Run the file and return what its function returns for the arguments, and for those of `if_accepted` that it has.

    Raises UserError if there is no such file or function, or, with the line, if the user's code raises an exception.
    """
    path, name = function
    if kind_of(path, FORM) != "file":
        raise UserError(f"{shown_path(path)}: no such file; expected {FORM}.")
    module_name = f"semantic_rl_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path.resolve())
    if spec is None or spec.loader is None:
        raise UserError(f"{shown_path(path)} is no Python file; expected {FORM}.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    _forget_namesakes(folder)
    known = set(sys.modules)
    sys.path.insert(0, folder)
    sys.modules[module_name] = module  # dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
        found = getattr(module, name, None)
        if not callable(found):
            functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise UserError(f"{shown_path(path)}: has no function '{name}'.{nearest(name, functions)}")
        accepted = {key: value for key, value in (if_accepted or {}).items() if _accepts(found, key)}
        return found(**accepted, **arguments)
    except UserError:
        raise
    except Exception as error:  # whatever the user's code raises
        raise UserError(f"{shown_path(path)}: {exception_in_words(error, path)}") from error
    finally:
        sys.path.remove(folder)
        new = set(sys.modules) - known - {module_name}
        _neighbours.update({name: folder for name in new if _comes_from(folder, name)})


def _forget_namesakes(folder: str) -> None:
    """Forget modules that files of other folders have imported, if this folder has a module of the same name.

    Two files that each import their own `utils` thus get their own, in one process as in two.
    """
    for name in [name for name, of in _neighbours.items() if of != folder and _is_in(folder, name)]:
        del _neighbours[name]
        for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
            del sys.modules[loaded]


def _is_in(folder: str, name: str) -> bool:
    """Return whether a folder has a module or a package of this name."""
    return Path(folder, f"{name}.py").is_file() or Path(folder, name).is_dir()


def _comes_from(folder: str, name: str) -> bool:
    """Return whether a loaded module is a file or a package of this very folder, not of one below it."""
    spec = getattr(sys.modules[name], "__spec__", None)
    places = [*(spec.submodule_search_locations or []), spec.origin or ""] if spec else []
    return "." not in name and any(Path(place).parent == Path(folder) for place in places)


def _accepts(function: Callable[..., Any], name: str) -> bool:
    parameters = inspect.signature(function).parameters
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def exception_in_words(error: Exception, path: Path | None = None) -> str:
    """Return an exception on one line, with the line of the user's file that led to it."""
    where = str(path.resolve()) if path is not None else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == where]
    said = f"line {lines[-1]} raised " if lines else ""
    return on_one_line(f"{said}{type(error).__name__}: {error}")[:LONGEST_REASON]
