"""The embeddings figure coloured by further columns of a recording."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import semantic_rl
from semantic_rl.analysis.embedding import compute_planes
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.figures.embeddings import color_states, embeddings_figure, make_embeddings
from semantic_rl.palette import CATEGORIES
from semantic_rl.recording.store import Recording, open_recording

COUNT = 60


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out, rng = tmp_path_factory.mktemp("recordings") / "r", np.random.default_rng(0)
    speed = np.where(np.arange(COUNT) % 10, np.arange(COUNT) / 3, np.nan)
    rooms = ["hall"] * 30 + ["kitchen"] * 20 + [f"closet {index}" for index in range(10)]
    with semantic_rl.RecordingWriter(out, "CartPole-v1") as writer:
        extra = {"speed ($m/s$)": speed, "room": rooms}
        writer.add_episode(features=rng.normal(size=(COUNT, 5)), terminated=True, extra=extra)
    return open_recording(out)


def texts(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_texts_get_a_colour_each_and_a_legend(recording: Recording) -> None:
    planes = compute_planes(recording, perplexity=5, num_threads=1)
    coloring = color_states(recording, planes, "room")
    assert coloring.entries[:2] == [(CATEGORIES[0], "hall  50.0%"), (CATEGORIES[1], "kitchen  33.3%")]
    assert coloring.entries[-1][1].startswith("other")
    assert (coloring.colors[:30] == coloring.colors[0]).all()
    said = texts(embeddings_figure(recording, planes, "room"))
    assert "kitchen  33.3%" in said
    assert "CartPole-v1  ·  60 states" in said, "the algorithm is not known"


def test_numbers_get_a_colour_bar_and_unknown_ones_do_not_stretch_it(recording: Recording) -> None:
    planes = compute_planes(recording, perplexity=5, num_threads=1)
    figure = embeddings_figure(recording, planes, "speed ($m/s$)")
    assert "speed" in texts(figure)
    low, high = figure.axes[0].collections[0].get_clim()
    assert 0 < low < high < COUNT / 3


def test_the_command_names_what_there_is(
    tmp_path: Path, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["figures", "embeddings", str(recording.path), "--out", str(tmp_path), "--perplexity", "5", "--color"]
    main([*command, "speed ($m/s$)"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "embeddings-speed_m_s_.png", "embeddings-speed_m_s_.svg",
    ]  # fmt: skip
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*command, "rooms"])
    said = capsys.readouterr().err
    assert re.search(r"color: got 'rooms', expected one of cluster, time, .*Did you mean 'room'\?", said)
    assert said.count("\n") == 1


def test_colours_of_what_is_not_known_are_refused_and_time_stands_in_for_the_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with semantic_rl.RecordingWriter(tmp_path / "r", "CartPole-v1") as writer:
        writer.add_episode(features=np.random.default_rng(0).normal(size=(40, 4)), terminated=True)
    for color in ("action", "value"):
        with pytest.raises(UserError, match=f"color: got '{color}', expected one of cluster, time"):
            make_embeddings(tmp_path / "r", tmp_path / "f", color, perplexity=5, num_threads=1)
    assert make_embeddings(tmp_path / "r", tmp_path / "f", perplexity=5, num_threads=1)
    assert "drawing t-SNE alone, coloured by time." in capsys.readouterr().err
