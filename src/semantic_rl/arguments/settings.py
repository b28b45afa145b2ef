"""Makes a command line from a config: one flag per field of the dataclass, with the field's docstring as its help."""

import argparse
import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeGuard, Union, get_args, get_origin, get_type_hints

from semantic_rl.arguments.parser import ArgumentParser, Several
from semantic_rl.arguments.values import number, one_of, path, text, whole_number
from semantic_rl.config.markers import POSITIONAL, SUPPRESS


class Kind(NamedTuple):
    """The type of a setting: how one word is parsed, its name in the help, and whether it takes several words."""

    read: Callable[[str], object]
    metavar: str
    several: bool = False


WORDS: dict[type, Kind] = {
    int: Kind(whole_number, "N"),
    float: Kind(number, "X"),
    Path: Kind(path, "PATH"),
    str: Kind(text, "TEXT"),
}


def add_settings(parser: ArgumentParser, config: type[Any]) -> None:
    """Add an argument to `parser` for each field of a dataclass and of nested ones; omitted arguments stay unset."""
    _add(parser, parser.settings, config)


def make_config(config: type[Any], given: dict[str, Any]) -> Any:
    """Make a config from values by setting name; other fields keep their defaults."""
    values: dict[str, Any] = {}
    for field, hint, _ in _fields(config):
        if _is_config(hint):
            values[field.name] = make_config(hint, given)
        elif field.name in given:
            values[field.name] = given[field.name]
    return config(**values)


def _is_config(hint: object) -> TypeGuard[type[Any]]:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _fields(config: type[Any]) -> list[tuple[dataclasses.Field[Any], Any, str | None]]:
    """Return the fields that are on the command line, with their types and markers."""
    hints = get_type_hints(config, include_extras=True)
    found: list[tuple[dataclasses.Field[Any], Any, str | None]] = []
    for field in dataclasses.fields(config):
        hint, marker = hints[field.name], None
        if get_origin(hint) is Annotated:
            hint, marker = get_args(hint)[:2]
        if marker != SUPPRESS:
            found.append((field, hint, marker))
    return found


def _add(parser: ArgumentParser, group: Any, config: type[Any]) -> None:
    helps = field_texts(config)
    fields = _fields(config)
    for field, hint, marker in fields:
        if _is_config(hint):
            continue
        about = helps.get(field.name, "").replace("%", "%%")
        if marker == POSITIONAL:
            kind = _kind(hint)
            required = field.default is dataclasses.MISSING
            parser.add_place(
                field.name, type=kind.read, metavar=field.name.upper(), help=about,
                nargs=None if required else "?", default=argparse.SUPPRESS if required else field.default,
            )  # fmt: skip
        else:
            _add_flag(group, field, hint, about)
    for field, hint, _ in fields:
        if _is_config(hint):
            about = helps.get(field.name) or (inspect.getdoc(hint) or "").partition("\n\n")[0]
            _add(parser, parser.add_argument_group(f"flags: {field.name}", about), hint)  # type: ignore[arg-type]


def _add_flag(group: Any, field: dataclasses.Field[Any], hint: Any, about: str) -> None:
    words = field.name.replace("_", "-")
    shared: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
    if hint is bool:
        # Only the flag that changes the default.
        flag, action = (f"--no-{words}", "store_false") if field.default is True else (f"--{words}", "store_true")
        group.add_argument(flag, action=action, help=about, **shared)
        return
    kind = _kind(hint)
    shown = " ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    default = "" if shown in (None, "", dataclasses.MISSING) else f" (default: {shown})".replace("%", "%%")
    required = field.default is dataclasses.MISSING
    if kind.several:
        shared |= {"action": Several, "metavar": f"{kind.metavar} ..."}
    group.add_argument(
        f"--{words}", type=kind.read, help=f"{about}{default}", required=required, **{"metavar": kind.metavar, **shared}
    )


def _kind(hint: Any) -> Kind:
    """Return how values of a type are parsed; raises TypeError for a type that no setting has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (hint,) = (argument for argument in arguments if argument is not NoneType)
        return _kind(hint)
    if origin is Literal:
        return Kind(one_of(*arguments), f"{{{','.join(arguments)}}}")
    if origin is tuple and arguments[1:] == (...,):
        return _kind(arguments[0])._replace(several=True)
    if hint not in WORDS:
        raise TypeError(f"no flag can be made of the type {hint}")
    return WORDS[hint]


def field_texts(config: type[Any]) -> dict[str, str]:
    """Return the docstring of each field of a dataclass and of its bases, as one line."""
    texts: dict[str, str] = {}
    for cls in reversed(config.__mro__):
        if not dataclasses.is_dataclass(cls):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(below):
                texts[field.target.id] = " ".join(ast.literal_eval(below.value).split())  # type: ignore[attr-defined]
    return texts


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
