"""Cluster cards and transitions, drawn from recordings on disk."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image, ImageColor

from semantic_rl.analysis.clusters import compute_clusters
from semantic_rl.analysis.transitions import Transitions, compute_transitions
from semantic_rl.errors import UserError
from semantic_rl.figures.clusters import clusters_figure, make_clusters
from semantic_rl.figures.transitions import draw_matrix, make_transitions, transitions_figure
from semantic_rl.palette import cluster_color, contrast, rim_of
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.annotations import Annotations

from ..recording.synthetic import make_recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recordings") / "r"
    return make_recording(folder, num_episodes=8, num_codes=3, num_unused=1, picture_size=96)


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_cards_are_written_as_png_and_svg(tmp_path: Path, recording: Recording) -> None:
    paths = make_clusters(recording.path, tmp_path)
    assert [path.name for path in paths] == ["clusters.png", "clusters.svg"]
    with Image.open(paths[0]) as image:
        assert image.width == pytest.approx(7.2 * 300, abs=2)


def test_each_cluster_has_a_card_with_its_facts(recording: Recording) -> None:
    clusters = compute_clusters(recording)
    written = texts(clusters_figure(recording, clusters))
    for cluster in clusters.clusters:
        assert str(cluster.code_index) in written
        assert f"{cluster.share:.1%}" in written
    assert "no state is in it" in written


def test_the_success_of_episodes_that_have_not_ended_is_not_known(tmp_path: Path) -> None:
    unfinished = make_recording(tmp_path / "r", num_episodes=4, num_codes=2, num_unfinished=4)
    written = texts(clusters_figure(unfinished, compute_clusters(unfinished)))
    assert "success –" in written
    assert not any("0%" in text and "success" in text for text in written)
    assert any("success not known: no episode ended" in text for text in written)


def test_success_is_of_the_episodes_that_ended(tmp_path: Path) -> None:
    """Of six episodes the second, fourth and sixth would succeed; the last two have not ended: 2 of 4."""
    recording = make_recording(tmp_path / "r", num_episodes=6, num_codes=2, num_unfinished=2)
    assert compute_clusters(recording).success == 0.5
    assert any("success in 50%" in text for text in texts(clusters_figure(recording, compute_clusters(recording))))


def test_transitions_are_written_as_png_and_svg(tmp_path: Path, recording: Recording) -> None:
    paths = make_transitions(recording.path, tmp_path)
    assert [path.name for path in paths] == ["transitions.png", "transitions.svg"]
    width, height = transitions_figure(recording, compute_transitions(recording)).get_size_inches()
    with Image.open(paths[0]) as image:
        assert image.size == (pytest.approx(300 * width, abs=2), pytest.approx(300 * height, abs=2))
        shown = {color for _, color in image.convert("RGB").getcolors(1 << 24)}
    assert {ImageColor.getrgb(cluster_color(code)) for code in range(3)} <= shown
    assert ElementTree.parse(paths[1]).getroot().tag.endswith("svg")


def test_the_matrix_says_where_the_agent_goes_and_how_long_it_stays(recording: Recording) -> None:
    transitions = compute_transitions(recording)
    written = texts(transitions_figure(recording, transitions))
    assert f"{transitions.mean_dwell[0]:.1f}" in written or f"{transitions.mean_dwell[0]:.0f}" in written
    assert f"{100 * transitions.leaving_probabilities[0, 1]:.0f}" in written


@pytest.mark.parametrize("make", [make_clusters, make_transitions])
def test_an_agent_without_clusters_is_refused_by_name(tmp_path: Path, make: object) -> None:
    recording = make_recording(tmp_path / "r", num_codes=0, num_episodes=2)
    with pytest.raises(UserError, match="no semantic clustering module"):
        make(recording.path, tmp_path / "figures")  # pyright: ignore
    assert not (tmp_path / "figures").exists()


def test_names_that_people_gave_are_shown_and_long_ones_cut(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "named", num_episodes=8)
    written = Annotations(recording.path)
    written.put_cluster(0, "$\\frac{1}$ $x", "", "Ada", 0)
    written.put_cluster(1, "a name that is much too long for a picture", "", "Ada", 0)
    below = transitions_figure(recording, compute_transitions(recording)).legends[0]
    shown = [text.get_text() for text in below.get_texts()]
    assert shown == ["0 \\$\\frac{1}\\$ \\$x", "1 a name that is much too…"]
    cards = texts(clusters_figure(recording, compute_clusters(recording, 4)))
    assert any(text.startswith("a name") and text.endswith("…") for text in cards)
    for make in (make_transitions, make_clusters):
        assert all(path.is_file() for path in make(recording.path, tmp_path / "out")), "no dollar makes a formula"


def test_a_long_caption_is_written_in_smaller_letters_and_not_cut_off(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", semantic_weight_was_above_zero=False, update=20)
    for made in (
        clusters_figure(recording, compute_clusters(recording)),
        transitions_figure(recording, compute_transitions(recording)),
    ):
        (caption,) = (text for text in made.texts if "untrained clusters (λ was 0)" in text.get_text())
        made.draw_without_rendering()
        assert caption.get_window_extent().x1 <= made.bbox.x1


def test_numbers_in_the_matrix_have_the_contrast_of_aa_on_their_cells() -> None:
    shares, seen = np.linspace(0.01, 0.99, 12), 0
    for share in shares:
        moves = np.array([[0, round(1_000 * share), round(1_000 * (1 - share))], [1, 0, 0], [1, 0, 0]])
        transitions = Transitions(moves, np.ones(3) / 3, np.ones(3), np.zeros((3, 2)), np.ones(3) / 3, np.zeros(3))
        ax = Figure().subplots()
        draw_matrix(ax, transitions)
        leaving = transitions.leaving_probabilities
        for text in ax.texts:
            column, row = (int(place) for place in text.get_position())
            if row != column:
                ground = to_hex(colormaps["Greys"](leaving[row, column]))
                assert contrast(to_hex(text.get_color()), ground) >= 4.5
                seen += 1
    assert seen >= 2 * len(shares)


def test_text_of_an_svg_is_text(tmp_path: Path, recording: Recording) -> None:
    for path in (make_transitions(recording.path, tmp_path)[1], make_clusters(recording.path, tmp_path)[1]):
        root = ElementTree.parse(path).getroot()
        written = ["".join(found.itertext()) for found in root.iter("{http://www.w3.org/2000/svg}text")]
        assert any("states from 8 episodes" in text for text in written)


def test_labels_of_the_matrix_have_their_clusters_colours_and_marks_a_rim(recording: Recording) -> None:
    figure = transitions_figure(recording, compute_transitions(recording))
    matrix, flow = figure.axes
    for labels in (matrix.get_xticklabels(), matrix.get_yticklabels()):
        for index, label in enumerate(labels):
            box = label.get_bbox_patch()
            assert box is not None
            assert to_hex(box.get_facecolor()).upper() == cluster_color(index)
            assert contrast(to_hex(label.get_color()), cluster_color(index)) >= 4.5
    for line in flow.lines:
        assert to_hex(line.get_markeredgecolor()).upper() == rim_of(to_hex(line.get_color()))


def test_the_means_of_large_clusters_say_of_how_many_states_they_are(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters = compute_clusters(recording)
    assert not any("random states" in text for text in texts(clusters_figure(recording, clusters)))
    monkeypatch.setattr("semantic_rl.figures.clusters.FRAMES_IN_MEAN", 20)
    assert any("means of 20 random states at most" in text for text in texts(clusters_figure(recording, clusters)))
