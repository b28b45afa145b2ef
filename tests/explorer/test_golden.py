"""What the page has from Python is what Python makes today: golden cases, types, constants, colours."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FRONTEND = Path(__file__).resolve().parent.parent.parent / "frontend"


def script(name: str) -> ModuleType:
    """Import a script of frontend/, which is no package."""
    spec = spec_from_file_location(name, FRONTEND / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_alike(made: Any, stored: Any, place: str = "") -> None:
    """Numbers may differ by rounding between machines; the rest may not."""
    if isinstance(stored, dict):
        assert made.keys() == stored.keys(), place
        for name in stored:
            assert_alike(made[name], stored[name], f"{place}.{name}")
    elif isinstance(stored, list):
        assert len(made) == len(stored), place
        for index, (one, other) in enumerate(zip(made, stored, strict=True)):
            assert_alike(one, other, f"{place}.{index}")
    elif isinstance(stored, float):
        assert made == pytest.approx(stored, rel=1e-6, abs=1e-9), place
    else:
        assert made == stored, place


def test_the_golden_cases_are_those_of_the_definition(tmp_path: Path) -> None:
    golden = script("golden")
    stored = json.loads(golden.FILE.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(golden.golden(tmp_path)))
    for one, other in zip(made["recordings"], stored["recordings"], strict=True):
        ours, theirs = one.pop("blocks"), other.pop("blocks")
        assert ours.keys() == theirs.keys()
        for name in theirs:
            np.testing.assert_array_equal(golden.unpacked(ours[name]), golden.unpacked(theirs[name]), name)
    assert_alike(made, stored)


def test_types_constants_and_colours_of_the_page_are_those_of_python() -> None:
    generate = script("generate")
    for name, make in generate.FILES.items():
        committed = (generate.SOURCES / name).read_text(encoding="utf-8")
        assert committed == make(), f"frontend/src/{name}: run 'python frontend/generate.py' and commit what it writes"
