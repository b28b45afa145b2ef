"""The explorer of recordings in which there is little to tell apart answers every question, and exports them."""

import json
from pathlib import Path

import pytest

from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.html_file import write_export
from semantic_rl.explorer.recording_view import RecordingView

from ..recording.degenerate import KINDS
from .conftest import SETTINGS, ask_inside, client_of, get
from .test_export import blocks_of

EVERYWHERE = {"plane": "pca", "polygon": [[-1e4, -1e4], [1e4, -1e4], [1e4, 1e4], [-1e4, 1e4]]}


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_every_question_is_answered_and_a_file_is_written(tmp_path: Path, kind: str) -> None:
    view = RecordingView(Explored(KINDS[kind](tmp_path / "r"), SETTINGS._replace(perplexity=10.0)))
    client = client_of(view)
    meta = get(client, "/api/recordings").json()["recordings"][0]
    tsne = next(plane for plane in meta["planes"] if plane["name"] == "tsne")
    if "features alike" in kind or kind == "everything alike":
        assert tsne["why_not"] == "all states have the same features, so that t-SNE finds no neighbours"
    lists = [known["name"] for known in meta["lists"]]
    paths = [
        *(f"column/{column['name']}" for column in meta["columns"]),
        *(f"playlist/{name}" for name in lists),
        "episodes", "episode/0", "frame/0", "observation/0", "clusters", "transitions", "annotations",
    ]  # fmt: skip
    for path in paths:
        response = get(client, f"/api/a/{path}")
        assert response.status_code == 200, f"{path}: {response.text}"
    inside = ask_inside(client, EVERYWHERE)
    assert inside.status_code == 200, inside.text
    write_export(Exported(view, 10), tmp_path / "page.html")
    blocks = blocks_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    (told,) = json.loads(blocks["recordings"])["recordings"]
    assert told["num_states"] == meta["num_states"]
    assert {f"a-column-{column['name']}" for column in told["columns"]} <= blocks.keys()
    assert json.loads(blocks["a-episodes"]) == get(client, "/api/a/episodes").json()
