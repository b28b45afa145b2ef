"""The embeddings figure: both panels, their codes, cells and legend; drawn from real recordings on disk."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from semantic_rl.analysis.embedding import compute_planes
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.figures.embeddings import Color, color_states, draw_fdr, embeddings_figure, make_embeddings
from semantic_rl.palette import cluster_color
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.annotations import Annotations

from ..recording.synthetic import make_recording

SETTINGS = {"perplexity": 10.0, "num_threads": 1}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=6)


def texts(figure: Figure) -> str:
    """All that is written in a figure."""
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.mark.parametrize("color", ["cluster", "value", "time", "action"])
def test_writes_png_and_svg(tmp_path: Path, recording: Recording, color: Color) -> None:
    paths = make_embeddings(recording.path, tmp_path, color, **SETTINGS)
    name = "embeddings" if color == "cluster" else f"embeddings-{color}"
    assert [path.name for path in paths] == [f"{name}.png", f"{name}.svg"]
    with Image.open(paths[0]) as image:
        assert image.width == pytest.approx(7.2 * 300, abs=2)
    assert "<svg" in paths[1].read_text()


def test_the_same_recording_gives_the_same_files(tmp_path: Path, recording: Recording) -> None:
    first = [path.read_bytes() for path in make_embeddings(recording.path, tmp_path / "a", **SETTINGS)]
    assert first == [path.read_bytes() for path in make_embeddings(recording.path, tmp_path / "b", **SETTINGS)]


def test_codes_are_numbered_and_the_legend_says_their_share(recording: Recording) -> None:
    figure = embeddings_figure(recording, compute_planes(recording, **SETTINGS))
    shares = np.bincount(recording.states["code_index"], minlength=4) / recording.num_states
    assert len(figure.axes) == 2
    for index, share in enumerate(shares):
        assert f"{index}  {share:.1%}" in texts(figure)
        assert str(index) in [text.get_text() for text in figure.axes[0].texts]
    assert "coinrun (easy)" in texts(figure)
    assert "SPPO" in texts(figure)


def test_a_state_has_the_colour_of_its_cluster(recording: Recording) -> None:
    planes = compute_planes(recording, **SETTINGS)
    assert planes.fdr is not None
    assert planes.code_index is not None
    ax = Figure().subplots()
    drawn = draw_fdr(ax, planes.fdr, recording.codebook, color_states(recording, planes, "cluster"))
    points, colors = np.asarray(drawn.get_offsets()), np.asarray(drawn.get_facecolors())
    for point, color in list(zip(points, colors, strict=True))[:20]:
        row = int(np.flatnonzero((planes.fdr == point).all(1))[0])
        expected = cluster_color(int(planes.code_index[row]))
        assert "#" + "".join(f"{round(255 * value):02X}" for value in color[:3]) == expected


def test_all_states_and_near_codes_are_in_view(recording: Recording) -> None:
    planes = compute_planes(recording, **SETTINGS)
    assert planes.fdr is not None
    ax = Figure().subplots()
    codebook = np.concatenate([recording.codebook, [[90.0, 90.0]]])
    draw_fdr(ax, planes.fdr, codebook, color_states(recording, planes, "cluster"))
    assert ax.get_xlim()[0] < planes.fdr[:, 0].min()
    assert planes.fdr[:, 0].max() < ax.get_xlim()[1] < 10
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2", "3"]


def test_an_agent_without_clusters_gets_tsne_alone_and_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = make_recording(tmp_path / "r", num_codes=0, num_episodes=6)
    paths = make_embeddings(recording.path, tmp_path / "figures", **SETTINGS)
    assert all(path.is_file() for path in paths)
    assert "no semantic clustering module" in capsys.readouterr().err
    figure = embeddings_figure(recording, compute_planes(recording, **SETTINGS))
    assert "FDR" not in texts(figure)
    assert "PPO" in texts(figure)


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path: Path, recording: Recording) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UserError, match=r"out: .*file is no folder, so .*embeddings\.png cannot be in it; choose another place"
    ):
        make_embeddings(recording.path, tmp_path / "file" / "figures", **SETTINGS)


def test_the_command_says_what_it_wrote(
    tmp_path: Path, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "figures")
    main(["figures", "embeddings", str(recording.path), "--out", out, "--color", "time", "--perplexity", "10"])
    assert capsys.readouterr().out.split() == [f"{out}/embeddings-time.png", f"{out}/embeddings-time.svg"]


def test_figures_without_a_name_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    main(["figures"])
    said = capsys.readouterr().out
    assert "embeddings" in said
    assert "semantic-rl figures FIGURE --help" in said


def test_the_legend_has_the_names_that_people_gave(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "named")
    Annotations(recording.path).put_cluster(1, "in the $air$", "", "Ada", 0)
    figure = embeddings_figure(recording, compute_planes(recording, 1_000, 10.0, 0, 1))
    assert r"1 in the \$air\$  " in texts(figure)
