"""Files of arrays are read as joblib reads them; hostile, damaged and foreign ones are refused, and nothing runs."""

import builtins
import copyreg
import io
import os
import pickle
import re
import tracemalloc
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from semantic_rl import array_pickle
from semantic_rl.errors import UserError
from semantic_rl.original import checkpoint_file
from semantic_rl.original.checkpoint_file import read_original_file

GENERATOR = np.random.default_rng(0)
ARRAYS: dict[str, Any] = {
    "model/pi/kernel:0": GENERATOR.normal(size=(3, 3, 2, 4)).astype(np.float32),
    "model/pi/bias:0": GENERATOR.normal(size=7).astype(np.float32),
    "fortran": np.asfortranarray(GENERATOR.normal(size=(5, 3))),
    "half": GENERATOR.normal(size=(2, 2)).astype(np.float16),
    "counts": np.arange(6).reshape(2, 3),
    "big-endian": np.arange(4, dtype=">f4"),
    "flags": np.array([True, False]),
    "0-d": np.array(0.5, np.float32),
    "beta1_power:0": np.float32(0.9),
}


class NotSeekable(io.RawIOBase):
    """A file without positions: joblib leaves the padding out, as it did everywhere before 1.2."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")


def assert_same(read: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(read[name], value, err_msg=name)
        assert read[name].shape == value.shape
        assert read[name].dtype == value.dtype.newbyteorder("=")
        assert read[name].flags.writeable
        assert read[name].flags.aligned


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_reads_what_joblib_wrote(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "file"
    joblib.dump(ARRAYS, path, protocol=protocol)
    assert_same(read_original_file(path), ARRAYS)


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_reads_compressed_files(tmp_path: Path, method: str) -> None:
    path = tmp_path / "file"
    joblib.dump(ARRAYS, path, compress=(method, 3))
    assert_same(read_original_file(path), ARRAYS)


def test_reads_files_of_joblib_before_padding(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with NotSeekable(path) as file:
        joblib.dump(ARRAYS, file)
    assert b"\xff" * 9 not in path.read_bytes()
    assert_same(read_original_file(path), ARRAYS)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_reads_arrays_pickled_without_joblib(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(pickle.dumps(ARRAYS, protocol))
    assert_same(read_original_file(path), ARRAYS)


def test_reads_ordered_dicts_and_arrays_that_appear_twice(tmp_path: Path) -> None:
    path = tmp_path / "file"
    array = np.arange(3.0)
    variables = OrderedDict(first=array, second=array)
    for write in (lambda: joblib.dump(variables, path), lambda: path.write_bytes(pickle.dumps(variables))):
        write()
        assert_same(read_original_file(path), dict(variables))


def test_reads_the_names_of_numpy_1_and_2(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written = pickle.dumps(ARRAYS, 3)
    numpy_2 = written.replace(b"numpy.core.", b"numpy._core.")
    numpy_1 = numpy_2.replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy._core.multiarray" in numpy_2
    assert b"numpy.core.multiarray" in numpy_1
    for content in (numpy_1, numpy_2):
        path.write_bytes(content)
        assert_same(read_original_file(path), ARRAYS)


def test_reads_the_originals_own_file_as_joblib_does(reference_dir: Path) -> None:
    path = reference_dir / "original_checkpoint.joblib"
    assert_same(read_original_file(path), joblib.load(path))


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, *call: Any) -> None:
        self._call = call

    def __reduce__(self) -> Any:
        function, *arguments = self._call
        return function, tuple(arguments)


class SetsState:
    """Pickles as an object whose state is set."""

    def __init__(self, path: str = "") -> None:
        self._path = path

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["_path"]).touch()


class WithPersistentId(pickle.Pickler):
    """Writes strings as persistent ids."""

    def persistent_id(self, obj: Any) -> Any:
        return obj if isinstance(obj, str) else None


def touch(path: str) -> str:
    """Shell command that leaves a trace."""
    return f"touch {path}"


def with_extension(value: Any) -> bytes:
    """Pickle a function as an extension code, by a registry that the reader would have to look into."""
    copyreg.add_extension("posix", "system", 240)
    try:
        return pickle.dumps(value, 2)
    finally:
        copyreg.remove_extension("posix", "system", 240)


def joblib_bytes(value: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


def in_wrapper(attribute: str, value: Any) -> bytes:
    """joblib's announcement of an array with one attribute replaced."""
    wrapper = joblib.numpy_pickle.NumpyArrayWrapper(np.ndarray, (2,), "C", np.dtype("f4"), True)
    setattr(wrapper, attribute, value)
    return pickle.dumps({"a": wrapper}) + bytes(32)


