"""The real page in Chromium, before the real server on a real agent's recording."""

import json
import shutil
from collections.abc import Callable, Generator
from typing import Any
from urllib.request import urlopen

import pytest

from semantic_rl.recording.store import Recording, open_recording

from ..test_run import serving

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SOFTWARE_RENDERING = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-compositing")
"""WebGL is drawn in software, and the page itself without it: slow machines would do nothing but draw."""
PATIENCE_MS = 30_000
"""A machine that does other work too must not fail a test: what is to become true is waited for so long."""
playwright.expect.set_options(timeout=PATIENCE_MS)

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Generator[Any]:
    """The system's Chromium, drawing in software."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium on PATH ({', '.join(CHROMIUM)}): install it, on Debian with .ci/chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=SOFTWARE_RENDERING)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def recording(real_recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A copy of the real agent's recording, in which notes may be written."""
    folder = tmp_path_factory.mktemp("explored") / "coinrun"
    shutil.copytree(real_recording.path, folder)
    return open_recording(folder)


@pytest.fixture(scope="session")
def address(recording: Recording) -> Generator[str]:
    """Where the recording is served."""
    with serving(str(recording.path), "--port", "0") as (_, address):
        yield address


@pytest.fixture(scope="session")
def meta(address: str) -> dict[str, Any]:
    """What the server says of the recording."""
    with urlopen(f"{address}api/recordings") as answer:
        return json.load(answer)["recordings"][0]


def is_complaint(said: Any) -> bool:
    """Say whether the console reports a fault of the page; the driver's hints on its own speed are none."""
    return said.type in ("error", "warning") and "GL Driver Message" not in said.text


@pytest.fixture
def open_page(browser: Any, address: str, recording: Recording) -> Generator[OpenPage]:
    """Open the page at a place; whatever it complained of fails the test, and no notes are left to the next one."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_it(
        place: str = "", base: str | None = None, drawn: bool = True, first_visit: bool = False, **options: Any
    ) -> Any:
        viewport = options.pop("viewport", {"width": 1280, "height": 720})
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        if not first_visit:
            context.add_init_script("localStorage.setItem('semantic-rl.first-steps', 'seen')")
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((base or address) + place)
        if drawn:
            page.wait_for_selector(".map[data-drawn]")
        return page

    open_it.complaints = complaints  # type: ignore[attr-defined]
    yield open_it
    for context in contexts:
        context.close()
    (recording.path / "annotations.json").unlink(missing_ok=True)
    assert not complaints
