"""Makes the explorer's pictures in docs/pictures: `python frontend/pictures.py RECORDING OTHER`.

RECORDING: of the CoinRun run that sppo-coinrun was packed from; OTHER: of sppo-coinrun itself. Needs Playwright, and
Chromium on the PATH. The recordings are copied; the names that the pictures show are written into a copy.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from semantic_rl.recording.store.annotations import Annotations

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
NAMES = {
    1: ("coin in sight", "The right wall, and mostly the coin, are in view."),
    3: ("on the ground, saws ahead", "The agent expects least here, and half of these episodes fail."),
    5: ("the way is clear", ""),
    6: ("start of a level", "The left wall is behind the agent."),
    7: ("high in the air", "Nothing but background; the ground is out of view."),
}
LASSO = ((150, 250), (310, 220), (390, 330), (330, 460), (190, 440), (140, 340))


def wait_for_frames(page: Any) -> None:
    """Wait until the pictures on the map, and those in the panel, have come."""
    page.wait_for_selector(".map[data-pictured]")
    page.wait_for_timeout(2500)


def map_and_player(page: Any) -> None:
    """Frames on the map, an episode in the player."""
    wait_for_frames(page)


def lasso(page: Any) -> None:
    """What is inside against the rest."""
    page.keyboard.down("Shift")
    page.mouse.move(*LASSO[0])
    page.mouse.down()
    for x, y in (*LASSO[1:], LASSO[0]):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_selector(".differences")
    page.wait_for_timeout(1500)


def rest(page: Any) -> None:
    """Nothing but waiting."""
    page.wait_for_timeout(4000)


SHOTS: tuple[tuple[str, str, str, Any], ...] = (
    ("explorer_map", "#frames=1&e=9&s=12", "light", map_and_player),
    ("explorer_lasso", "#color=value", "light", lasso),
    ("explorer_transitions", "#panel=transitions&theme=dark", "dark", rest),
    ("explorer_failures", "#panel=show&list=failures:2&color=value&theme=dark", "dark", rest),
    ("explorer_compare", "#panel=compare", "light", rest),
)


def main(recording: Path, other: Path) -> None:
    """Serve copies of the recordings and take all pictures."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as driver:
        copies = [Path(temporary) / name for name in ("as-trained", "as-shipped")]
        for source, copy in zip((recording, other), copies, strict=True):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("annotations.json"))
        notes = Annotations(copies[0])
        for cluster, (name, note) in NAMES.items():
            notes.put_cluster(cluster, name=name, note=note, author="semantic-rl", seen=0)
        path = shutil.which("chromium") or shutil.which("google-chrome")
        flags = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
        browser = driver.chromium.launch(executable_path=path, args=flags)
        for name, place, theme, act in SHOTS:
            recordings = copies if "compare" in name else copies[:1]
            command = [sys.executable, "-m", "semantic_rl.cli", "explore", *map(str, recordings)]
            with subprocess.Popen(
                [*command, "--port", "0", "--no-browser"], stdout=subprocess.PIPE, text=True, encoding="utf-8"
            ) as server:
                assert server.stdout
                address = server.stdout.readline().split()[0]
                context = browser.new_context(
                    viewport={"width": 1280, "height": 760}, device_scale_factor=1.5, color_scheme=theme
                )
                context.add_init_script("localStorage.setItem('semantic-rl.first-steps', 'seen')")
                page = context.new_page()
                page.goto(address + place)
                page.wait_for_selector(".map[data-drawn]")
                page.wait_for_timeout(1500)
                act(page)
                target = PICTURES / f"{name}.webp"
                Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(target, quality=88, method=6)
                print(target, target.stat().st_size // 1000, "kB")
                context.close()
                server.terminate()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
