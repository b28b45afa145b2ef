"""Files of frames from outside: whatever is wrong in them is a UserError, and no size that they claim is believed."""

import io
import os
import random
import resource
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.frames import (
    FrameShards,
    encode_picture,
    pack_observation,
    write_observations,
    write_pictures,
)

from .synthetic import SHAPE, make_recording

SIZE = 32
MUTATIONS = 400
KINDS = ("pictures", "observations")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A few states with pictures."""
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=3, picture_size=SIZE)


@pytest.fixture
def folder(original: Recording, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(original.path, tmp_path / "r")
    return tmp_path / "r"


def shard(folder: Path, kind: str) -> Path:
    return folder / "frames" / f"{kind}-00000.arrow"


@pytest.mark.parametrize("kind", KINDS)
def test_any_arrow_reader_reads_the_same(original: Recording, kind: str) -> None:
    with pa.memory_map(str(shard(original.path, kind))) as source:
        expected = pa.ipc.open_file(source).read_all().column(0).to_pylist()
    read = original.picture if kind == "pictures" else lambda row: original.observation(row).tobytes()
    assert [read(row) for row in range(original.num_states)] == expected


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Change some bytes, most often few, and often in the footer; or write a large number; or cut the end off."""
    data = bytearray(content)
    first = max(0, len(data) - 2_000) if rng.random() < 0.4 else 0
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        place = rng.randrange(first, len(data))
        data[place] = rng.choice([data[place] ^ (1 << rng.randrange(8)), rng.randrange(256), 255, 0, 127])
    if rng.random() < 0.1:
        place = rng.randrange(len(data) - 8)
        data[place : place + 8] = rng.choice([10**9, 2**31 - 1, 2**40, 2**63 - 1]).to_bytes(8, "little")
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.05 else data)


@pytest.mark.parametrize("kind", KINDS)
def test_changed_bytes_end_in_one_line_or_in_a_frame(folder: Path, kind: str) -> None:
    content, rng = shard(folder, kind).read_bytes(), random.Random(0)
    said: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(MUTATIONS):
        shard(folder, kind).write_bytes(mutated(content, rng))
        recording = open_recording(folder, with_frames=False)
        for row in (0, 31, 32, 63, recording.num_states - 1):
            try:
                frame = recording.frame(row) if kind == "pictures" else recording.observation(row)
                assert frame.shape == ((SIZE, SIZE, 3) if kind == "pictures" else SHAPE)
            except UserError as error:
                said.append(str(error))
    assert len(said) > MUTATIONS / 10
    assert not any("\n" in line for line in said)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


def test_a_buffer_that_claims_gigabytes_is_not_made(folder: Path) -> None:
    path = shard(folder, "observations")
    claimed = (32 * int(np.prod(SHAPE))).to_bytes(8, "little")
    content = path.read_bytes()
    assert claimed in content
    path.write_bytes(content.replace(claimed, (2**36).to_bytes(8, "little")))
    with pytest.raises(UserError, match="batch 0 claims 68,719,476,736 bytes, expected 393,216"):
        open_recording(folder).observation(0)


def pictures_of(folder: Path, picture: bytes) -> Recording:
    """Return the recording with this picture in every row."""
    count = open_recording(folder).num_states
    write_pictures(shard(folder, "pictures"), [picture] * count)
    return open_recording(folder)


@pytest.mark.parametrize("side", [13_000, 60_000])
def test_a_picture_that_claims_to_be_larger_is_not_decoded(folder: Path, side: int) -> None:
    picture = encode_picture(np.zeros(SHAPE, np.uint8), SIZE)
    place = picture.index(b"\xff\xc0") + 5
    claims = picture[:place] + 2 * side.to_bytes(2, "big") + picture[place + 4 :]
    recording = pictures_of(folder, claims)
    for read in (recording.picture, recording.frame):
        with pytest.raises(UserError, match=f"row 3: it has {side}×{side} pixels, expected 32×32"):
            read(3)


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF"])
def test_only_the_format_that_is_written_is_decoded(folder: Path, form: str) -> None:
    content = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE)).save(content, form)
    with pytest.raises(UserError, match="row 0: it is no JPEG"):
        pictures_of(folder, content.getvalue()).picture(0)


def test_a_picture_that_is_cut_off_is_refused(folder: Path) -> None:
    rng = np.random.default_rng(0)
    picture = encode_picture(rng.integers(0, 255, SHAPE, np.uint8), SIZE)
    with pytest.raises(UserError, match="row 0: it cannot be decoded"):
        pictures_of(folder, picture[: len(picture) // 2]).frame(0)


def test_observations_of_a_shape_that_does_not_fit_are_refused(folder: Path) -> None:
    path = shard(folder, "observations")
    path.write_bytes(path.read_bytes().replace(b"64,64,3", b"64,64,4"))
    with pytest.raises(UserError, match="a row has 12288 bytes, expected 16384"):
        open_recording(folder)


def test_pictures_in_the_place_of_observations_are_refused(folder: Path) -> None:
    shutil.copy(shard(folder, "pictures"), shard(folder, "observations"))
    with pytest.raises(UserError, match="it holds no observations"):
        open_recording(folder)


def test_a_pipe_in_the_place_of_a_file_is_refused(folder: Path) -> None:
    shard(folder, "pictures").unlink()
    os.mkfifo(shard(folder, "pictures"))
    with pytest.raises(UserError, match="no regular file"):
        open_recording(folder)


def test_observations_that_did_not_get_smaller_are_read(tmp_path: Path) -> None:
    """Arrow stores a buffer as it is where compressing it gains nothing."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    (tmp_path / "frames").mkdir()
    write_observations(tmp_path / "frames" / "observations-00000.arrow", [pack_observation(f) for f in frames], SHAPE)
    reader = FrameShards(tmp_path, False, 3, 2**20)
    assert [reader.read(row) for row in range(3)] == [frame.tobytes() for frame in frames]
