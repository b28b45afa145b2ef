"""Writes what the page knows from Python: `python frontend/generate.py` after a change there.

`src/data/contract.ts` has the types of `semantic_rl.explorer.contract` and the constants of what the page computes
itself; `src/map/palette.ts` has the colours. `tests/explorer/test_golden.py` fails where they are not what this
script writes.
"""

import ast
import inspect
import json
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypeAliasType, Union, is_typeddict

from matplotlib import colormaps
from matplotlib.colors import to_hex

from semantic_rl import palette
from semantic_rl.analysis import clusters, effect_sizes
from semantic_rl.config import intervals
from semantic_rl.explorer import contract, encoding
from semantic_rl.explorer.dataset import point_columns, projections
from semantic_rl.explorer.queries import nearest_states
from semantic_rl.explorer.selection import statistics
from semantic_rl.recording.store import annotations, tag_ranges

SOURCES = Path(__file__).resolve().parent / "src"
HEAD = "// Made by frontend/generate.py from {}; do not change it here.\n"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}
STOPS = 17
"""Colours between which the page mixes those of a scale."""

CONSTANTS = {
    "PLANE_NAMES": projections.PLANES,
    "HIGHEST": encoding.LEVELS_16_BIT,
    "NOT_PLACED": point_columns.NOT_PLACED,
    "PART": point_columns.PART,
    "NUM_NEAREST": nearest_states.NUM_NEAREST,
    "MOST_TAG_RANGES": tag_ranges.MOST_RANGES,
    "LONGEST_TAG": annotations.LONGEST["tag"],
    "NUM_EXAMPLES": statistics.NUM_EXAMPLES,
    "FRAMES_IN_MEAN": clusters.FRAMES_IN_MEAN,
    "ORDER_FACTOR": statistics.ORDER_FACTOR,
    "LEVEL": intervals.CONFIDENCE,
    "TOO_FEW": effect_sizes.TOO_FEW,
    "NOTHING": effect_sizes.NOTHING,
    "NOT_IN_A_SAMPLE": statistics.NOT_IN_A_SAMPLE,
    "OF_A_SAMPLE": statistics.OF_A_SAMPLE,
    "NOT_FILTERED": statistics.NOT_FILTERED,
    "OF_FILTERED": statistics.OF_FILTERED,
    "COHENS_D": effect_sizes.COHENS_D,
    "COHENS_H": effect_sizes.COHENS_H,
    "CRAMERS_V": effect_sizes.CRAMERS_V,
}
TYPED = {"PLANE_NAMES": "readonly PlaneName[]"}


def typescript(annotation: Any) -> str:
    """Return a Python type as a TypeScript one."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    if annotation == contract.PlaneName:
        return "PlaneName"
    if annotation is contract.FloatOrNaN:
        return "number | null"
    if isinstance(annotation, TypeAliasType):
        inner = annotation.__value__
        return typescript(inner) if typing.get_origin(inner) is Annotated else annotation.__name__
    if is_typeddict(annotation):
        return annotation.__name__
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return str(arguments[1])
    if origin is NotRequired:
        return typescript(arguments[0])
    if origin is Literal:
        return " | ".join(map(json.dumps, arguments))
    if origin in (Union, types.UnionType):
        return " | ".join(map(typescript, arguments))
    if origin is list:
        item = typescript(arguments[0])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if origin is tuple:
        return f"readonly [{', '.join(map(typescript, arguments))}]"
    if origin is dict:
        return f"Record<{typescript(arguments[0])}, {typescript(arguments[1])}>"
    raise TypeError(f"{annotation} has no counterpart in TypeScript yet")


def texts(source: Any) -> dict[str, str]:
    """Return what a module says below its classes, their fields, and its types: by 'Class', 'Class.field', 'Type'."""
    found: dict[str, str] = {}

    def read(body: list[ast.stmt], prefix: str) -> None:
        for node, below in zip(body, [*body[1:], None], strict=True):
            name = ""
            if isinstance(node, ast.ClassDef):
                found[node.name] = ast.get_docstring(node) or ""
                read(node.body, f"{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            elif isinstance(node, ast.TypeAlias):
                name = node.name.id
            if name and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[prefix + name] = " ".join(str(below.value.value).split())

    read(ast.parse(inspect.getsource(source)).body, "")
    return found


def interface(kind: Any, said: dict[str, str]) -> str:
    """Return a TypedDict as an interface; `said` are the texts of its module."""
    bases = [base for base in types.get_original_bases(kind) if is_typeddict(base)]
    above = set().union(*(base.__annotations__ for base in bases))
    lines: list[str] = []
    for name, annotation in typing.get_type_hints(kind, include_extras=True).items():
        if name in above:
            continue
        if text := said.get(f"{kind.__name__}.{name}"):
            lines.append(f"  /** {text} */")
        lines.append(f"  {name}{'' if name in kind.__required_keys__ else '?'}: {typescript(annotation)};")
    extends = f" extends {', '.join(base.__name__ for base in bases)}" if bases else ""
    return "\n".join([*_comment(said.get(kind.__name__)), f"export interface {kind.__name__}{extends} {{", *lines, "}"])


def alias(kind: TypeAliasType, said: dict[str, str]) -> str:
    """Return a named type."""
    return "\n".join(
        [*_comment(said.get(kind.__name__)), f"export type {kind.__name__} = {typescript(kind.__value__)};"]
    )


def _comment(text: str | None) -> list[str]:
    return [f"/** {text} */"] if text else []


def contract_ts() -> str:
    """Return the types and constants."""
    said = texts(effect_sizes) | texts(contract)
    names = " | ".join(map(json.dumps, projections.PLANES))
    parts = [HEAD.format("semantic_rl.explorer.contract"), f"export type PlaneName = {names};"]
    for kind in vars(contract).values():
        if isinstance(kind, TypeAliasType):
            if kind.__module__ == contract.__name__ and typing.get_origin(kind.__value__) is not Annotated:
                parts.append(alias(kind, said))
        elif is_typeddict(kind):
            parts.append(interface(kind, said))
    parts.append(_constants(CONSTANTS))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def palette_ts() -> str:
    """Return the colours that are not those of clusters, which every recording brings along."""
    scale = [to_hex(colormaps[palette.SEQUENTIAL](index / (STOPS - 1))) for index in range(STOPS)]
    colors = {
        "SCALE": scale,
        "CATEGORIES": palette.CATEGORIES,
        "OTHER": palette.OTHER,
        "INK_ON_OTHER": palette.ink_on(palette.OTHER),
        "FAILED": palette.FAILED,
        "SUCCEEDED": palette.SUCCEEDED,
        "LOST": palette.LOST,
        "GAINED": palette.GAINED,
    }
    return f"{HEAD.format('semantic_rl.palette')}\n{_constants(colors)}\n"


def _constants(values: dict[str, Any]) -> str:
    return "\n".join(
        f"export const {name}{f': {TYPED[name]}' if name in TYPED else ''} = "
        f"{json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)};"
        for name, value in values.items()
    )


FILES = {"data/contract.ts": contract_ts, "map/palette.ts": palette_ts}

if __name__ == "__main__":
    for name, make in FILES.items():
        (SOURCES / name).write_text(make(), encoding="utf-8")
