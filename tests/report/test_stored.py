"""What other commands made of a recording is taken over, if it is of this recording."""

import json
from pathlib import Path

import pytest

from semantic_rl.analysis.metrics import Metrics, compute_metrics
from semantic_rl.clips import ClipSettings, make_clips
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.report.clips import cut_clips, read_clips
from semantic_rl.report.stored import read_metrics

from ..recording.synthetic import make_recording

SETTINGS = ClipSettings(frames=40, video_size=0, animation_size=64, animation_frames=16, all_episodes=True)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=6)


@pytest.fixture(scope="module")
def metrics(recording: Recording) -> Metrics:
    return compute_metrics(recording, num_resamples=100, num_threads=1)


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_metrics_come_back_from_json_as_they_were(tmp_path: Path, recording: Recording, metrics: Metrics) -> None:
    read = read_metrics(write(tmp_path / "metrics.json", metrics.to_json()), recording)
    assert read.to_json() == metrics.to_json()
    assert read.metrics == metrics.metrics
    assert read.methods == metrics.methods


def test_metrics_of_another_recording_are_refused(tmp_path: Path, metrics: Metrics) -> None:
    other = make_recording(tmp_path / "other", num_episodes=2, seed=5)
    with pytest.raises(UserError, match="is of another recording than"):
        read_metrics(write(tmp_path / "metrics.json", metrics.to_json()), other)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "was not made by 'semantic-rl metrics'"),
        ({"format": "other"}, "was not made by 'semantic-rl metrics'"),
        ({"format": "semantic-rl metrics", "version": 99}, "written by a newer semantic-rl"),
        ({"format": "semantic-rl metrics", "version": 1}, "'recording' is missing, expected an object"),
        ({"format": "semantic-rl metrics", "version": "x"}, "'version' is 'x', expected a whole number"),
    ],
)
def test_what_are_no_metrics_is_refused(tmp_path: Path, recording: Recording, content: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_metrics(write(tmp_path / "metrics.json", content), recording)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("metrics",), [3], r"'metrics\[0\]' is 3, expected an object"),
        (("methods",), [], "'methods' is .*, expected one method or more"),
        (("metrics", 0, "title"), 5, r"'metrics\[0\].title' is 5, expected a text"),
        (("metrics", 0, "direction"), "up", "'up', expected higher, lower or none"),
        (("metrics", 0, "range"), [0], "expected two numbers"),
        (("metrics", 0, "values", "fdr", "value"), "0.5", r"values.fdr.value' is '0.5', expected a number or null"),
        (("metrics", 0, "values", "fdr", "low"), float("nan"), "NaN stands where a finite number is due"),
        (("methods", 0, "num_states"), 1.5, r"'methods\[0\].num_states' is 1.5, expected a whole number"),
        (("omitted",), "none", "'omitted' is 'none', expected an array"),
    ],
)
def test_a_field_of_metrics_that_is_wrong_is_named(
    tmp_path: Path, recording: Recording, metrics: Metrics, place: tuple[str | int, ...], value: object, said: str
) -> None:
    content = json.loads(json.dumps(metrics.to_json()))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(UserError, match=f"^metrics: .*{said}"):
        read_metrics(write(tmp_path / "metrics.json", content), recording)


def test_a_missing_metrics_file_is_refused(tmp_path: Path, recording: Recording) -> None:
    with pytest.raises(UserError, match=r"metrics: .*cannot be read"):
        read_metrics(tmp_path / "metrics.json", recording)


def test_clips_of_a_folder_are_taken_over(tmp_path: Path, recording: Recording) -> None:
    made = make_clips(recording, tmp_path / "clips", SETTINGS)
    read = read_clips(tmp_path / "clips", recording)
    assert sorted(read.clips) == [clip.cluster for clip in made if clip.animation]
    for clip in made:
        if clip.animation:
            shown = read.clips[clip.cluster]
            assert shown.animation == clip.animation.read_bytes()
            assert (shown.form, shown.size) == ("webp", (64, 64))
            assert shown.seconds == min(clip.num_frames, 16) / 8
    assert "from any episodes" in read.about


def test_clips_of_another_agent_are_refused(tmp_path: Path, recording: Recording) -> None:
    make_clips(recording, tmp_path / "clips", SETTINGS)
    other = make_recording(tmp_path / "other", num_episodes=2, seed=5)
    with pytest.raises(UserError, match="is of another agent than"):
        read_clips(tmp_path / "clips", other)


def test_a_list_of_clips_reaches_no_file_outside_its_folder(tmp_path: Path, recording: Recording) -> None:
    (tmp_path / "secret.webp").write_bytes(b"secret")
    folder = tmp_path / "clips"
    make_clips(recording, folder, SETTINGS)
    content = json.loads((folder / "clips.json").read_text())
    content["clips"][0]["animation"] = "../secret.webp"
    write(folder / "clips.json", content)
    with pytest.raises(UserError, match=r"clips: .* cannot be used"):
        read_clips(folder, recording)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, recording: Recording) -> None:
    folder = tmp_path / "clips"
    made = make_clips(recording, folder, SETTINGS)
    animation = next(clip.animation for clip in made if clip.animation)
    animation.write_bytes(b"<svg onload='alert(1)'>")
    with pytest.raises(UserError, match=r"clips: .* cannot be used"):
        read_clips(folder, recording)


def test_clips_of_an_earlier_version_whose_shots_were_runs_are_shown(tmp_path: Path, recording: Recording) -> None:
    folder = tmp_path / "clips"
    make_clips(recording, folder, SETTINGS)
    content = json.loads((folder / "clips.json").read_text())
    for end in ("min", "max"):
        content["settings"][f"{end}_run"] = content["settings"].pop(f"{end}_shot")
    for clip in content["clips"]:
        clip["runs"] = clip.pop("shots")
    before = read_clips(folder, recording)
    write(folder / "clips.json", content)
    assert read_clips(folder, recording) == before


def test_a_folder_without_clips_is_refused(tmp_path: Path, recording: Recording) -> None:
    with pytest.raises(UserError, match=r"clips: .* cannot be used"):
        read_clips(tmp_path, recording)


def test_clips_are_cut_of_all_episodes_where_none_succeeds(tmp_path: Path) -> None:
    assert "from any episodes" in cut_clips(make_recording(tmp_path / "r", num_episodes=1), 0, lambda *_: None).about
