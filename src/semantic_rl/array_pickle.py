"""Extracts arrays and numbers from a pickle by name, without executing anything in it.

A pickle is a program for a virtual machine that can call any Python function. That machine is not used here:
`pickletools`, which only disassembles pickles, yields one operation after another, and this module interprets the few
that arrays need. An allowed name becomes a `_Role`, never the object of that name; the only objects created are dicts,
tuples, strings, numbers and arrays of numbers. (`pickle.Unpickler` with a checked `find_class` would call what it
finds, and would allocate whatever size a file declares.) A caller may allow names of further classes; their objects
become `Record`s, which hold what the pickle says of them and do nothing.

The format of joblib since 0.10: in place of an array, the pickle has an object NumpyArrayWrapper with the attributes
subclass, shape, order and dtype. The array's bytes follow directly after the operation that sets them (BUILD); since
joblib 1.2 they are preceded by one byte with the number of padding bytes, and the padding. Arrays pickled without
joblib are read too.
"""

import io
import math
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

MAX_OPERATIONS = 200_000
"""Most operations of a pickle; a checkpoint of the original has about 5,000."""


class RefusedPickle(Exception):
    """A pickle is refused; the message is the end of a sentence that begins with the file."""


class _Role(Enum):
    """The meaning of an allowed name."""

    WRAPPER = "joblib's announcement of an array"
    ARRAY_TYPE = "numpy.ndarray"
    ELEMENT_TYPE = "numpy.dtype"
    EMPTY_ARRAY = "numpy's function that pickled arrays begin with"
    BUFFER_ARRAY = "numpy's function that makes an array of bytes"
    SCALAR = "numpy's function that makes a number of bytes"
    DICT = "collections.OrderedDict"


ALLOWED_NAMES = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Role.WRAPPER,
    ("numpy", "ndarray"): _Role.ARRAY_TYPE,
    ("numpy", "dtype"): _Role.ELEMENT_TYPE,
    ("collections", "OrderedDict"): _Role.DICT,
    # numpy 1.x has numpy.core, numpy 2.x numpy._core
    ("numpy.core.multiarray", "_reconstruct"): _Role.EMPTY_ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _Role.EMPTY_ARRAY,
    ("numpy.core.multiarray", "scalar"): _Role.SCALAR,
    ("numpy._core.multiarray", "scalar"): _Role.SCALAR,
    ("numpy.core.numeric", "_frombuffer"): _Role.BUFFER_ARRAY,
    ("numpy._core.numeric", "_frombuffer"): _Role.BUFFER_ARRAY,
}
"""Module and name of every object that a file may refer to."""

ELEMENT_TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")

_LITERALS = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


@dataclass(frozen=True)
class _Class:
    """A class or function that the caller allows."""

    name: str


class Record:
    """What a pickle says of an object: its class's name and its attributes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._fields: dict[str, object] = {}

    def __contains__(self, field: str) -> bool:
        return field in self._fields

    def get(self, field: str) -> object:
        """Return an attribute: a number, text, array, `Record`, tuple, list or dict; raises RefusedPickle if missing.

        Arrays in a tuple, list or dict are not arrays yet: `items` returns those of a dict.
        """
        if field not in self._fields:
            raise RefusedPickle(f"its {_printable(self.name)} has no {_printable(field)}")
        return _plain(self._fields[field])

    def items(self, field: str) -> dict[str, object]:
        """Return an attribute that is a dict; raises RefusedPickle if it is something else."""
        found = self.get(field)
        if type(found) is not dict:
            raise RefusedPickle(f"its {_printable(field)} is {_kind(found)}, expected a dict")
        return {key: _plain(value) for key, value in cast(dict[str, object], found).items()}

    def set_state(self, state: object) -> None:
        """Take over what BUILD sets: a dict, or a pair of one and of slots; other states say nothing that is needed."""
        parts = cast(tuple[object, ...], state) if type(state) is tuple and len(state) == 2 else (state,)
        for part in parts:
            if type(part) is dict:
                self._fields.update(cast(dict[str, object], part))


def _plain(value: object) -> object:
    """Return the content of an array, and anything else as it is."""
    return value.value if isinstance(value, _Array) else value


def _nothing(module: str, name: str) -> bool:
    return False


@dataclass
class _ElementType:
    """numpy.dtype(code), whose byte order is set by the BUILD that follows."""

    code: str
    order: str = "="


@dataclass
class _Array:
    """An array that the file declares, filled by the BUILD that follows."""

    behind: bool = False
    """Whether the bytes follow after that BUILD, as in joblib's format."""
    value: NDArray[Any] | None = None


