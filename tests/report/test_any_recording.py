"""Reports of agents that are not Procgen's say nothing that the recording does not know."""

import re
from pathlib import Path

import pytest

from semantic_rl.config import ReportConfig
from semantic_rl.report import make_report

from ..recording import other_recordings


@pytest.mark.parametrize(("make", "frame_size"), [(other_recordings.cartpole, 64), (other_recordings.pendulum, 0)])
def test_a_report_names_environment_and_layer(tmp_path: Path, make: other_recordings.Make, frame_size: int) -> None:
    recording = make(tmp_path / "r", frame_size)
    config = ReportConfig(recording=recording.path, out=tmp_path / "report.html", perplexity=5, baselines=False)
    page = make_report(config).read_text(encoding="utf-8")
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert recording.spec.id in words
    assert f"{recording.description['agent']['layer']}, 8 numbers" in words
    assert "t-SNE of the 8 features" in words
    for word in ("unknown", "None", "nan", "success", "level 0"):
        assert word not in words
    assert ('id="by-action"' in page) == (recording.num_actions > 0)
    assert ('id="by-value"' in page) == recording.has("value")
    assert ("100% ended by a time limit" in " ".join(words.split())) == (recording.spec.id == "Pendulum-v1")