def hostile(name: str, marker: str) -> tuple[bytes, str]:
    """Return a file that leaves a trace at `marker` when a pickle machine reads it, and what names its crime."""
    system, evaluate = Calls(os.system, touch(marker)), Calls(builtins.eval, f"open({marker!r}, 'w')")
    objects = np.array([system, None], dtype=object)
    match name:
        case "os.system":
            return pickle.dumps({"a": system}), "posix.system"
        case "builtins.eval":
            return pickle.dumps({"a": evaluate}), "builtins.eval"
        case "protocol 2":
            return pickle.dumps({"a": evaluate}, 2), "__builtin__.eval"
        case "nested call":
            return pickle.dumps({"a": Calls(dict, Calls(tuple, system))}), "builtins"
        case "as a key":
            return pickle.dumps({Calls(int, system): 1}), "builtins"
        case "behind arrays":
            return joblib_bytes({**ARRAYS, "last": system}), "posix.system"
        case "array of objects":
            return joblib_bytes({"a": objects}), "Python objects"
        case "pickled array of objects":
            return pickle.dumps({"a": objects}), "Python objects"
        case "state":
            return pickle.dumps({"a": SetsState(marker)}), "SetsState"
        case "extension":
            return with_extension({"a": system}), "EXT1"
        case "copyreg":
            return pickle.dumps({"a": Calls(copyreg._reconstructor, SetsState, object, None), "b": system}), "copyreg"
        case "shape":
            return in_wrapper("shape", (system,)), "posix.system"
        case "element type":
            return in_wrapper("dtype", system), "posix.system"
        case "subclass":
            return in_wrapper("subclass", system), "posix.system"
        case "compressed":
            return zlib.compress(pickle.dumps({"a": system})), "posix.system"
        case "text protocol":
            return pickle.dumps({"a": system}, 0), "not a binary pickle"
        case "instance opcode":
            return b"\x80\x02}(U\x01a(S" + repr(touch(marker)).encode() + b"\nios\nsystem\nus.", "SHORT_BINSTRING"
        case _:
            raise AssertionError(name)


HOSTILE = (
    "os.system", "builtins.eval", "protocol 2", "nested call", "as a key", "behind arrays", "array of objects",
    "pickled array of objects", "state", "extension", "copyreg", "shape", "element type", "subclass", "compressed",
    "text protocol", "instance opcode",
)  # fmt: skip


def load_as_usual(path: Path) -> None:
    """Load as the original does; what goes wrong after the trace was left does not matter."""
    try:
        joblib.load(path)
    except Exception as error:
        print(type(error), error)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name_and_nothing_runs(tmp_path: Path, name: str) -> None:
    marker, path = tmp_path / "it ran".replace(" ", "-"), tmp_path / "file"
    content, crime = hostile(name, str(marker))
    path.write_bytes(content)
    if name == "extension":
        copyreg.add_extension("posix", "system", 240)
    try:
        load_as_usual(path)
        assert marker.exists(), "the file is meant to be hostile"
        marker.unlink()
        with pytest.raises(UserError, match=re.escape(crime)) as refusal:
            read_original_file(path)
    finally:
        if name == "extension":
            copyreg.remove_extension("posix", "system", 240)
    assert not marker.exists()
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_persistent_ids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        WithPersistentId(file, 4).dump({"a": "somewhere else"})
    with pytest.raises(UserError, match="BINPERSID"):
        read_original_file(path)


