"""Frames on disk: shards in Arrow files with random access to each frame.

`observations-*.arrow` hold the observations: the bytes of an array, lossless, in record batches of 32 rows that Arrow
compresses with zstd (consecutive states of an episode have much in common). `pictures-*.arrow` hold high-resolution
pictures, one JPEG per row. Any Arrow reader can open both.
"""

import io
import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.artifacts import FRAMES_FOLDER, observations_file, pictures_file
from semantic_rl.atomic_write import whole_file
from semantic_rl.envs.spec import DTYPES, MOST_BYTES_OF_OBSERVATION, MOST_DIMENSIONS
from semantic_rl.errors import UserError
from semantic_rl.recording.store.arrow_file import ArrowFile
from semantic_rl.recording.store.flatbuffer import Damaged
from semantic_rl.recording.store.schema import SHARD_ROWS

BATCH_ROWS = 32
"""Rows per record batch. A batch of observations is compressed as a whole, so reading one frame unpacks all of it."""
PICTURE_QUALITY = 90
"""JPEG quality; chroma is not subsampled, so that thin coloured lines survive."""
ZSTD_LEVEL = 3
SMALL = 256
"""Observations with at most this many bytes are held in memory as they are: compressing them would cost more."""
OPEN_SHARDS = 64
"""Shards kept open while reading."""

MOST_SIDE = MOST_BYTES_OF_OBSERVATION
"""Largest accepted length of an axis of an observation."""
_SHAPE_KEY, _DTYPE_KEY = b"shape", b"dtype"


def pack_observation(observation: NDArray[Any] | bytes) -> bytes:
    """Compress one observation, or its bytes, to hold it in memory until its shard is written."""
    content = observation if isinstance(observation, bytes) else observation.tobytes()
    if len(content) <= SMALL:
        return content
    packed: bytes = pa.compress(content, "lz4", asbytes=True)
    return packed


def picture_of(env: Any, size: int | tuple[int, int]) -> bytes:
    """Encode the picture of an environment's last observation; otherwise like `encode_picture`."""
    return encode_picture(env.frames()[0], size)


