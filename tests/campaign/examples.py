"""Inputs drawn by hypothesis from a fixed seed: damaged bytes, strange values, requests."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Edit = Callable[[bytes], bytes]

STRANGE_TEXTS = (
    "", " ", "\x00", "NaN", "inf", "-1", "0", "1e308", "9" * 400, "99999999999", "1.5", "true", "null", "[]", "{}",
    "../../../etc/passwd", "/dev/zero", "a" * 5000, "\u202e\u0000\x1b[2J", "é😀", "%s%n", "'; --", "\n\n\n",
)  # fmt: skip
STRANGE_NUMBERS = (-1, 0, 1, 255, 256, 2**31 - 1, 2**31, 2**63, -(2**63), 10**40, 1e308, -0.0, 0.5)
STRANGE_JSON = (
    *STRANGE_TEXTS, *STRANGE_NUMBERS, None, True, False, [], {}, [[]], {"": {}}, [0] * 1000, ["x"], {"a": None},
)  # fmt: skip
STRANGE_BYTES = (
    b"NaN", b"Infinity", b"1e999", b"-1", b"9" * 5000, b"[" * 100_000, b'"\\ud800"', b"\x00" * 70, b"\xff\xfe", b"null",
    b"true", b"{}", b"[]", b'"', b"\n", b",", b"\r\n\r\n", b"\x80\x04\x95", b"../../../../etc/passwd", b"1e5", b"''",
)  # fmt: skip


def draw[Value](strategy: st.SearchStrategy[Value], seed_number: int, count: int) -> list[Value]:
    """Return so many values, always the same ones for a seed; fewer where there are no more."""
    values: list[Value] = []

    @seed(seed_number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=HealthCheck
    )
    @given(strategy)
    def collect(value: Value) -> None:
        values.append(value)

    collect()
    return values


_SHARES = st.floats(0, 1, exclude_max=True)


def _flip(share: float, bit: int) -> Edit:
    def edit(data: bytes) -> bytes:
        at = int(share * len(data))
        return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :] if data else b"\x01"

    return edit


def _replace(first: float, length: int, by: bytes) -> Edit:
    def edit(data: bytes) -> bytes:
        at = int(first * len(data))
        return data[:at] + by + data[at + length :]

    return edit


def _cut(share: float) -> Edit:
    return lambda data: data[: int(share * len(data))]


def _repeat(first: float, length: int, times: int) -> Edit:
    def edit(data: bytes) -> bytes:
        at = int(first * len(data))
        return data[:at] + data[at : at + length] * times + data[at + length :]

    return edit


def edits_of_bytes() -> st.SearchStrategy[list[Edit]]:
    """A few places where a file's bytes are changed: flipped bits, replaced and repeated pieces, a missing end."""
    lengths = st.sampled_from((0, 1, 2, 4, 8, 64))
    one = st.one_of(
        st.builds(_flip, _SHARES, st.integers(0, 7)),
        st.builds(_flip, _SHARES.map(lambda share: share**3), st.integers(0, 7)),  # near the beginning
        st.builds(_flip, _SHARES.map(lambda share: max(0, 1 - share**3 - 1e-6)), st.integers(0, 7)),  # near the end
        st.builds(_replace, _SHARES, lengths, st.one_of(st.binary(max_size=8), st.sampled_from(STRANGE_BYTES))),
        st.builds(_cut, _SHARES),
        st.builds(_repeat, _SHARES, lengths, st.integers(2, 5)),
    )
    return st.lists(one, min_size=1, max_size=4)


def apply(edits: list[Edit], data: bytes) -> bytes:
    """Return bytes after all edits."""
    for edit in edits:
        data = edit(data)
    return data


def json_values() -> st.SearchStrategy[Any]:
    """Values that JSON can hold, the strange ones often."""
    leaves = st.one_of(
        st.sampled_from(STRANGE_JSON), st.integers(), st.floats(), st.text(max_size=20), st.booleans(), st.none()
    )
    return st.recursive(
        leaves, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner))
    )


def edits_of_json() -> st.SearchStrategy[list[Edit]]:
    """A place in a JSON file, at random, that says something else, is missing, or comes twice as often."""
    return st.lists(
        st.builds(_edit_json, st.integers(0, 10**9), st.integers(0, 4), json_values()), min_size=1, max_size=2
    )


def _edit_json(number: int, kind: int, value: Any) -> Edit:
    def edit(data: bytes) -> bytes:
        try:
            content = json.loads(data)
        except ValueError:
            return data
        places = list(_places(content))
        if not places:
            return json.dumps(value).encode()
        holder, key = places[number % len(places)]
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(key, value)
        elif kind == 2 and isinstance(holder[key], int | float):
            holder[key] = STRANGE_NUMBERS[number % len(STRANGE_NUMBERS)]
        else:
            holder[key] = value
        return json.dumps(content).encode()

    return edit


def _places(content: Any) -> Any:
    """Yield every place of a JSON value as (what holds it, key)."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(items):
        yield content, key
        yield from _places(value)
