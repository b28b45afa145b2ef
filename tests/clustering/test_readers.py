"""Every command that reads a recording shows the clustering that --clustering names, and says that it was fitted."""

import json
from pathlib import Path

import pytest

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.annotations import Annotations

from .conftest import SMALL


@pytest.fixture
def both(sppo: Recording) -> Recording:
    """A recording of an agent with clusters of its own, to which others were fitted."""
    semantic_rl.fit(sppo, num_codes=5, name="mine", baselines=False, **SMALL)
    return sppo


def run(*words: object) -> None:
    """Run a command."""
    main([str(word) for word in words])


def test_metrics_measure_the_clustering_and_keep_it_apart(both: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--clustering", "mine"]):
        run("metrics", both.path, "--resamples", "100", *more)
    own, fitted = (
        json.loads((both.path / "derived" / name).read_text(encoding="utf-8"))
        for name in ("metrics.json", "metrics-mine.json")
    )
    assert (own["recording"]["codes"], fitted["recording"]["codes"]) == (3, 5)
    assert fitted["recording"]["clustering"]["name"] == "mine"
    assert "did not shape" in capsys.readouterr().err


@pytest.mark.parametrize("figure", ["embeddings", "clusters", "transitions"])
def test_figures_show_it_and_say_so(
    both: Recording, figure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Annotations(both.path / "clusterings" / "mine").put_cluster(1, "a name of mine", "", "", 0)
    run("figures", figure, both.path, "--out", tmp_path, "--clustering", "mine")
    assert "did not shape" in capsys.readouterr().err
    assert "a name of mine" in (tmp_path / f"{figure}.svg").read_text(encoding="utf-8")


def test_clips_and_report_fit_only_the_same_clustering(both: Recording, tmp_path: Path) -> None:
    few = ["--all-episodes", "--frames", "8", "--min-shot", "1", "--video-size", "0"]
    run("clips", both.path, "--out", tmp_path / "clips", "--clustering", "mine", *few)
    assert len(list((tmp_path / "clips").glob("*.webp"))) == 5
    made = ["--out", tmp_path / "report.html", "--clips", tmp_path / "clips", "--no-baselines"]
    run("report", both.path, *made, "--clustering", "mine")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "did not shape" in page
    assert "was fitted afterwards" in page
    with pytest.raises(SystemExit):
        run("report", both.path, *made)


def test_the_explorer_shows_two_clusterings_of_a_recording(both: Recording) -> None:
    from semantic_rl.config import ExploreConfig
    from semantic_rl.explorer.open_recordings import open_views

    views = open_views(ExploreConfig(both.path, both.path, clustering="agent", other_clustering="mine"))
    own, fitted = (view.meta() for view in views)
    assert (own["num_codes"], fitted["num_codes"]) == (3, 5)
    assert own["warning"] is None
    assert "did not shape" in str(fitted["warning"])
    assert own["etag"] != fitted["etag"]
    views[1].annotations.put_cluster(0, "of the fitted one", "", "", 0)
    assert views[0].annotations.read()["clusters"] == {}


@pytest.mark.parametrize("command", ["metrics", "report", "figures embeddings", "explore", "clips"])
def test_an_unknown_clustering_is_one_error(
    both: Recording, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--out", tmp_path / "out"] if command == "clips" else []
    with pytest.raises((SystemExit, UserError)):
        run(*command.split(), both.path, "--clustering", "mime", *more)
    assert "Did you mean 'mine'?" in capsys.readouterr().err


def test_the_command_prints_scores_beside_the_baselines_and_where_it_is(
    ppo: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    run("fit", ppo.path, "--codes", "5", "--steps", "100", "--minibatch-size", "64", "--num-threads", "1")
    out = capsys.readouterr().out
    assert "trustworthiness, k = 10" in out
    assert all(title in out for title in ("mlp-5", "PCA", "t-SNE", "k-means"))
    assert "did not" in out
    assert out.splitlines()[-1] == str(ppo.path / "clusterings" / "mlp-5")