def encoded_shape(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return height and width of a picture of this shape once its longer side has been made `size` pixels."""
    height, width = shape
    longer = max(height, width)
    return max(1, round(height * size / longer)), max(1, round(width * size / longer))


def encode_picture(picture: NDArray[np.uint8], size: int | tuple[int, int]) -> bytes:
    """Make a picture's [H, W, 3] longer side `size` and encode it as JPEG; releases the GIL while it works.

    With a height and a width, the JPEG has exactly these; a picture of other proportions is made as large as fits, on
    black.
    """
    image = Image.fromarray(picture)
    shape = encoded_shape((image.height, image.width), size) if isinstance(size, int) else size
    content = io.BytesIO()
    _fitted(image, shape).save(content, "JPEG", quality=PICTURE_QUALITY, subsampling=0)
    return content.getvalue()


def _fitted(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """Return a picture of this height and width."""
    if shape != encoded_shape((image.height, image.width), max(shape)):
        scale = min(shape[0] / image.height, shape[1] / image.width)
        height, width = max(1, round(image.height * scale)), max(1, round(image.width * scale))
        whole = Image.new("RGB", (shape[1], shape[0]))
        whole.paste(_resized(image, (height, width)), ((shape[1] - width) // 2, (shape[0] - height) // 2))
        return whole
    return _resized(image, shape)


def _resized(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    height, width = shape
    factor = image.height // height
    if (height * factor, width * factor) != (image.height, image.width):
        return image.resize((width, height), Image.Resampling.LANCZOS)
    return image.reduce(factor) if factor > 1 else image


def write_observations(path: Path, packed: Sequence[bytes], shape: tuple[int, ...], dtype: str = "uint8") -> None:
    """Write the packed observations of one shard, arrays of this shape and type."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    metadata = {_SHAPE_KEY: ",".join(map(str, shape)).encode(), _DTYPE_KEY: dtype.encode()}
    schema = pa.schema([("observation", pa.binary(size))], metadata)

    def batches() -> Iterator[Any]:
        for some in _batched(packed):
            tiles = b"".join(_unpacked(item, size) for item in some)
            yield pa.Array.from_buffers(pa.binary(size), len(some), [None, pa.py_buffer(tiles)])

    _write(path, schema, batches(), pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", ZSTD_LEVEL)))


def _unpacked(packed: bytes, size: int) -> bytes:
    """Return the bytes of an observation that `pack_observation` was given."""
    return packed if size <= SMALL else pa.decompress(packed, size, "lz4", asbytes=True)


def write_pictures(path: Path, pictures: Sequence[bytes]) -> None:
    """Write the encoded pictures of one shard."""
    schema = pa.schema([("picture", pa.binary())])
    _write(path, schema, (pa.array(some, pa.binary()) for some in _batched(pictures)), pa.ipc.IpcWriteOptions())


def _batched(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (items[start : start + BATCH_ROWS] for start in range(0, len(items), BATCH_ROWS))


def _write(path: Path, schema: Any, columns: Iterator[Any], options: Any) -> None:
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema, options=options) as writer,
    ):
        for column in columns:
            writer.write_batch(pa.record_batch([column], schema=schema))


class FrameShards:
    """Reads frames by row from the shards of one kind in a recording."""

    def __init__(self, recording: Path, pictures: bool, num_rows: int, most: int) -> None:
        """`most` is the largest accepted size of a frame, in bytes."""
        self._recording = recording
        self._name = pictures_file if pictures else observations_file
        self._pictures = pictures
        self._num_rows = num_rows
        self._most = most
        self._open: OrderedDict[int, ArrowFile] = OrderedDict()
        self._last: tuple[int, int, list[bytes]] | None = None

    def check(self) -> None:
        """Raise UserError unless every shard exists, is complete, and has as many rows as the state table requires."""
        for shard in range(self.num_shards):
            self._file(shard)

    @property
    def num_shards(self) -> int:
        """Return the expected number of files."""
        return -(-self._num_rows // SHARD_ROWS)

    def read(self, row: int) -> bytes:
        """Return the packed observation or the encoded picture of one state."""
        shard, offset = divmod(row, SHARD_ROWS)
        batch, offset = divmod(offset, BATCH_ROWS)
        if self._last is None or self._last[:2] != (shard, batch):
            file = self._file(shard)
            rows = min(BATCH_ROWS, self._rows_of(shard) - batch * BATCH_ROWS)
            try:
                found = file.read(batch, rows, BATCH_ROWS * self._most)
            except (Damaged, OSError) as error:
                raise self._wrong(shard, str(error)) from error
            self._last = (shard, batch, found)
        return self._last[2][offset]

    def layout(self) -> tuple[tuple[int, ...], str]:
        """Return shape and type of an observation."""
        return _layout_of(self._file(0))

    def _rows_of(self, shard: int) -> int:
        return min(SHARD_ROWS, self._num_rows - shard * SHARD_ROWS)

    def _file(self, shard: int) -> ArrowFile:
        if shard in self._open:
            self._open.move_to_end(shard)
            return self._open[shard]
        try:
            file = ArrowFile(self._path(shard))
        except FileNotFoundError as error:
            raise self._wrong(shard, "it is missing") from error
        except (Damaged, OSError) as error:
            raise self._wrong(shard, f"it cannot be read and may be cut off: {error}") from error
        try:
            self._check_layout(file, self._rows_of(shard))
        except Damaged as error:
            raise self._wrong(shard, str(error)) from error
        self._open[shard] = file
        if len(self._open) > OPEN_SHARDS:
            self._open.popitem(last=False)
        return file

    def _check_layout(self, file: ArrowFile, rows: int) -> None:
        """Raise Damaged unless a file holds `rows` frames of the expected kind."""
        if file.num_batches != -(-rows // BATCH_ROWS):
            raise Damaged(f"it holds {file.num_batches} batches, expected {rows} rows")
        if self._pictures != (file.width is None):
            raise Damaged(f"it holds no {'pictures' if self._pictures else 'observations'}")
        if not self._pictures:
            shape, dtype = _layout_of(file)
            size = math.prod(shape) * np.dtype(dtype).itemsize
            if file.width != size:
                raise Damaged(f"a row has {file.width} bytes, expected {size}")
        if file.width is not None and file.width > self._most:
            raise Damaged(f"a row has {file.width:,} bytes, expected at most {self._most:,}")

    def _path(self, shard: int) -> Path:
        return self._recording / FRAMES_FOLDER / self._name(shard)

    def _wrong(self, shard: int, what: str) -> UserError:
        return UserError(f"{self._path(shard)}: {what}; the recording is damaged. Restore it or record again.")


def check_observation_layout(shape: tuple[int, ...], dtype: str) -> None:
    """Raise Damaged if the reader refuses observations of this shape and type."""
    if len(shape) > MOST_DIMENSIONS or not all(0 < side <= MOST_SIDE for side in shape):
        raise Damaged(
            f"an observation has the shape {shape}, expected at most {MOST_DIMENSIONS} sides from 1 to {MOST_SIDE:,}"
        )
    if dtype not in DTYPES:
        raise Damaged(f"an observation has the type {dtype}, expected one of {', '.join(DTYPES)}")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > MOST_BYTES_OF_OBSERVATION:
        raise Damaged(f"an observation has {size:,} bytes, expected at most {MOST_BYTES_OF_OBSERVATION:,}")


def _layout_of(file: ArrowFile) -> tuple[tuple[int, ...], str]:
    text = file.metadata.get(_SHAPE_KEY, b"none")
    found = text.split(b",") if text else []
    if not all(side.isdigit() and len(side) < 8 for side in found):
        raise Damaged("it does not say which shape an observation has")
    shape, dtype = tuple(map(int, found)), file.metadata.get(_DTYPE_KEY, b"uint8").decode("utf-8", "replace")
    check_observation_layout(shape, dtype)
    return shape, dtype
