"""The examples of docs/own-data.md work as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from semantic_rl.cli import main
from semantic_rl.recording.store import open_recording

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-data.md"


def test_the_page_of_own_data_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if language == "python":
            exec(compile(text, str(PAGE), "exec"), names)
        else:
            for line in text.splitlines():
                main(shlex.split(line)[1:])
    mine, latents = open_recording("recordings/mine"), open_recording("recordings/latents")
    assert mine.extra == ("angle", "side")
    assert mine.policy_kind == "categorical"
    assert mine.has_pictures
    assert latents.num_episodes == 30
    assert latents.extra == ("speed", "room")
