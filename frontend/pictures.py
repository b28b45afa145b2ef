"""Makes the explorer's pictures in docs/pictures, and example exports: `python frontend/pictures.py`.

    python frontend/pictures.py                    # the pictures of docs/explorer.md and the README
    python frontend/pictures.py --exports FOLDER   # one file of each agent that ships, of at most 3 MB

The recordings that this needs are made in recordings/pictures, and used again the next time. Needs Playwright, and
Chromium on the PATH. The names that the pictures show are written into a copy.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from semantic_rl.agents.shipped import shipped_agents
from semantic_rl.recording.store.annotations import Annotations

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
RECORDINGS = ROOT / "recordings" / "pictures"
AGENT = "sppo-coinrun"
OTHER_LEVELS = ("--num-levels", "1000", "--start-level", "100000")
MOST_EXPORTED_BYTES = 3_000_000
NAMES = {
    1: ("coin in sight", "The right wall, and mostly the coin, are in view."),
    3: ("on the ground, saws ahead", "The agent expects least here, and half of these episodes fail."),
    5: ("the way is clear", ""),
    6: ("start of a level", "The left wall is behind the agent."),
    7: ("high in the air", "Nothing but background; the ground is out of view."),
}
LASSO = ((150, 250), (310, 220), (390, 330), (330, 460), (190, 440), (140, 340))


def semantic_rl(*words: str) -> list[str]:
    """Return a command line of the package in this environment."""
    return [sys.executable, "-m", "semantic_rl.cli", *words]


def recorded(name: str, agent: str, *flags: str) -> Path:
    """Return a recording of 5,000 states of an agent that ships, which is made if it is not there."""
    folder = RECORDINGS / name
    begun = ("--resume",) if (folder / "recording.json").is_file() else ()
    words = ("record", agent, "--states", "5000", "--seed", "1", "--out", str(folder), *flags, *begun)
    subprocess.run(semantic_rl(*words), check=True)
    return folder


def wait_for_frames(page: Any) -> None:
    """Wait until the pictures on the map, and those in the panel, have come."""
    page.wait_for_selector(".map[data-pictured]")
    page.wait_for_timeout(2500)


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


def choose_a_near_one(page: Any) -> None:
    """One of the nearest states beside the one that they are near to."""
    page.wait_for_selector(".tile canvas[data-state=shown]")
    page.focus(".sheet")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".difference[data-state=shown]")
    page.wait_for_timeout(1500)


SHOTS: tuple[tuple[str, str, str, Callable[[Any], None]], ...] = (
    ("explorer_map", "#frames=1&e=9&s=12", "light", wait_for_frames),
    ("explorer_filter", "#panel=filter&color=value&filter=value+%3E+8&filter=action+%3D%3D+%22right+up%22", "light", rest),
    ("explorer_lasso", "#color=value", "light", lasso),
    ("explorer_states", "#panel=states&of=cluster:1&sort=-value&group=episode&size=84&wide=1", "light", rest),
    ("explorer_nearest", "#panel=states&of=near:400&size=64&theme=dark", "dark", choose_a_near_one),
    ("explorer_episodes", "#panel=episodes&order=length&paths=9,12", "light", rest),
    ("explorer_transitions", "#panel=transitions&theme=dark", "dark", rest),
    ("explorer_failures", "#panel=show&list=failures:2&color=value&theme=dark", "dark", rest),
    ("explorer_compare", "#panel=compare", "light", rest),
)  # fmt: skip


def picture(browser: Any, recordings: list[Path], place: str, theme: str, act: Callable[[Any], None]) -> bytes:
    """Serve recordings and return a screenshot of their page."""
    command = semantic_rl("explore", *map(str, recordings), "--port", "0", "--no-browser")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as server:
        assert server.stdout
        address = server.stdout.readline().split()[0]
        context = browser.new_context(
            viewport={"width": 1280, "height": 760}, device_scale_factor=1.5, color_scheme=theme
        )
        page = context.new_page()
        page.add_init_script("localStorage.setItem('semantic-rl.first-steps', 'seen')")
        page.goto(address + place)
        page.wait_for_selector(".map[data-drawn]")
        page.wait_for_timeout(1500)
        act(page)
        found: bytes = page.screenshot()
        context.close()
        server.terminate()
    return found


def make_pictures(chosen: list[str]) -> None:
    """Take the pictures, or those of these names."""
    sources = [recorded("coinrun", AGENT), recorded("coinrun-other-levels", AGENT, *OTHER_LEVELS)]
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as driver:
        copies = [Path(temporary) / source.name for source in sources]
        for source, copy in zip(sources, copies, strict=True):
            shutil.copytree(source, copy)
        notes = Annotations(copies[0])
        for cluster, (name, note) in NAMES.items():
            notes.put_cluster(cluster, name=name, note=note, author="semantic-rl", seen=0)
        path = shutil.which("chromium") or shutil.which("google-chrome")
        flags = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
        browser = driver.chromium.launch(executable_path=path, args=flags)
        for name, place, theme, act in SHOTS:
            if chosen and name not in chosen:
                continue
            content = picture(browser, copies if "compare" in name else copies[:1], place, theme, act)
            target = PICTURES / f"{name}.webp"
            Image.open(io.BytesIO(content)).convert("RGB").save(target, quality=82, method=6)
            print(target, target.stat().st_size // 1000, "kB")
        browser.close()


def make_exports(folder: Path) -> None:
    """Write an example export of each agent that ships, with as many frames as keep it below the limit."""
    folder.mkdir(parents=True, exist_ok=True)
    for agent in shipped_agents():
        recording, target = recorded(f"export-{agent.name}", agent.name), folder / f"{agent.name}.html"
        num_frames = 2000
        while num_frames:
            target.unlink(missing_ok=True)
            subprocess.run(
                semantic_rl("explore", str(recording), "--export", str(target), "--frames", str(num_frames)), check=True
            )
            if target.stat().st_size <= MOST_EXPORTED_BYTES:
                break
            num_frames = int(0.9 * num_frames * MOST_EXPORTED_BYTES / target.stat().st_size)
        print(target, target.stat().st_size // 1000, "kB with", num_frames, "frames")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exports", type=Path, metavar="FOLDER", help="write example exports there instead")
    parser.add_argument("names", nargs="*", help="only these pictures, such as explorer_map")
    arguments = parser.parse_args()
    if arguments.exports is not None:
        make_exports(arguments.exports)
    else:
        make_pictures(arguments.names)


if __name__ == "__main__":
    main()
