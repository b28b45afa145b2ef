"""The explorer in a notebook: the same page in a frame."""

import re
from collections.abc import Callable

import httpx
import pytest

import semantic_rl
from semantic_rl.errors import UserError
from semantic_rl.explorer.recording_view import RecordingView


def test_a_recording_is_shown_in_a_frame_until_stopped(make_view: Callable[..., RecordingView]) -> None:
    recording = make_view().explored.recording
    shown = semantic_rl.explore(recording, height=500)
    try:
        frame = shown._repr_html_()
        address = re.findall(r'src="(http://127\.0\.0\.1:\d+/)"', frame)[0]
        assert 'height="500"' in frame
        response = httpx.get(address)
        assert response.status_code == 200
        assert "frame-ancestors http://localhost:*" in response.headers["content-security-policy"]
        assert httpx.get(f"{address}api/recordings").json()["recordings"][0]["name"] == recording.path.name
    finally:
        shown.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_two_folders_are_shown_side_by_side(make_view: Callable[..., RecordingView]) -> None:
    paths = [str(make_view(seed=seed).explored.recording.path) for seed in range(2)]
    shown = semantic_rl.explore(*paths)
    try:
        found = httpx.get(f"{shown.address}api/recordings").json()["recordings"]
        assert [meta["id"] for meta in found] == ["a", "b"]
    finally:
        shown.stop()


def test_what_is_no_recording_is_an_error() -> None:
    with pytest.raises(UserError, match="no such folder"):
        semantic_rl.explore("nowhere")