class ArrayPickle:
    """Interprets one pickle; anything that is not allowed raises RefusedPickle."""

    def __init__(self, data: bytes, allows: Callable[[str, str], bool] = _nothing) -> None:
        """Prepare to read a pickle; `allows(module, name)` says which classes may become a `Record`."""
        self._data = data
        self._allows = allows
        self._stream = io.BytesIO(data)
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}
        self._num_array_bytes = 0

    def read(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, in native byte order."""
        found = self._interpret()
        if type(found) is not dict:
            raise RefusedPickle(f"it holds {_kind(found)}, expected a dict of variable name to array")
        arrays: dict[str, NDArray[Any]] = {}
        for name, value in cast(dict[str, object], found).items():
            if not isinstance(value, _Array) or value.value is None:
                raise RefusedPickle(f"variable {_printable(name)} is {_kind(value)}, expected an array")
            arrays[name] = value.value
        return arrays

    def read_record(self) -> Record:
        """Return the object that the pickle holds."""
        found = self._interpret()
        if not isinstance(found, Record):
            raise RefusedPickle(f"it holds {_kind(found)}, expected an object")
        return found

    def _interpret(self) -> object:
        if not self._data.startswith(b"\x80"):
            raise RefusedPickle("it is not a binary pickle, which the original's checkpoints are")
        for count, (operation, argument) in enumerate(self._operations()):
            if count > MAX_OPERATIONS:
                raise RefusedPickle("it has more operations than any checkpoint of the original")
            self._step(operation, argument)
        found = self._pop()
        if self._stack or self._stream.read(1):
            raise RefusedPickle("it goes on behind its end")
        return found

    def _operations(self) -> Iterator[tuple[str, Any]]:
        """Yield operations and their arguments; at each yield, the stream is directly after the operation."""
        operations = pickletools.genops(self._stream)
        while True:
            try:
                operation, argument, _ = next(operations)
            except StopIteration:
                return
            except ValueError as error:
                if self._stream.tell() >= len(self._data):
                    raise RefusedPickle(f"it is cut off at byte {len(self._data)}; copy it again") from error
                raise RefusedPickle(f"it is damaged near byte {self._stream.tell()}") from error
            yield operation.name, argument

    def _step(self, operation: str, argument: Any) -> None:
        """Interpret one operation."""
        stack = self._stack
        match operation:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                stack.append(_MARK)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST" if self._allows is not _nothing:
                stack.append([])
            case "APPEND" if self._allows is not _nothing:
                value = self._pop()
                self._append([value])
            case "APPENDS" if self._allows is not _nothing:
                self._append(self._pop_to_mark())
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._top()
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = self._top()
            case "BINGET" | "LONG_BINGET":
                if argument not in self._memo:
                    raise RefusedPickle("it is damaged: it takes up what it has not put down")
                stack.append(self._memo[argument])
            case "SETITEM":
                value, key = self._pop(), self._pop()
                self._set_items([key, value])
            case "SETITEMS":
                self._set_items(self._pop_to_mark())
            case "GLOBAL":
                stack.append(self._role(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                name, module = self._pop(), self._pop()
                stack.append(self._role(module, name))
            case "NEWOBJ" | "REDUCE":
                arguments, role = self._pop(), self._pop()
                stack.append(self._make(role, arguments))
            case "BUILD":
                state = self._pop()
                self._fill(self._top(), state)
            case _ if operation in _LITERALS:
                stack.append(argument)
            case _ if operation in _CONSTANTS:
                stack.append(_CONSTANTS[operation])
            case _ if operation in _TUPLES:
                items = [self._pop() for _ in range(_TUPLES[operation])]
                stack.append(tuple(reversed(items)))
            case _:
                raise RefusedPickle(f"it uses the pickle operation {operation}, which arrays do not need")

    def _pop(self) -> object:
        item = self._top()
        self._stack.pop()
        return item

    def _top(self) -> object:
        if not self._stack:
            raise RefusedPickle("it is damaged: an operation lacks what it works on")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[object]:
        items: list[object] = []
        while (item := self._pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _set_items(self, items: list[object]) -> None:
        target = self._top()
        if type(target) is not dict or len(items) % 2:
            raise RefusedPickle(f"it puts items into {_kind(target)}, expected a dict")
        target = cast(dict[str, object], target)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise RefusedPickle(f"it names something by {_kind(key)}, expected a string")
            target[key] = value

    def _append(self, items: list[object]) -> None:
        target = self._top()
        if type(target) is not list:
            raise RefusedPickle(f"it appends to {_kind(target)}, expected a list")
        cast(list[object], target).extend(items)

    def _role(self, module: object, name: object) -> object:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise RefusedPickle("it is damaged: it asks for a thing whose name is not a string")
        if (module, name) in ALLOWED_NAMES:
            return ALLOWED_NAMES[module, name]
        if self._allows(module, name):
            return _Class(f"{module}.{name}")
        raise RefusedPickle(f"it asks for {_printable(f'{module}.{name}')}, which arrays do not need")

    def _make(self, role: object, arguments: object) -> object:
        """Emulate the call that REDUCE or NEWOBJ requests."""
        match role, arguments:
            case _Class(name), tuple():
                return Record(name)
            case _Role.WRAPPER, ():
                return _Array(behind=True)
            case _Role.DICT, ():
                return {}
            case _Role.EMPTY_ARRAY, (_Role.ARRAY_TYPE, *_):
                return _Array()
            case _Role.ELEMENT_TYPE, (str(code), *_):
                if code.startswith("O"):
                    raise RefusedPickle(f"it has an array of Python objects (dtype {_printable(code)})")
                if code not in ELEMENT_TYPES:
                    raise RefusedPickle(f"it has an array of dtype {_printable(code)}, expected numbers")
                return _ElementType(code)
            case _Role.SCALAR, (_ElementType() as element, bytes(data)):
                return _Array(value=self._array(element, (), "C", data))
            case _Role.BUFFER_ARRAY, (bytes() | bytearray() as data, _ElementType() as element, shape, order):
                return _Array(value=self._array(element, self._shape(shape), order, data))
            case _:
                raise RefusedPickle(f"it calls {_kind(role)} with what a file of arrays does not give it")

    def _fill(self, target: object, state: object) -> None:
        """Emulate the setting of an object's state that BUILD requests."""
        match target, state:
            case Record(), _:
                target.set_state(state)
            case _Array(behind=True, value=None), dict():
                target.value = self._array_behind(cast(dict[str, object], state))
            case (
                _Array(behind=False, value=None),
                (int(), shape, _ElementType() as element, bool(fortran), bytes() | bytearray() as data),
            ):
                order = "F" if fortran else "C"
                target.value = self._array(element, self._shape(shape), order, data)
            case _ElementType(), (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
                target.order = order
            case _:
                raise RefusedPickle(f"it gives {_kind(target)} a state that a file of arrays does not have")

    def _shape(self, shape: object) -> tuple[int, ...]:
        """Check a shape; an array may be empty among the attributes of an object."""
        return _lengths(shape, 1 if self._allows is _nothing else 0)

    def _array_behind(self, state: dict[str, object]) -> NDArray[Any]:
        """Read the bytes that joblib has stored after the declaration of an array."""
        element, lengths = state.get("dtype"), _lengths(state.get("shape"))
        if state.get("subclass") is not _Role.ARRAY_TYPE or not isinstance(element, _ElementType):
            raise RefusedPickle("it announces an array that is not a plain one of numbers")
        if state.get("numpy_array_alignment_bytes") is not None:
            num_padding_bytes = self._stream.read(1) or b"\0"
            self._stream.read(num_padding_bytes[0])
        size = min(math.prod(lengths) * int(element.code[1:]), len(self._data))
        return self._array(element, lengths, state.get("order"), self._stream.read(size))

    def _array(
        self, element: _ElementType, lengths: tuple[int, ...], order: object, data: bytes | bytearray
    ) -> NDArray[Any]:
        """Make an array from its bytes; all arrays of a file together may not take more memory than the file."""
        size = math.prod(lengths) * int(element.code[1:])
        if order not in ("C", "F") or size != len(data):
            raise RefusedPickle(
                f"it announces an array of shape {lengths} and {size} bytes, and has {len(data)} bytes for it: "
                "cut off or damaged"
            )
        self._num_array_bytes += size  # the same bytes may be used twice
        if self._num_array_bytes > len(self._data):
            raise RefusedPickle("its arrays are larger than the file")
        dtype = np.dtype(element.code)
        if size == 0:
            return np.zeros(lengths, dtype)
        array = np.frombuffer(data, dtype.newbyteorder(cast(Any, element.order))).astype(dtype, copy=True)
        return array.reshape(lengths, order=cast(Any, order))


def _lengths(shape: object, least: int = 1) -> tuple[int, ...]:
    """Check a shape, which must have few dimensions and lengths of at least `least`, and return it."""
    lengths = cast(tuple[object, ...], shape) if isinstance(shape, tuple) else ()
    if not isinstance(shape, tuple) or len(lengths) > 8:
        raise RefusedPickle("it announces an array whose shape is no tuple of up to 8 lengths")
    if not all(type(length) is int and least <= length < 2**31 for length in lengths):
        raise RefusedPickle("it announces an array with a length that is not a number above 0")
    return cast(tuple[int, ...], lengths)


def _printable(text: str) -> str:
    """Return a text from a file without control characters, which a terminal would execute."""
    return ascii(text[:100])


def _kind(value: object) -> str:
    """Return the type of a value in words; its content might be unbounded."""
    match value:
        case _Role():
            return value.value
        case _Array():
            return "an array"
        case _ElementType():
            return "a type of elements"
        case Record() | _Class():
            return _printable(value.name)
        case _:
            return f"a {type(value).__name__}"
