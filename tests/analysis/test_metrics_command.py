"""semantic-rl metrics: its options, its output, and what it says of mistakes."""

import json
import re
from pathlib import Path

import pytest

from semantic_rl.cli import main

from ..recording.synthetic import make_recording


def test_the_command_prints_the_table_and_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_recording(tmp_path / "r", num_episodes=6)
    main(["metrics", str(tmp_path / "r"), "--resamples", "150", "--seed", "5", "--max-states", "200"])
    printed = capsys.readouterr().out
    file = tmp_path / "r" / "derived" / "metrics.json"
    assert printed.endswith(f"{file}\n")
    assert "Trustworthiness, k = 10" in printed
    content = json.loads(file.read_text())
    assert content["bootstrap"]["resamples"] == 150
    assert content["sample"]["seed"] == 5
    assert content["sample"]["max_states"] == 200
    assert not list(file.parent.glob("*.tmp"))


def test_every_option_of_the_command_reaches_the_measuring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_recording(tmp_path / "r", num_episodes=3)
    make_recording(tmp_path / "ppo", num_episodes=3, num_codes=0)
    out = tmp_path / "elsewhere" / "m.json"
    options = ["--baselines", "--ppo", str(tmp_path / "ppo"), "--against", str(tmp_path / "r"), "--out", str(out)]
    numbers = ["--clusters", "5", "--resamples", "100", "--perplexity", "12", "--num-threads", "1"]
    main(["metrics", str(tmp_path / "r"), *options, *numbers])
    content = json.loads(out.read_text())
    assert [method["key"] for method in content["methods"]] == ["fdr", "kmeans", "tsne", "pca", "ppo"]
    assert {method["num_clusters"] for method in content["methods"]} == {4, 5}
    assert content["settings"]["perplexity"] == 12
    assert content["settings"]["against"]["name"] == "r"
    assert str(tmp_path) not in out.read_text()
    agreement = {
        metric["name"]: metric["values"] for metric in content["metrics"] if metric["name"].startswith("agreement")
    }
    assert agreement["agreement_ami"]["fdr"]["value"] == pytest.approx(1)
    assert not (tmp_path / "r" / "derived" / "metrics.json").exists()
    assert "k-means, PPO" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["r", "--clusters", "1"], "clusters: got 1, expected 0 .* or a number from 2 to 256"),
        (["r", "--resamples", "5"], "resamples: got 5"),
        (["r", "--against", "nowhere"], "nowhere"),
        (["r", "--out", "r"], "out: r is a folder; expected the name of a file to write"),
        (["r", "--out", "r/recording.json/x.json"], "x.json lies inside a recording .*; choose another place"),
        (["r", "--out", "r/states.parquet"], "out: r/states.parquet exists and is not a file of metrics"),
        (["r", "--out", "r/mine.json"], "lies inside a recording"),
    ],
)
def test_mistakes_end_with_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make_recording(tmp_path / "r", num_episodes=2)
    with pytest.raises(SystemExit) as leaving:
        main(["metrics", *arguments])
    assert leaving.value.code == 2
    error = capsys.readouterr().err.strip()
    assert "\n" not in error
    assert re.search(said, error)
