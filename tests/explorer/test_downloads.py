"""Downloads of a selection hold what the recording holds, in words where it has words."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from semantic_rl import RecordingWriter
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.selection.downloads import write_rows
from semantic_rl.recording.store import open_recording

from .conftest import SETTINGS

PHASES = ["swing, left", "swing \u201cright\u201d", "rest"]


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """Two episodes of five states with a column of texts and one of numbers."""
    path = tmp_path_factory.mktemp("recordings") / "r"
    with RecordingWriter(path, "Pendulum-v1") as writer:
        for first in (0, 5):
            rows = np.arange(first, first + 5)
            extra = {"phase": [PHASES[row % 3] for row in rows], "energy": rows / 2}
            actions = np.zeros((5, 1), np.float32)
            writer.add_episode(features=np.eye(10)[rows], actions=actions, terminated=True, extra=extra)
    return Explored(open_recording(path), SETTINGS)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("chosen", [[1, 2, 9], []], ids=["some", "none"])
def test_texts_are_texts(explored: Explored, tmp_path: Path, form: str, chosen: list[int]) -> None:
    inside = np.zeros(10, np.bool_)
    inside[chosen] = True
    write_rows(explored, inside, form, tmp_path / "rows")
    found = pl.read_csv(tmp_path / "rows") if form == "csv" else pl.read_parquet(tmp_path / "rows")
    assert found["row"].to_list() == chosen
    assert found["phase"].to_list() == [PHASES[row % 3] for row in chosen]
    assert found["energy"].to_list() == [row / 2 for row in chosen]
    if form == "parquet" or chosen:
        assert found["phase"].dtype == pl.String
