"""Reads the arrays of an untrusted `.npz` file a part at a time; nothing in it is unpickled."""

import math
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError, on_one_line
from semantic_rl.input_places import ZIP_FAULTS
from semantic_rl.recording.own_data.source import MOST_BYTES_WHOLE, MOST_NAMES, WAY_OUT
from semantic_rl.recording.store.arrow_file import open_regular
from semantic_rl.recording.store.flatbuffer import Damaged

BYTES_AT_ONCE = 32 * 1024**2
FAULTS = (*ZIP_FAULTS, SyntaxError, TokenError, RecursionError, MemoryError, Damaged)
"""Exceptions that damaged files raise in Python's zipfile and in NumPy, which parses an array's header as Python."""
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class _Array(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool


class NpzSource:
    """The arrays of a file that `numpy.savez` wrote."""

    def __init__(self, path: Path, leading: str | None = "features", way_out: str = WAY_OUT) -> None:
        """Read the arrays' headers; raises UserError if one cannot be read, or holds something else than values.

        All arrays must have as many rows as the one called `leading`, by default; without one, each has its own.
        """
        self._way_out = way_out
        self.path = path
        with self._opened() as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            if len(set(members)) != len(members) or len(members) > MOST_NAMES:
                raise Damaged(
                    f"it holds {len(members):,} arrays, expected at most {MOST_NAMES}, all of different names"
                )
            self._arrays = {name.removesuffix(".npy"): self._header(archive, name) for name in members}
        self.names = list(self._arrays)
        lengths = {name: array.shape[0] if array.shape else -1 for name, array in self._arrays.items()}
        self.num_rows = lengths.get(leading or "", 0)
        wrong = next((name for name, length in lengths.items() if length != self.num_rows), None)
        if wrong is not None and leading in lengths:
            found = f"{lengths[wrong]:,} rows" if lengths[wrong] >= 0 else "a single value"
            raise UserError(f"{path}: '{wrong}' holds {found}, and '{leading}' {self.num_rows:,}; expected as many.")

    def whole(self, name: str) -> NDArray[Any]:
        """Return a whole array."""
        with self._opened() as archive:
            return self._read_whole(archive, name)

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the arrays a few rows at a time, side by side."""
        width = sum(_row_bytes(self._arrays[name]) for name in names)
        at_once = max(1, min(4096, BYTES_AT_ONCE // max(1, width)))
        with self._opened() as archive:
            whole = {name: self._read_whole(archive, name) for name in names if self._arrays[name].is_fortran}
            files = {name: archive.open(f"{name}.npy") for name in names if name not in whole}
            for file in files.values():
                _read_header(file)
            for start in range(0, self.num_rows, at_once):
                count = min(at_once, self.num_rows - start)
                found: dict[str, Any] = {name: array[start : start + count] for name, array in whole.items()}
                for name, file in files.items():
                    found[name] = _rows(file, self._arrays[name], count)
                yield found

    def _read_whole(self, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
        array = self._arrays[name]
        if math.prod(array.shape) * array.dtype.itemsize > MOST_BYTES_WHOLE:
            raise Damaged(f"'{name}' has more than {MOST_BYTES_WHOLE:,} bytes; save it in C order")
        with archive.open(f"{name}.npy") as file:
            _read_header(file)
            if array.is_fortran:
                turned = array._replace(shape=array.shape[::-1])
                return _rows(file, turned, turned.shape[0]).T
            return _rows(file, array, array.shape[0] if array.shape else 1)

    def _header(self, archive: zipfile.ZipFile, member: str) -> _Array:
        with archive.open(member) as file:
            array = _read_header(file)
            beginning = file.tell()
        if array.dtype.kind not in "biufU" or not array.dtype.itemsize:
            what = "Python objects, which are never unpickled" if array.dtype.hasobject else f"the type {array.dtype}"
            raise Damaged(f"'{member.removesuffix('.npy')}' holds {what}; save it as numbers or texts")
        size = archive.getinfo(member).file_size
        if size != beginning + math.prod(array.shape) * array.dtype.itemsize:
            raise Damaged(f"'{member}' has {size:,} bytes, which is not what its shape {array.shape} takes")
        return array

    @contextmanager
    def _opened(self) -> Generator[zipfile.ZipFile]:
        try:
            with open_regular(self.path) as file, zipfile.ZipFile(file) as archive:
                yield archive
        except UserError:
            raise
        except FAULTS as error:
            said = getattr(error, "strerror", None) or on_one_line(str(error))[:200]
            raise UserError(f"{self.path} cannot be read: {said}; {self._way_out}.") from error


def _read_header(file: Any) -> _Array:
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise Damaged(f"an array in it has the version {version}, which is not known")
    shape, is_fortran, dtype = HEADERS[version](file)
    return _Array(shape, dtype, is_fortran and len(shape) > 1)


def _rows(file: Any, array: _Array, count: int) -> NDArray[Any]:
    size = count * _row_bytes(array)
    content = file.read(size)
    if len(content) != size:
        raise Damaged("an array in it is cut off")
    return np.frombuffer(content, array.dtype).reshape(count, *array.shape[1:])


def _row_bytes(array: _Array) -> int:
    return math.prod(array.shape[1:]) * array.dtype.itemsize
