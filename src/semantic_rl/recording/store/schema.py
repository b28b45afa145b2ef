"""The schemas of `states.parquet` and `episodes.parquet`, as NumPy record types, and their conversion to Arrow tables.

Axes: B rows, A actions, K codes, D = 256 features.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from semantic_rl.artifacts import EPISODE_COLUMNS, SEMANTIC_STATE_COLUMNS, STATE_COLUMNS

SHARD_ROWS = 4096
"""States in one frame file; a recording is written in units of this size."""
ROW_GROUP_ROWS = 4 * SHARD_ROWS
"""States in one row group of `states.parquet`."""
NULLABLE = ("return_to_go",)
"""Columns in which NaN means that the number is unknown."""


def state_dtype(num_actions: int, num_codes: int, num_features: int) -> np.dtype[np.void]:
    """Return the record type of a state; with 0 codes it lacks the columns of the semantic clustering module."""
    types: dict[str, Any] = {
        "episode": np.int32,
        "step": np.int32,
        "level_seed": np.int64,
        "action": np.uint8,
        "action_random": np.bool_,
        "log_prob": (np.float32, (num_actions,)),
        "value": np.float32,
        "reward": np.float32,
        "return_to_go": np.float32,
        "terminated": np.bool_,
        "truncated": np.bool_,
        "code_index": np.uint8,
        "code_distance": (np.float32, (num_codes,)),
        "embedding_x": np.float32,
        "embedding_y": np.float32,
        "features": (np.float16, (num_features,)),
    }
    columns = STATE_COLUMNS if num_codes == 0 else (*STATE_COLUMNS[:-1], *SEMANTIC_STATE_COLUMNS, STATE_COLUMNS[-1])
    return np.dtype([(name, types[name]) for name in columns])


_EPISODE_TYPES: dict[str, Any] = {
    "episode": np.int32,
    "first_row": np.int64,
    "num_rows": np.int32,
    "frame_shard": np.int32,
    "frame_offset": np.int32,
    "length": np.int32,
    "return": np.float64,
    "level_seed": np.int64,
    "success": np.bool_,
    "terminated": np.bool_,
    "truncated": np.bool_,
    "env": np.int16,
}
EPISODE_DTYPE: np.dtype[np.void] = np.dtype([(name, _EPISODE_TYPES[name]) for name in EPISODE_COLUMNS])


def to_table(rows: NDArray[np.void]) -> Any:
    """Turn records [B] into an Arrow table; fields with an axis of their own become fixed-size lists."""
    return columns_to_table({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()})


def columns_to_table(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Turn columns, [B] or [B, width], into an Arrow table in the same way."""
    return pa.table({name: _to_array(values, name in NULLABLE) for name, values in columns.items()})


def _to_array(values: NDArray[Any], nan_is_null: bool) -> Any:
    if values.ndim == 1:
        return pa.array(values, from_pandas=nan_is_null)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
