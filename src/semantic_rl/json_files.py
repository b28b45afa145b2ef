"""Reads untrusted JSON files; every fault becomes one UserError.

`read_json_object` returns a `JsonObject`, whose methods return a field of the requested type, or raise UserError that
names the file, the field, its value and what was expected.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

from semantic_rl.errors import UserError
from semantic_rl.input_places import read_file

MOST_BYTES = 50_000_000
"""Largest accepted file; none of ours comes near it."""
MOST_DIGITS = 15
"""Integers with more digits are refused: no count of ours comes near them, and they must fit into 64 bits."""
LONGEST_SHOWN = 60
"""Most characters of an invalid value that a message shows."""


def read_json(path: Path, way_out: str) -> Any:
    """Return the content of a JSON file.

    Raises UserError, which ends in `way_out`, if the file is missing, not a regular file, larger than 50 MB, not UTF-8,
    not JSON or nested too deeply, or if it contains half a surrogate pair, NaN, an infinity or an integer of more than
    15 digits.
    """
    content = read_file(path, MOST_BYTES, way_out)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read: {error}; {way_out}") from error
    return _parse(text, path, way_out)


def _parse(text: str, path: Path, way_out: str) -> Any:
    try:
        content = json.loads(text, parse_constant=_refuse_constant, parse_int=_whole_number, parse_float=_number)
        if "\\u" in text:
            _refuse_surrogates(content)
    except RecursionError as error:
        raise UserError(f"{path} cannot be read: it is nested too deep; {way_out}") from error
    except ValueError as error:
        raise UserError(f"{path} cannot be read: {error}; {way_out}") from error
    return content


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} stands where a finite number is due")


def _whole_number(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise ValueError(f"a whole number has {len(text):,} digits, expected at most {MOST_DIGITS}")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} stands where a finite number is due")
    return value


def _refuse_surrogates(content: Any) -> None:
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a text in it holds half of a surrogate pair") from error


class JsonObject(Mapping[str, Any]):
    """An object in a JSON file; each method returns one field, or raises UserError if it has another type or range."""

    def __init__(self, content: Mapping[str, Any], path: Path, way_out: str, where: str = "") -> None:
        self.content = content
        self.path = path
        self.way_out = way_out
        self._where = where

    def __getitem__(self, name: str) -> Any:
        return self.content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._value(name, default, "a text")
        return value if isinstance(value, str) else self.wrong(name, "a text")

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._value(name, default, "true or false")
        return value if isinstance(value, bool) else self.wrong(name, "true or false")

    def integer(self, name: str, least: int = 0, most: int = 10**MOST_DIGITS, default: int | None = None) -> int:
        """Return an integer from `least` to `most`."""
        expected = f"a whole number from {least:,} to {most:,}" if most < 10**MOST_DIGITS else "a whole number"
        if most == 10**MOST_DIGITS and least > -most:
            expected += f" of at least {least:,}"
        value = self._value(name, default, expected)
        if type(value) is not int or not least <= value <= most:
            self.wrong(name, expected)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number."""
        value = self._value(name, default, "a finite number")
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(name, "a finite number")
        return float(value)

    def object(self, name: str) -> "JsonObject":
        """Return an object."""
        value = self._value(name, None, "an object")
        if not isinstance(value, dict):
            self.wrong(name, "an object")
        return JsonObject(cast(dict[str, Any], value), self.path, self.way_out, f"{self._where}{name}.")

    def array(self, name: str) -> list[Any]:
        """Return an array."""
        value = self._value(name, None, "an array")
        return cast(list[Any], value) if isinstance(value, list) else self.wrong(name, "an array")

    def objects(self, name: str) -> "list[JsonObject]":
        """Return an array of objects."""
        found = self.array(name)
        for index, value in enumerate(found):
            if not isinstance(value, dict):
                where = shown(f"{self._where}{name}[{index}]")
                raise UserError(f"{self.path}: {where} is {shown(value)}, expected an object; {self.way_out}")
        return [
            JsonObject(cast(dict[str, Any], value), self.path, self.way_out, f"{self._where}{name}[{index}].")
            for index, value in enumerate(found)
        ]

    def wrong(self, name: str, expected: str) -> NoReturn:
        """Raise UserError saying that a field is not what was expected."""
        is_there = name in self.content
        found = f"is {shown(self.content[name])}" if is_there else "is missing"
        raise UserError(f"{self.path}: {shown(self._where + name)} {found}, expected {expected}; {self.way_out}")

    def _value(self, name: str, default: Any, expected: str) -> Any:
        if name not in self.content:
            return self.wrong(name, expected) if default is None else default
        return self.content[name]


def read_json_object(path: Path, way_out: str) -> JsonObject:
    """Return the object in a JSON file; raises UserError as `read_json` does, or if it holds something else."""
    return _as_object(read_json(path, way_out), path, way_out)


def parse_json_object(text: str, path: Path, way_out: str) -> JsonObject:
    """Parse the object in a file's text; raises UserError, which names `path`, as `read_json_object` does."""
    return _as_object(_parse(text, path, way_out), path, way_out)


def _as_object(content: Any, path: Path, way_out: str) -> JsonObject:
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {shown(content)}, expected an object; {way_out}")
    return JsonObject(cast(dict[str, Any], content), path, way_out)


def shown(value: object) -> str:
    """Return a value in the form used in messages: on one line, and shortened if it is long."""
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    text = text if text.isprintable() else ascii(text)[1:-1]
    text = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return f"'{text}'" if isinstance(value, str) else text
