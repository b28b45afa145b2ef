"""Clips show the states that they say they show; what is short, missing or wrong is said by name."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs, get_ffmpeg_exe
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from titles import title_of

from semantic_rl.cli import main
from semantic_rl.clips import Clip, ClipSettings, make, make_clips
from semantic_rl.clips.make import shortfalls
from semantic_rl.errors import UserError
from semantic_rl.palette import cluster_color
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.annotations import Annotations

from ..recording.synthetic import make_recording

SIZE = 64


def settings(**changes: Any) -> ClipSettings:
    """Small clips of short shots: 40 frames of video, 16 of animation."""
    small = {"frames": 40, "min_shot": 3, "video_size": SIZE, "animation_size": SIZE}
    if changes.get("animation_size", SIZE):
        small["animation_frames"] = 16
    return ClipSettings(**{**small, **changes})


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recordings") / "r"
    return make_recording(folder, num_episodes=16, num_codes=3, num_unused=1, picture_size=SIZE)


@pytest.fixture(scope="module")
def clips(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return make_clips(recording, tmp_path_factory.mktemp("clips"), settings())


def video_frames(path: Path, size: int = SIZE) -> NDArray[np.uint8]:
    """Decode a video to [T, size, size, 3]."""
    command = [get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, size, size, 3)


def animation_frames(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_there_is_one_item_for_each_cluster_in_order(clips: list[Clip]) -> None:
    assert [clip.cluster for clip in clips] == [0, 1, 2, 3]
    assert [clip.num_frames for clip in clips] == [40, 40, 40, 0]
    assert [clip.short_by for clip in clips] == [0, 0, 0, 40]


def test_runs_are_of_the_cluster_and_of_successful_episodes(recording: Recording, clips: list[Clip]) -> None:
    states = recording.states
    for clip in clips:
        assert sum(shot.num_frames for shot in clip.shots) == clip.num_frames
        for shot in clip.shots:
            rows = states.slice(shot.first_row, shot.num_frames)
            assert set(rows["code_index"]) == {clip.cluster}
            assert set(rows["episode"]) == {shot.episode}
            assert set(rows["level_seed"]) == {shot.level_seed}
            assert rows["step"].to_list() == list(range(shot.first_step, shot.first_step + shot.num_frames))
            assert recording.episodes["success"][shot.episode]
            assert 3 <= shot.num_frames <= 20


def test_videos_show_the_states_frame_by_frame(recording: Recording, clips: list[Clip]) -> None:
    for clip in clips[:3]:
        assert clip.mp4 is not None
        assert count_frames_and_secs(str(clip.mp4)) == (40, pytest.approx(5.0, abs=0.1))
        rows = [shot.first_row + index for shot in clip.shots for index in range(shot.num_frames)]
        expected = np.stack([recording.frame(row) for row in rows]).astype(int)
        assert np.abs(video_frames(clip.mp4) - expected).max() <= 4


def test_an_animation_shows_the_first_frames_of_the_video(recording: Recording, tmp_path: Path) -> None:
    # With the overlay no two frames are alike; those that are would be stored once and shown longer.
    for clip in make_clips(recording, tmp_path, settings(overlay=True))[:3]:
        assert clip.animation is not None
        assert clip.mp4 is not None
        with Image.open(clip.animation) as image:
            assert image.format == "WEBP"
            image.seek(1)
            image.load()
            assert image.info["duration"] == 125
        shown = animation_frames(clip.animation)
        assert shown.shape == (16, SIZE, SIZE, 3)
        first = video_frames(clip.mp4)[:16].astype(int)
        assert np.abs(shown[:, 20:52] - first[:, 20:52]).max() < 12
        assert np.abs(shown - first).mean() < 6


def test_an_empty_cluster_has_no_file_and_that_is_said(clips: list[Clip]) -> None:
    assert clips[3].mp4 is None
    assert clips[3].animation is None
    assert shortfalls(clips, settings()) == ["cluster 3 is 40 frames short: it has none, so it has no clip"]


def test_a_short_cluster_has_what_there_is(recording: Recording, tmp_path: Path) -> None:
    wanted = settings(frames=100_000, video_size=0)
    clips = make_clips(recording, tmp_path / "c", wanted)
    assert all(clip.num_frames + clip.short_by == 100_000 for clip in clips)
    assert shortfalls(clips, wanted)[0] == (
        f"cluster 0 is {clips[0].short_by} frames short: {clips[0].num_frames} of 100000"
    )


def test_the_list_says_what_each_clip_shows(recording: Recording, clips: list[Clip]) -> None:
    assert clips[0].mp4 is not None
    listed = json.loads((clips[0].mp4.parent / "clips.json").read_text())
    assert listed["recording"] == recording.path.name
    assert listed["agent"] == recording.description["agent"]
    assert listed["settings"]["frames"] == 40
    for clip, item in zip(clips, listed["clips"], strict=True):
        assert item["cluster"] == clip.cluster
        assert item["mp4"] == (f"cluster_{clip.cluster}.mp4" if clip.mp4 else None)
        assert item["animation"] == (f"cluster_{clip.cluster}.webp" if clip.animation else None)
        assert (item["num_frames"], item["short_by"]) == (clip.num_frames, clip.short_by)
        assert item["seconds"] == clip.num_frames / 8
        assert item["shots"] == [shot._asdict() for shot in clip.shots]


def test_the_same_seed_gives_the_same_files_and_another_one_others(recording: Recording, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_clips(recording, tmp_path / name, settings(seed=seed, overlay=True))
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert content(tmp_path / "a") != content(tmp_path / "c")


def test_the_overlay_shows_cluster_and_progress(recording: Recording, tmp_path: Path) -> None:
    clips = make_clips(recording, tmp_path / "c", settings(overlay=True, animation_size=0))
    for clip in clips[:3]:
        assert clip.mp4 is not None
        assert clip.animation is None
        frames = video_frames(clip.mp4).astype(int)
        color = cluster_color(clip.cluster)
        expected = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)])
        first = clip.shots[0]
        bar = frames[: first.num_frames, -1]
        # Video keeps colours at half the resolution, so they bleed into what is beside them.
        is_colored = np.abs(bar - expected).max(-1) < 60
        reached = is_colored.sum(1) / SIZE
        np.testing.assert_allclose(reached, (np.arange(first.num_frames) + 1) / first.num_frames, atol=0.06)
        badge = frames[:, 2:8, 2:8]
        assert (np.abs(badge - 20 * clip.cluster).max((1, 2, 3)) > 40).all()


def test_a_gif_can_be_had(recording: Recording, tmp_path: Path) -> None:
    clips = make_clips(recording, tmp_path / "c", settings(video_size=0, format="gif", overlay=True))
    assert [path.name for path in sorted((tmp_path / "c").glob("cluster*"))] == [f"cluster_{k}.gif" for k in range(3)]
    assert clips[0].animation is not None
    frames = animation_frames(clips[1].animation or clips[0].animation)
    assert len(frames) == 16
    assert abs(np.median(frames) - 20) < 6


def test_without_pictures_clips_show_what_the_agent_saw(tmp_path: Path) -> None:
    plain = make_recording(tmp_path / "r", num_episodes=4, num_codes=2)
    clips = make_clips(plain, tmp_path / "c", settings(video_size=128))
    assert clips[1].mp4 is not None
    assert abs(video_frames(clips[1].mp4, 128).mean() - 20) < 4


def test_progress_is_reported_up_to_the_end(recording: Recording, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_clips(recording, tmp_path / "c", settings(video_size=0), lambda done, total: told.append((done, total)))
    assert told == [(0, 120), (40, 120), (80, 120), (120, 120), (120, 120)]


def test_clips_that_were_there_are_replaced_as_a_set(recording: Recording, tmp_path: Path) -> None:
    make_clips(recording, tmp_path, settings(format="gif"))
    for name in ("cluster_9.mp4", "cluster_9.gif"):  # of an agent with more clusters, by their metadata
        (tmp_path / name).write_bytes((tmp_path / name.replace("9", "0")).read_bytes())
    (tmp_path / "cluster_0.avi").write_text("the original's")
    make_clips(recording, tmp_path, settings(video_size=0))
    expected = {"clips.json", "cluster_0.avi", *(f"cluster_{cluster}.webp" for cluster in range(3))}
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_a_folder_with_other_things_is_left_alone(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"what is not a clip \(thesis.tex\)"):
        make_clips(recording, tmp_path, settings())
    with pytest.raises(UserError, match="is a file; expected a folder"):
        make_clips(recording, tmp_path / "thesis.tex", settings())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "cluster_9.mp4").write_text("filmed by a person")
    with pytest.raises(UserError, match=r"cluster_9\.mp4 exists and is not a clip of semantic-rl"):
        make_clips(recording, tmp_path / "own", settings())
    assert (tmp_path / "own" / "cluster_9.mp4").read_text() == "filmed by a person"


def failing_program(path: Path, said: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 3\n")
    path.chmod(0o755)
    return path


def test_that_ffmpeg_fails_is_said_and_nothing_looks_whole(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clips(recording, tmp_path / "c", settings())
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(failing_program(tmp_path / "ffmpeg", "Unknown encoder libx264")))
    with pytest.raises(UserError, match=r"cluster_0\.mp4 \(exit code 3\): Unknown encoder libx264; .*--video-size 0"):
        make_clips(recording, tmp_path / "c", settings())
    assert not (tmp_path / "c" / "clips.json").exists()
    assert not list((tmp_path / "c").glob("*.tmp"))


def test_without_ffmpeg_there_are_still_animations(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match="cannot run ffmpeg"):
        make_clips(recording, tmp_path / "c", settings())
    assert make_clips(recording, tmp_path / "c", settings(video_size=0))[0].animation is not None


def test_an_interruption_leaves_nothing_that_looks_whole(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clips(recording, tmp_path, settings())
    read = Recording.frame
    rows: list[int] = []

    def frame(self: Recording, row: int) -> NDArray[np.uint8]:
        rows.append(row)
        if len(rows) > 60:
            raise KeyboardInterrupt
        return read(self, row)

    monkeypatch.setattr(Recording, "frame", frame)
    with pytest.raises(KeyboardInterrupt):
        make_clips(recording, tmp_path, settings(seed=9))
    assert not (tmp_path / "clips.json").exists()
    assert not list(tmp_path.glob("*.tmp"))


def test_the_command_makes_clips_of_a_recording(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--frames", "24", "--min-shot", "3", "--video-size", "64", "--animation-size", "0", "--overlay"]
    main(["clips", str(recording.path), "--out", str(tmp_path / "c"), *words])
    said = capsys.readouterr()
    assert said.out.split() == [str(tmp_path / "c" / f"cluster_{cluster}.mp4") for cluster in range(3)]
    assert "cluster 3 is 24 frames short: it has none" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--success-fraction", "2"], "success_fraction: not one of 16 episodes has a return above 20"),
        (["--resume"], "is a recording, which is not played; leave --resume out"),
        (["--num-levels", "3"], "leave --num-levels out"),
        (["--max-shot", "4"], "max_shot: got 4, expected at least min_shot = 5"),
        (["--video-size", "65"], "video_size: got 65"),
        (["--video-size", "0", "--animation-size", "0"], "nothing to write"),
        (["--frames", "0"], "frames: got 0"),
        (["--max-steps", "0"], "max_steps: got 0"),
    ],
)
def test_mistakes_are_one_line(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["clips", str(recording.path), "--out", str(tmp_path / "c"), *words])
    assert leaving.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "c").exists()


def test_an_incomplete_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_recording(tmp_path / "r", num_episodes=2).path
    description = json.loads((folder / "recording.json").read_text())
    (folder / "recording.json").write_text(json.dumps({**description, "complete": False}))
    with pytest.raises(SystemExit):
        main(["clips", str(folder), "--out", str(tmp_path / "c")])
    assert "is not complete" in capsys.readouterr().err


def test_titles_have_the_names_that_people_gave(recording: Recording, tmp_path: Path) -> None:
    written = Annotations(recording.path)
    entry = written.put_cluster(0, 'in the "air"; $x <b>', "a note", "Ada", 0)
    assert entry
    try:
        clips = make_clips(recording, tmp_path / "clips", settings(frames=16))
    finally:
        written.path.unlink()
    assert clips[0].title == 'cluster 0: in the "air"; $x <b>'
    assert clips[1].title == "cluster 1"
    listed = json.loads((tmp_path / "clips" / "clips.json").read_text())["clips"]
    assert [item["name"] for item in listed[:2]] == ['in the "air"; $x <b>', ""]
    assert clips[0].mp4
    assert b'in the "air"; $x <b>' in clips[0].mp4.read_bytes()
    assert clips[0].animation
    with Image.open(clips[0].animation) as image:
        assert title_of(image).endswith(', cluster 0: in the "air"; $x <b>')


def test_a_gif_has_its_title_as_a_comment(recording: Recording, tmp_path: Path) -> None:
    clips = make_clips(recording, tmp_path / "clips", settings(frames=16, format="gif"))
    assert clips[1].animation
    with Image.open(clips[1].animation) as image:
        assert image.info["comment"].endswith(b", cluster 1")


def test_clips_that_are_encoded_at_once_are_those_encoded_one_by_one(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, threads in (("one", 1), ("many", 8)):
        monkeypatch.setattr(make, "num_cores", lambda threads=threads: threads)
        make_clips(recording, tmp_path / name, settings())
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "many").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_when_a_clip_fails_the_others_end_and_leave_nothing_unfinished(recording: Recording, tmp_path: Path) -> None:
    def damaged(_: int) -> None:
        raise UserError("this picture is damaged")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "frame", damaged)
        with pytest.raises(UserError, match="this picture is damaged"):
            make_clips(recording, tmp_path / "c", settings())
    assert not (tmp_path / "c").exists()
