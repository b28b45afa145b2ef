"""Frames on disk: shards of image tiles in Arrow files, each frame within reach without the ones before it.

`observations-*.arrow` hold what the agent saw: raw tiles [64, 64, 3], lossless, in record batches of 32 rows that
Arrow itself compresses with zstd (the states of an episode lie side by side and have much in common).
`pictures-*.arrow` hold what a person wants to see, one JPEG a row. Any Arrow reader opens both.
"""

import io
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
from semantic_rl.errors import UserError
from semantic_rl.recording.store.schema import SHARD_ROWS

BATCH_ROWS = 32
"""Rows that are stored, and observations that are compressed, together: reading one unpacks at most so many."""
PICTURE_QUALITY = 90
"""JPEG's; without chroma subsampling, so that thin coloured lines stay."""
ZSTD_LEVEL = 3
OPEN_SHARDS = 64
"""Shards kept open while reading."""

_SHAPE_KEY = b"shape"


def pack_observation(observation: NDArray[np.uint8]) -> bytes:
    """Compress one observation for the time until its shard is written."""
    packed: bytes = pa.compress(observation.tobytes(), "lz4", asbytes=True)
    return packed


def encode_picture(picture: NDArray[np.uint8], size: int) -> bytes:
    """Shrink a picture [H, H, 3] to `size` and encode it as JPEG; lets other threads run meanwhile."""
    image = Image.fromarray(picture)
    factor, rest = divmod(len(picture), size)
    if rest:
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    elif factor > 1:
        image = image.reduce(factor)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=PICTURE_QUALITY, subsampling=0)
    return content.getvalue()


def write_observations(path: Path, packed: Sequence[bytes], shape: tuple[int, int, int]) -> None:
    """Write the packed observations of one shard."""
    size = int(np.prod(shape))
    schema = pa.schema([("observation", pa.binary(size))], {_SHAPE_KEY: ",".join(map(str, shape)).encode()})

    def batches() -> Iterator[Any]:
        for some in _batched(packed):
            tiles = b"".join(pa.decompress(item, size, "lz4", asbytes=True) for item in some)
            yield pa.Array.from_buffers(pa.binary(size), len(some), [None, pa.py_buffer(tiles)])

    _write(path, schema, batches(), pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", ZSTD_LEVEL)))


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

    def __init__(self, recording: Path, pictures: bool, num_rows: int) -> None:
        self._recording = recording
        self._name = pictures_file if pictures else observations_file
        self._num_rows = num_rows
        self._open: OrderedDict[int, pa.ipc.RecordBatchFileReader] = OrderedDict()
        self._last: tuple[int, int, pa.Array] | None = None

    def check(self) -> None:
        """Raise UserError unless every shard is there, whole, and as long as the table of states wants it."""
        for shard in range(-(-self._num_rows // SHARD_ROWS)):
            rows = min(SHARD_ROWS, self._num_rows - shard * SHARD_ROWS)
            reader = self._reader(shard)
            if reader.num_record_batches != -(-rows // BATCH_ROWS):
                raise self._wrong(shard, f"it holds {reader.num_record_batches} batches, expected {rows} rows")

    def read(self, row: int) -> bytes:
        """Return the raw tile or the encoded picture of one state."""
        shard, offset = divmod(row, SHARD_ROWS)
        batch, offset = divmod(offset, BATCH_ROWS)
        if self._last is None or self._last[:2] != (shard, batch):
            try:
                column = self._reader(shard).get_batch(batch).column(0)
            except (pa.ArrowException, OSError) as error:
                raise self._wrong(shard, f"batch {batch} cannot be read: {error}") from error
            self._last = (shard, batch, column)
        column = self._last[2]
        if offset >= len(column):
            raise self._wrong(shard, f"batch {batch} holds {len(column)} rows, row {offset} is missing")
        content: bytes = column[offset].as_py()
        return content

    def shape(self) -> tuple[int, int, int]:
        """Return the shape of an observation."""
        height, width, channels = self._reader(0).schema.metadata[_SHAPE_KEY].split(b",")
        return int(height), int(width), int(channels)

    def _reader(self, shard: int) -> pa.ipc.RecordBatchFileReader:
        if shard in self._open:
            self._open.move_to_end(shard)
            return self._open[shard]
        path = self._path(shard)
        if not path.is_file():
            raise self._wrong(shard, "it is missing")
        try:
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
        except (pa.ArrowException, OSError) as error:
            raise self._wrong(shard, f"it cannot be read and may be cut off: {error}") from error
        self._open[shard] = reader
        if len(self._open) > OPEN_SHARDS:
            self._open.popitem(last=False)
        return reader

    def _path(self, shard: int) -> Path:
        return self._recording / FRAMES_FOLDER / self._name(shard)

    def _wrong(self, shard: int, what: str) -> UserError:
        return UserError(f"{self._path(shard)}: {what}; the recording is damaged. Restore it or record again.")


def decode_picture(content: bytes) -> NDArray[np.uint8]:
    """Turn an encoded picture into an array [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
