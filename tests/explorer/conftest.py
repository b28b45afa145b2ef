"""A recording of a real agent, the explorer's server before it, and small recordings whose truth is known."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from semantic_rl.config import RecordConfig
from semantic_rl.explorer.dataset.dataset import Explored, Settings
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server.routes import make_app
from semantic_rl.recording.record import record
from semantic_rl.recording.store import Recording, open_recording

from ..recording.synthetic import make_recording

with warnings.catch_warnings():
    # Later versions of Starlette would rather have httpx2, earlier ones do not know it; both take httpx.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SETTINGS = Settings(max_points=1_000_000, tsne_states=30_000, perplexity=30.0, seed=0)
ADDRESS = "http://127.0.0.1:8765"
WRITE = {"X-Semantic-RL": "1"}


@pytest.fixture(scope="session")
def real_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """About 1,500 states of the SPPO CoinRun agent that ships with the package, with pictures; the same everywhere."""
    out = tmp_path_factory.mktemp("recordings") / "coinrun"
    settings = RecordConfig(
        agent=Path("sppo-coinrun"), out=out, states=1_500, frame_size=128, device="cpu", precision="fp32", num_threads=1
    )
    return open_recording(record(settings))


@pytest.fixture(scope="session")
def real_view(real_recording: Recording) -> RecordingView:
    """The real recording in the explorer."""
    return RecordingView(Explored(real_recording, SETTINGS), "Ada")


@pytest.fixture(scope="session")
def client(real_view: RecordingView) -> TestClient:
    """A browser's way to the real recording."""
    return TestClient(make_app([real_view]), ADDRESS)


@pytest.fixture
def make_view(tmp_path: Path) -> Callable[..., RecordingView]:
    """Make a view of a recording that is made for the occasion."""
    count = 0

    def make(settings: Settings = SETTINGS, id: str = "a", **kinds: Any) -> RecordingView:
        nonlocal count
        count += 1
        return RecordingView(Explored(make_recording(tmp_path / f"recording-{count}", **kinds), settings, id), "Ada")

    return make


def client_of(*views: RecordingView) -> TestClient:
    """A browser's way to some views."""
    return TestClient(make_app(views), ADDRESS)


def get(client: TestClient, path: str, **options: Any) -> Response:
    """Ask until what is under way is there."""
    for _ in range(600):
        response = client.get(path, **options)
        if response.status_code != 202:
            return response
        assert set(response.json()) == {"progress"}
        time.sleep(0.05)
    raise AssertionError(f"{path} is not ready after {600 * 0.05:.0f} s")


def ask_inside(client: TestClient, content: Any) -> Response:
    """Ask what is inside a selection until the answer is there."""
    return ask(client, "/api/a/inside", content)


def ask(client: TestClient, path: str, content: Any) -> Response:
    """Ask a question until the answer is there."""
    for _ in range(100):
        response = client.post(path, json=content, headers=WRITE)
        if response.status_code != 202:
            return response
    raise AssertionError("there is no answer")


def get_json(client: TestClient, path: str) -> Any:
    """Ask for JSON that must be there."""
    response = get(client, path)
    assert response.status_code == 200, response.text
    return response.json()


def meta_of(client: TestClient) -> dict[str, Any]:
    """Return the description of the first recording."""
    return get_json(client, "/api/recordings")["recordings"][0]
