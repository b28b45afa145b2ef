"""Flags of `semantic-rl explore`: each reaches its setting, and settings reach what they set."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.artifacts import RECORDING_FILE
from semantic_rl.cli import main
from semantic_rl.commands.explore import explore
from semantic_rl.commands.parse import parse
from semantic_rl.config import DemoConfig, ExploreConfig
from semantic_rl.explorer.open_recordings import open_views
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.find_or_record import find_or_record
from semantic_rl.recording.store import open_recording

VALUES: dict[str, Any] = {
    "clustering": "mlp-8",
    "other_clustering": "mlp-4",
    "port": 9000,
    "host": "0.0.0.0",
    "browser": False,
    "export": Path("page.html"),
    "frames": 7,
    "planes": ("pca", "fdr"),
    "columns": ("uncertainty", "speed"),
    "max_points": 50,
    "tsne_states": 40,
    "perplexity": 5.5,
    "author": "Ada",
    "seed": 3,
}


def flag(name: str, value: Any) -> list[str]:
    if value is False:
        return [f"--no-{name}"]
    return ["--" + name.replace("_", "-"), *(value if isinstance(value, tuple) else [str(value)])]


def test_every_setting_is_in_the_table() -> None:
    assert {field.name for field in dataclasses.fields(ExploreConfig)} == {"recording", "other", *VALUES}


@pytest.mark.parametrize("name", VALUES)
def test_a_flag_reaches_its_setting_and_no_other(name: str) -> None:
    exporting = {key: ["--export", "page.html"] for key in ("frames", "planes", "columns")}
    beside = {**exporting, "other_clustering": ["other"]}.get(name, [])
    default = parse(ExploreConfig, ["recording", *beside], "explore")
    config = parse(ExploreConfig, ["recording", *beside, *flag(name, VALUES[name])], "explore")
    assert config != default
    assert config == dataclasses.replace(default, **{name: VALUES[name]})


def test_two_recordings_may_be_named() -> None:
    assert parse(ExploreConfig, ["one", "two"], "explore") == ExploreConfig(Path("one"), Path("two"))


def test_settings_reach_what_they_set(make_view: Callable[..., RecordingView]) -> None:
    folder = make_view().explored.recording.path
    values = {name: VALUES[name] for name in ("max_points", "tsne_states", "perplexity", "author", "seed")}
    views = open_views(ExploreConfig(folder, folder, **values))
    assert [view.explored.id for view in views] == ["a", "b"]
    for view in views:
        assert view.explored.settings._asdict() == {name: values[name] for name in view.explored.settings._fields}
        assert view.author == "Ada"
        assert len(view.explored.shown) == 50
        assert len(view.explored.plane("tsne").points) == 40
    assert open_views(ExploreConfig(folder))[0].author, "without --author whoever is logged in"


@pytest.mark.parametrize("opens", [True, False])
def test_the_page_is_opened_in_the_browser_if_wanted(
    make_view: Callable[..., RecordingView],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    opens: bool,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or False)
    monkeypatch.setattr("semantic_rl.explorer.server.run.Server.run", lambda self, sockets: sockets[0].close())
    explore(ExploreConfig(make_view().explored.recording.path, port=0, browser=opens))
    said = capsys.readouterr()
    address = said.out.split()[0]
    assert opened == ([address] if opens else [])
    assert ("no browser was found" in said.err) == opens


def test_ctrl_c_while_reading_leaves_with_130(
    make_view: Callable[..., RecordingView], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_view().explored.recording.path

    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("semantic_rl.explorer.dataset.dataset.read_states", interrupted)
    with pytest.raises(SystemExit) as left:
        main(["explore", str(folder)])
    assert left.value.code == 130
    assert capsys.readouterr().err == ""


def test_an_agent_that_ships_is_recorded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(DemoConfig, "states", 300)
    folder = find_or_record(Path("sppo-coinrun"))
    assert folder == Path("recordings/sppo-coinrun")
    recorded = open_recording(folder)
    assert recorded.num_states >= 300
    before = (folder / RECORDING_FILE).stat().st_mtime_ns
    assert find_or_record(Path("sppo-coinrun")) == folder
    assert (folder / RECORDING_FILE).stat().st_mtime_ns == before


def test_an_agent_of_ones_own_has_to_be_recorded_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["explore", str(tmp_path)])
    assert ended.value.code == 2
    assert f"semantic-rl record {tmp_path} --states 5000 --out" in capsys.readouterr().err
