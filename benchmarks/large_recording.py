"""Makes a recording of a million states, or more, out of a small one: to measure what reads recordings.

    semantic-rl record sppo-coinrun --states 5000 --out small
    python benchmarks/large_recording.py small large --states 1000000

The first 4,096 states are repeated; each time the value, the place in the plane and the features are shaken a little,
so that points form a cloud and files do not compress better than real ones. Frames are one file under many names.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semantic_rl.artifacts import (
    EPISODES_FILE,
    FRAMES_FOLDER,
    RECORDING_FILE,
    STATES_FILE,
    observations_file,
    pictures_file,
)
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.schema import ROW_GROUP_ROWS, SHARD_ROWS

TIMES_A_GROUP = ROW_GROUP_ROWS // SHARD_ROWS
SPREAD = 0.05
"""Of the noise, in the plane."""


def main() -> None:
    """Read the command line and make the recording."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small", type=Path, help="recording of at least 4,096 states")
    parser.add_argument("large", type=Path, help="folder to make")
    parser.add_argument("--states", type=int, default=1_000_000, help="at least so many (default: %(default)s)")
    arguments = parser.parse_args()
    make(open_recording(arguments.small), arguments.large, -(-arguments.states // SHARD_ROWS))


def make(small: Recording, large: Path, times: int) -> None:
    """Write the first shard of `small` so many times."""
    assert small.num_states >= SHARD_ROWS, "too small"
    (large / FRAMES_FOLDER).mkdir(parents=True)
    episodes = small.episodes.filter(small.episodes["first_row"] < SHARD_ROWS).to_arrow()
    for time in range(times):
        _link_frames(small, large, time)
    _write_states(small, large, times, len(episodes))
    _write_episodes(episodes, large, times)
    description = json.loads((small.path / RECORDING_FILE).read_text(encoding="utf-8"))
    description["counts"] = {"states": times * SHARD_ROWS, "episodes": times * len(episodes), "shards": times}
    (large / RECORDING_FILE).write_text(json.dumps(description, indent=2), encoding="utf-8")
    print(f"{large}: {times * SHARD_ROWS:,} states of {times * len(episodes):,} episodes")


def _link_frames(small: Recording, large: Path, time: int) -> None:
    for name in (observations_file, pictures_file) if small.has_pictures else (observations_file,):
        source, target = small.path / FRAMES_FOLDER / name(0), large / FRAMES_FOLDER / name(time)
        first = large / FRAMES_FOLDER / name(0)
        if time == 0:
            shutil.copyfile(source, target)
        else:
            os.link(first, target)


def _write_states(small: Recording, large: Path, times: int, num_episodes: int) -> None:
    rng = np.random.default_rng(0)
    table = small.states[:SHARD_ROWS].to_arrow()
    schema = pq.read_schema(small.path / STATES_FILE)
    codebook = small.codebook
    columns = {name: table[name].combine_chunks() for name in schema.names}
    features = columns["features"].flatten().to_numpy().reshape(SHARD_ROWS, -1).astype(np.float32)
    with pq.ParquetWriter(large / STATES_FILE, schema, compression="zstd") as writer:
        for begin in range(0, times, TIMES_A_GROUP):
            parts: list[pa.Table] = []
            for time in range(begin, min(begin + TIMES_A_GROUP, times)):
                changed = dict(columns)
                changed["episode"] = pa.array(columns["episode"].to_numpy() + time * num_episodes, pa.int32())
                changed["level_seed"] = pa.array(columns["level_seed"].to_numpy() + time, pa.int64())
                changed["value"] = pa.array(columns["value"].to_numpy() + rng.normal(0, 0.1, SHARD_ROWS).astype("f4"))
                shaken = features * rng.normal(1, 0.02, features.shape).astype("f4")
                changed["features"] = _fixed(shaken.astype(np.float16))
                if len(codebook):
                    points = np.stack([columns[f"embedding_{axis}"].to_numpy() for axis in "xy"], 1)
                    points = points + rng.normal(0, SPREAD, points.shape).astype("f4")
                    distances = np.linalg.norm(points[:, None] - codebook, axis=2).astype("f4")
                    changed["embedding_x"], changed["embedding_y"] = (pa.array(axis) for axis in points.T)
                    changed["code_distance"] = _fixed(distances)
                    changed["code_index"] = pa.array(distances.argmin(1).astype(np.uint8))
                parts.append(pa.table([changed[name] for name in schema.names], schema=schema))
            writer.write_table(pa.concat_tables(parts), row_group_size=ROW_GROUP_ROWS)


def _fixed(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _write_episodes(episodes: pa.Table, large: Path, times: int) -> None:
    columns = {name: np.tile(episodes[name].to_numpy(), times) for name in episodes.column_names}
    count = len(episodes)
    rows = np.minimum(episodes["num_rows"].to_numpy(), SHARD_ROWS - episodes["first_row"].to_numpy())
    time = np.repeat(np.arange(times), count)
    columns["num_rows"] = np.tile(rows, times).astype(columns["num_rows"].dtype)
    columns["episode"] = np.arange(count * times, dtype=np.int32)
    columns["first_row"] = columns["first_row"] + time * SHARD_ROWS
    columns["frame_shard"] = time.astype(np.int32)
    columns["frame_offset"] = (columns["first_row"] % SHARD_ROWS).astype(np.int32)
    columns["level_seed"] = columns["level_seed"] + time
    table = pa.table({name: pa.array(columns[name]) for name in episodes.column_names})
    pq.write_table(table, large / EPISODES_FILE, compression="zstd")


if __name__ == "__main__":
    main()
