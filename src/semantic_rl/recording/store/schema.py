"""The schemas of `states.parquet` and `episodes.parquet`, as NumPy record types, and their conversion to Arrow tables.

Axes: B rows, A actions, K codes, D features.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

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


class StateLayout(NamedTuple):
    """What determines the columns of the state table."""

    num_actions: int
    """A; 0 if the action space is not discrete."""
    num_codes: int = 0
    """K; 0 without clusters."""
    num_features: int = 256
    """D."""
    action_width: int = 0
    """Numbers of an action that is not an index."""
    policy_width: int = 0
    """Numbers that describe a policy that is not categorical; 0 if it is, or if nothing is known of it."""
    features_type: str = "float16"
    """float16, or float32 where that would lose them."""
    absent: frozenset[str] = frozenset()
    """Names among `OPTIONAL_STATE_COLUMNS` that the table lacks."""
    extra: tuple[str, ...] = ()
    """Further columns, which the recording's maker named."""
    texts: frozenset[str] = frozenset()
    """Those of them that hold texts, as indices; the others hold numbers."""

    def dtype(self) -> np.dtype[np.void]:
        """Return the record type of a state."""
        types: dict[str, Any] = {
            "episode": np.int32,
            "step": np.int32,
            "level_seed": np.int64,
            "action": np.uint8 if self.num_actions <= 256 else np.int32,
            "action_vector": (np.float32, (self.action_width,)),
            "action_random": np.bool_,
            "log_prob": (np.float32, (self.num_actions,)),
            "policy": (np.float32, (self.policy_width,)),
            "value": np.float32,
            "reward": np.float32,
            "return_to_go": np.float32,
            "terminated": np.bool_,
            "truncated": np.bool_,
            "code_index": np.uint8,
            "code_distance": (np.float32, (self.num_codes,)),
            "embedding_x": np.float32,
            "embedding_y": np.float32,
            "features": (self.features_type, (self.num_features,)),
            **{name: np.uint16 if name in self.texts else np.float32 for name in self.extra},
        }
        return np.dtype([(name, types[name]) for name in self.columns()])

    @property
    def nullable(self) -> frozenset[str]:
        """Names of the columns in which NaN means that the number is unknown."""
        return frozenset((*NULLABLE, *self.extra))

    def columns(self) -> list[str]:
        """Return the names of the columns, in order."""
        names: list[str] = [*STATE_COLUMNS[:-1]]
        if not self.num_actions:
            names[names.index("action")] = "action_vector"
        if self.policy_width:
            names.insert(names.index("log_prob") + 1, "policy")
        lacks = self.absent | (frozenset() if self.num_actions else {"log_prob"})
        names = [name for name in names if name not in lacks]
        return [*names, *(SEMANTIC_STATE_COLUMNS if self.num_codes else ()), *self.extra, STATE_COLUMNS[-1]]


def state_dtype(num_actions: int, num_codes: int, num_features: int) -> np.dtype[np.void]:
    """Return the record type of a Procgen agent's state; with 0 codes it lacks the columns of the clustering module."""
    return StateLayout(num_actions, num_codes, num_features).dtype()


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


def episode_dtype(absent: frozenset[str] = frozenset()) -> np.dtype[np.void]:
    """Return the record type of an episode; `absent` are names among `OPTIONAL_EPISODE_COLUMNS`."""
    return np.dtype([(name, _EPISODE_TYPES[name]) for name in EPISODE_COLUMNS if name not in absent])


EPISODE_DTYPE = episode_dtype()


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
