"""Commands on recordings in which there is little to tell apart: all that can be had is drawn, the rest is named."""

from pathlib import Path

import pytest
from PIL import Image, ImageColor

from semantic_rl.cli import main
from semantic_rl.figures.embeddings import make_embeddings
from semantic_rl.palette import cluster_color

from .recording.degenerate import KINDS


def run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_every_command_draws_what_there_is(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    KINDS[kind](tmp_path / "r")
    clips = ("--out", tmp_path / "clips", "--all-episodes", "--video-size", 0, "--animation-size", 64, "--min-shot", 1)
    ppo = kind.startswith("PPO")
    for expected, command in (
        (2 if ppo else 0, ("figures", "embeddings", tmp_path / "r", "--out", tmp_path, "--perplexity", 1)),
        (2 if ppo else 0, ("figures", "clusters", tmp_path / "r", "--out", tmp_path)),
        (2 if ppo else 0, ("figures", "transitions", tmp_path / "r", "--out", tmp_path)),
        (2 if kind in ("PPO, one state", "PPO, two states") else 0,
         ("metrics", tmp_path / "r", "--baselines", "--resamples", 100, "--num-threads", 1)),
        (2 if ppo else 0, ("clips", tmp_path / "r", *clips)),
        (0, ("report", tmp_path / "r", "--out", tmp_path / "report.html")),
    ):  # fmt: skip
        assert run(*command) == expected, f"{command}: {capsys.readouterr().err}"
        said = capsys.readouterr().err
        if expected:
            assert said.count("\n") == 1
        assert "Traceback" not in said


def test_of_features_that_are_alike_the_agents_plane_is_drawn_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    KINDS["features alike"](tmp_path / "r")
    paths = make_embeddings(tmp_path / "r", tmp_path / "figures")
    assert [path.name for path in paths] == ["embeddings.png", "embeddings.svg"]
    with Image.open(paths[0]) as image:
        shown = {color for _, color in image.convert("RGB").getcolors(1 << 24)}
    assert {ImageColor.getrgb(cluster_color(code)) for code in range(3)} <= shown
    said = capsys.readouterr().err
    assert said == (
        f"{tmp_path / 'r'}: drawing the FDR space alone: all states have the same features, so that t-SNE finds no "
        "neighbours.\n"
    )
