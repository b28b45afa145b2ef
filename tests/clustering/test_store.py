"""Clusterings in a recording: which one is shown, and that damaged or foreign ones are refused with one line."""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import semantic_rl
from semantic_rl.checking import check
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.plane_head import read_head, write_head

from .conftest import SMALL

FEW = {**SMALL, "steps": 20, "baselines": False}


def fitted(recording: Recording, name: str = "mine", **settings: object) -> Path:
    """Fit a clustering quickly; return its folder."""
    return semantic_rl.fit(recording, name=name, **FEW, **settings).folder


def test_the_agents_own_clustering_stays_the_default(sppo: Recording) -> None:
    fitted(sppo)
    opened = open_recording(sppo.path)
    assert (opened.clustering_name, opened.clusterings) == ("agent", ["agent", "mine"])
    assert opened.fitted_note is None
    fitted(sppo, "other", default=True)
    assert open_recording(sppo.path).clustering_name == "other"
    assert open_recording(sppo.path, clustering="agent").num_codes == sppo.num_codes


def test_the_first_clustering_of_an_agent_without_clusters_is_shown(ppo: Recording) -> None:
    assert ppo.clustering_name is None
    fitted(ppo)
    fitted(ppo, "another")
    opened = open_recording(ppo.path)
    assert opened.clustering_name == "mine"
    assert opened.fitted_note is not None
    assert "did not shape" in opened.fitted_note
    assert opened.codebook.shape == (8, 2)


def test_columns_of_both_tables_are_read_side_by_side(ppo: Recording) -> None:
    fitted(ppo)
    opened = open_recording(ppo.path)
    table = opened.table("code_index", "episode", "embedding_x")
    assert table.columns == ["code_index", "episode", "embedding_x"]
    read = np.concatenate([part["code_distance"] for _, part in opened.groups(["features", "code_distance"])])
    np.testing.assert_array_equal(read.argmin(1), table["code_index"])
    assert {"code_distance", "features"} <= set(opened.states.columns)


def test_an_unknown_clustering_names_the_nearest(ppo: Recording, sppo: Recording) -> None:
    with pytest.raises(UserError, match="make one: semantic-rl fit"):
        open_recording(ppo.path, clustering="mine")
    with pytest.raises(UserError, match="no semantic clustering module"):
        open_recording(ppo.path, clustering="agent")
    fitted(sppo)
    with pytest.raises(UserError, match=r"has no 'mime', only agent, mine\. Did you mean 'mine'\?"):
        open_recording(sppo.path, clustering="mime")


def test_a_name_is_used_once(ppo: Recording) -> None:
    fitted(ppo)
    with pytest.raises(UserError, match="has a clustering 'mine' already"):
        fitted(ppo)


def change_json(folder: Path, **fields: object) -> None:
    """Change fields of `clustering.json`."""
    path = folder / "clustering.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")


def change_table(folder: Path, name: str, value: float) -> None:
    """Set a column's first value."""
    path = folder / "states.parquet"
    table = pq.read_table(path)
    values = table.column(name).to_pylist()
    values[0] = value
    import pyarrow as pa

    place = table.column_names.index(name)
    pq.write_table(table.set_column(place, name, pa.array(values, table.column(name).type)), path)


def change_head(folder: Path) -> None:
    """Make a weight infinite."""
    head = read_head(folder / "head.safetensors", False, "")
    weight = head.layers[0][0].copy()
    weight[0, 0] = np.inf
    write_head(folder / "head.safetensors", head._replace(layers=[(weight, head.layers[0][1]), *head.layers[1:]]))


def link_elsewhere(folder: Path) -> None:
    """Put a link in the place of the folder."""
    elsewhere = folder.parent.parent / "elsewhere"
    shutil.move(folder, elsewhere)
    os.symlink(elsewhere, folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "clustering.json").write_text("{", encoding="utf-8"),
        lambda folder: change_json(folder, format="something else"),
        lambda folder: change_json(folder, version=99),
        lambda folder: change_json(folder, num_codes=7),
        lambda folder: change_json(folder, scores={"fitted": {"trustworthiness": "high"}}),
        lambda folder: (folder / "head.safetensors").write_bytes(b"\xff" * 100),
        lambda folder: (folder / "head.safetensors").unlink(),
        change_head,
        lambda folder: (folder / "states.parquet").write_bytes(b"PAR1"),
        lambda folder: change_table(folder, "code_index", 200),
        lambda folder: change_table(folder, "embedding_x", float("nan")),
        lambda folder: pq.write_table(pq.read_table(folder / "states.parquet").slice(1), folder / "states.parquet"),
        lambda folder: pq.write_table(
            pq.read_table(folder / "states.parquet"), folder / "states.parquet", row_group_size=100
        ),
        link_elsewhere,
    ],
    ids=["cut off", "foreign", "newer", "codes", "scores", "head", "no head", "infinite", "table", "code", "nan",
         "rows", "groups", "link"],
)  # fmt: skip
def test_a_damaged_clustering_is_refused_in_one_line_and_the_others_work(
    sppo: Recording, damage: Callable[[Path], object]
) -> None:
    folder = fitted(sppo)
    damage(folder)
    with pytest.raises(UserError) as caught:
        open_recording(sppo.path, clustering="mine")
    assert "\n" not in str(caught.value)
    assert open_recording(sppo.path).clustering_name == "agent"
    wrong = [part.name for part in check(sppo.path).parts if part.wrong]
    assert wrong == ["clusterings/mine"]


def test_check_names_a_clustering_whose_files_were_replaced(sppo: Recording) -> None:
    folder = fitted(sppo)
    assert check(sppo.path).is_right
    change_table(folder, "embedding_x", 0.25)
    (wrong,) = [part for part in check(sppo.path).parts if part.wrong]
    assert "SHA-256 differs" in wrong.wrong


def test_a_head_whose_distances_overflow_is_refused_without_a_warning(sppo: Recording) -> None:
    fitted(sppo)
    clustering = open_recording(sppo.path).clustering("mine")
    clustering.head = clustering.head._replace(codebook=np.full_like(clustering.codebook, 3e38))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match="not finite, so it is damaged"):
            clustering.place(sppo.features())
