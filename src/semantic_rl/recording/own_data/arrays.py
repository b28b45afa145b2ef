"""Turns what a user gives into arrays of a known shape and type; each fault becomes one UserError with its name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from semantic_rl.errors import UserError


def as_array(name: str, given: Any) -> NDArray[Any]:
    """Return numbers or texts as an array, tensors too; raises UserError if they are something else."""
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError):
        raise UserError(f"{name}: its rows have different shapes, expected the same shape in every row.") from None
    if array.dtype.kind not in "biufU":
        raise UserError(f"{name}: got values of the type {array.dtype}, expected numbers.")
    return array


def rows_of(name: str, given: Any, count: int, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return numbers [B, *shape], where B is `count`; without `shape`, of any shape.

    Raises UserError if there are more or fewer rows, or if they have another shape or are texts.
    """
    array = as_array(name, given)
    if array.dtype.kind == "U":
        raise UserError(f"{name}: got texts, expected numbers.")
    if not array.ndim or len(array) != count:
        found = f"{len(array):,} rows" if array.ndim else "a single number"
        raise UserError(f"{name}: got {found}, expected {count:,}, one for each row of features.")
    if shape is not None and array.shape[1:] != shape:
        if shape in ((), (1,)) and array.shape[1:] in ((), (1,)):
            return array.reshape(count, *shape)
        expected = ", ".join(map(str, (count, *shape)))
        raise UserError(f"{name}: got an array of the shape {array.shape}, expected ({expected}).")
    return array


def floats(
    name: str, given: Any, count: int, shape: tuple[int, ...] | None = (), unknown: bool = False
) -> NDArray[np.float32]:
    """Return float32 numbers [B, *shape]; raises UserError unless all are finite, or NaN where `unknown` allows it."""
    return as_floats(name, rows_of(name, given, count, shape), np.float32, unknown)


def as_floats(name: str, array: NDArray[Any], dtype: DTypeLike, unknown: bool = False) -> NDArray[Any]:
    """Return numbers as fractions of a type; raises UserError unless all are finite, or NaN where `unknown` allows it.

    A number that the type does not hold counts as infinite.
    """
    with np.errstate(over="ignore"):
        found = array.astype(dtype, copy=False)
    wrong = ~(np.isfinite(found) | np.isnan(found)) if unknown else ~np.isfinite(found)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        value = array[wrong][0]
        why = f"is beyond what {np.dtype(dtype)} holds" if np.isfinite(value) else "is not finite"
        raise UserError(f"{name}: the number {value} in row {row:,} {why}.")
    return found


def integers(name: str, given: Any, count: int, sizes: Sequence[int], first: int = 0) -> NDArray[np.int64]:
    """Return indices [B, W] of W choices, each from `first` on and below `first` + its size, counted from 0."""
    array = rows_of(name, given, count, None).reshape(count, -1)
    if array.dtype.kind not in "biu":
        raise UserError(f"{name}: got numbers of the type {array.dtype}, expected whole numbers.")
    if array.shape[1] != len(sizes):
        expected = ", ".join(map(str, (count, *((len(sizes),) if len(sizes) > 1 else ()))))
        raise UserError(f"{name}: got an array of the shape {np.shape(given)}, expected ({expected}).")
    found = array.astype(np.int64) - first
    wrong = (found < 0) | (found >= np.array(sizes))
    if wrong.any():
        row, place = np.argwhere(wrong)[0].tolist()
        last = first + sizes[place] - 1
        raise UserError(f"{name}: {array[row, place]} in row {row:,} is not one of {first} to {last}.")
    return found


def texts(name: str, given: Any, count: int) -> list[str]:
    """Return B texts; raises UserError if something is none, or if there are more or fewer."""
    found = given.tolist() if isinstance(given, np.ndarray) else list(given)
    if len(found) != count:
        raise UserError(f"{name}: got {len(found):,} rows, expected {count:,}, one for each row of features.")
    for row, text in enumerate(found):
        if not isinstance(text, str):
            raise UserError(f"{name}: got {text!r} in row {row:,}, expected a text as in the other rows.")
    return found


def are_texts(given: Any) -> bool:
    """Say whether a column holds texts, by its first value; columns of a data frame count from their first row."""
    if hasattr(given, "detach") or isinstance(given, str):
        return False
    if not isinstance(given, np.ndarray):
        try:
            return isinstance(next(iter(given), None), str)
        except TypeError:
            return False
    return given.dtype.kind == "U" or (given.dtype.kind == "O" and isinstance(next(given.flat, None), str))