def test_names_cannot_send_control_characters_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\x80\x04\x8c\x06os\x1b[2J\x8c\x06system\x93.")
    with pytest.raises(UserError, match=r"os\\x1b\[2J\.system"):
        read_original_file(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a binary pickle"),
        (b"PK\x03\x04 a zip archive", "not a binary pickle"),
        (b"ZF0x1a", "joblib before 0.10"),
        (b"\x04\x22\x4d\x18abc", "lz4"),
        (b"x\x9c no zlib", "does not decompress"),
        (b"BZh9 no bzip2", "does not decompress"),
        (b"\xfd7zXZ\x00 no xz but long enough", "does not decompress"),
        (pickle.dumps([np.arange(3.0)]), "EMPTY_LIST"),
        (pickle.dumps((1, 2)), "a tuple"),
        (pickle.dumps({"a": 1}), "variable 'a' is a int"),
        (pickle.dumps({"a": {"b": np.arange(3.0)}}), "variable 'a' is a dict"),
        (pickle.dumps({1: np.arange(3.0)}), "names something by a int"),
        (pickle.dumps({"a": np.array(["text"])}), "dtype 'U4'"),
        (pickle.dumps({"a": np.array([1 + 2j])}), "dtype 'c16'"),
        (pickle.dumps({"a": np.zeros(1, [("x", "f4")])}), "dtype 'V4'"),
        (pickle.dumps({"a": np.zeros((0, 3))}), "not a number above 0"),
        (pickle.dumps({"a": np.arange(3.0)}) + b"more", "goes on behind its end"),
        (b"\x80\x04.", "lacks what it works on"),
        (b"\x80\x04h\x05.", "takes up what it has not put down"),
        (b"\x80\x04}u.", "lacks what it works on"),
        (b"\x80\x04\xff.", "damaged"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UserError, match=re.escape(reason)):
        read_original_file(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_original_file(tmp_path / "absent")
    with pytest.raises(UserError, match="is no file"):
        read_original_file(tmp_path)


@pytest.mark.parametrize("compress", [0, 3])
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, compress: int) -> None:
    path = tmp_path / "file"
    joblib.dump({"a": np.arange(9.0), "b": np.float32(1)}, path, compress=compress)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError):
            read_original_file(path)


def test_a_cut_off_checkpoint_is_called_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "file"
    joblib.dump(ARRAYS, path)
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, len(whole) // 3):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match="cut off"):
            read_original_file(path)


def test_whatever_is_damaged_ends_in_arrays_or_in_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "file"
    generator = np.random.default_rng(1)
    for write in (joblib_bytes, pickle.dumps):
        whole = write({"a": np.arange(4.0), "b": np.float32(1), "c": np.ones((2, 2), np.float32)})
        for _ in range(1500):
            damaged = bytearray(whole)
            for position in generator.integers(0, len(whole), generator.integers(1, 4)):
                damaged[position] = generator.integers(0, 256)
            path.write_bytes(damaged)
            try:
                arrays = read_original_file(path)
            except UserError:
                continue
            assert all(isinstance(array, np.ndarray) for array in arrays.values())


LARGE = (
    in_wrapper("shape", (2**30,)),
    in_wrapper("shape", (2**30, 2**30, 2**30)),
    b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"x",
    b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"x",
    b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b"x",
    b"\x80\x04\x95" + (2**40).to_bytes(8, "little") + b"}r\xff\xff\xff\xff0.",
    # 190,000 times an array of the same 100 kB
    pickle.dumps({"a": np.zeros(25_000, np.float32)}, 4)[:-2] + b"h\x00" * 190_000 + b".",
    # a tuple of a tuple of … : 2^100 items if one walks through it
    b"\x80\x04N" + b"\x94h\x00\x86" + b"".join(b"\x94h%c\x86" % index for index in range(1, 100)) + b"\x8c\x01a\x93.",
    # dicts without end
    b"\x80\x04" + b"}" * 1_000_000 + b".",
)


@pytest.mark.parametrize("content", LARGE, ids=range(len(LARGE)))
def test_no_file_takes_much_more_memory_than_its_size(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(UserError):
            read_original_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(content) + 40e6


def test_bytes_used_many_times_do_not_become_many_arrays(tmp_path: Path) -> None:
    """One string of bytes, and many arrays made of it."""
    path = tmp_path / "file"
    element = b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f4\x85R"
    make = b"\x8c\x13numpy._core.numeric\x8c\x0b_frombuffer\x93"
    data = bytes(400_000)
    once = b"(h\x02h\x00h\x01J" + (100_000).to_bytes(4, "little") + b"\x85\x8c\x01Ct" + b"R"
    begin = b"\x80\x04B" + len(data).to_bytes(4, "little") + data + b"\x94" + element + b"\x94" + make + b"\x94}("
    path.write_bytes(
        begin + b"".join(b"\x8c\x02%02d" % i + once.replace(b"(h\x02", b"h\x02(") for i in range(90)) + b"u."
    )
    with pytest.raises(UserError, match="larger than the file"):
        read_original_file(path)


@pytest.mark.parametrize("compress", [0, ("zlib", 9), ("gzip", 9), ("bz2", 9), ("xz", 6)])
def test_files_beyond_the_limit_are_refused_before_they_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Any
) -> None:
    path = tmp_path / "file"
    joblib.dump({"a": np.zeros(10_000_000, np.float32)}, path, compress=compress)
    monkeypatch.setattr(checkpoint_file, "MAX_SIZE", 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="it holds more than"):
            read_original_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 15e6


def test_the_limits_are_far_from_the_originals_files() -> None:
    assert checkpoint_file.MAX_SIZE > 20 * 8e6
    assert array_pickle.MAX_OPERATIONS > 20 * 5000
