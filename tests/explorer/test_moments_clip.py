"""A clip of what is played or of a list: its frames are those states, in their order, in each format."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from semantic_rl.clips.encode import is_clip
from semantic_rl.recording.store import Recording

from .conftest import TestClient, get


def test_a_clip_shows_the_states_of_each_part(client: TestClient, real_recording: Recording) -> None:
    response = get(client, "/api/a/moments?parts=3-6,40-41&title=failures")
    assert response.headers["content-type"] == "image/webp"
    assert b"failures" in response.content
    pictures = [
        np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(response.content)))
    ]
    assert len(pictures) == 6
    for picture, row in zip(pictures, (3, 4, 5, 6, 40, 41), strict=True):
        frame = np.asarray(Image.fromarray(real_recording.frame(row)).resize((256, 256), Image.Resampling.NEAREST))
        middle = slice(80, 240)  # badges are above, the bar is below
        assert np.abs(picture[middle].astype(float) - frame[middle]).mean() < 6


@pytest.mark.parametrize(("form", "kind"), [("gif", "image/gif"), ("mp4", "video/mp4")])
def test_other_formats_are_clips_of_semantic_rl(client: TestClient, form: str, kind: str) -> None:
    response = get(client, f"/api/a/moments?parts=3-9&format={form}")
    assert response.headers["content-type"] == kind
    assert response.headers["content-disposition"] == f'attachment; filename="moments.{form}"'
    assert is_clip(response.content)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("parts=", 400, "expected two rows, as in 3-17"),
        ("parts=3-", 400, "expected two rows"),
        ("parts=9-3", 404, "in order"),
        ("parts=0-999999", 404, "expected rows from 0"),
        ("parts=0-900,0-900,0-900,0-900", 400, "too long; the most are 3,000"),
        ("parts=0-1&format=avi", 400, "expected webp, gif, mp4"),
    ],
)
def test_what_cannot_be_a_clip_is_refused_in_a_sentence(
    client: TestClient, query: str, status: int, words: str
) -> None:
    response = client.get(f"/api/a/moments?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]
