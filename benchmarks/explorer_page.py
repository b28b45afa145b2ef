"""How quick the explorer's page is in a browser that draws in software, and how large its file; against our bounds.

    python benchmarks/explorer_page.py RECORDING [RECORDING ...] [--no-export] [--shots FOLDER]

All bounds are measured with two recordings, of 25,000 states and of a million (`benchmarks/large_recording.py`), while
the machine does nothing else.

Drives the real page in headless Chromium at 1280×720 with `--use-angle=swiftshader --enable-unsafe-swiftshader`, before
a real server on this machine. Prints a table as Markdown: the median and the worst of several repetitions, and whether
they keep to the bound. The exit code is 0 whether or not they do, and 1 if it cannot be measured.

How times are taken, all by the browser's own clock:
- Points are drawn when the graphics process says so: a fence (WebGLSync) is set after each drawing command and looked
  at until it has been passed. A large map is drawn in parts; `first points` is the first part, `all points` the last.
- A frame is shown in the task after the animation frame in which its canvas was painted (its `data-row` changed).
- The dwell ends, and a click begins, with the page's marks `rested` and `click`.
- The heap is what Chromium's own garbage collector leaves of the page's objects and arrays, after every panel has been
  open, filters and colours have changed, and another plane has been shown; and, as it is then, with what it has not
  collected yet.
- A zoom step is a notch of the wheel; a switch of planes is a click on FDR or PCA, after both have been shown once.
"""

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

SOURCE = Path(__file__).resolve().parent.parent / "src"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SOFTWARE_RENDERING = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE = {"width": 1280, "height": 720}
REPETITIONS = 7
PATIENCE = 60.0
"""Seconds."""
FEW_STATES = 50_000
"""Up to so many the bound of 25,000 states counts, beyond it that of a million."""
PROBE = """(() => {
    const probe = window.probe = { drawn: [], frames: [], pending: 0 };
    const watch = (gl) => {
        const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
        probe.pending++;
        const look = () => {
            if (gl.isContextLost()) return;
            if (gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) {
                probe.drawn.push(performance.now());
                probe.pending--;
                gl.deleteSync(fence);
            } else setTimeout(look, 1);
        };
        setTimeout(look, 1);
    };
    for (const name of ["drawElements", "drawArrays"]) {
        const draw = WebGL2RenderingContext.prototype[name];
        WebGL2RenderingContext.prototype[name] = function (...how) {
            draw.apply(this, how);
            watch(this);
        };
    }
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            if (!target.matches(".card canvas, .player .screen canvas")) continue;
            const row = Number(target.dataset.row), where = target.closest(".player") ? "player" : "card";
            requestAnimationFrame(() => setTimeout(() => probe.frames.push({ where, row, at: performance.now() })));
        }
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-row"] });
})()"""


class Measured(NamedTuple):
    """One row of the table."""

    what: str
    values: list[float]
    unit: str
    bound: float | None = None

    def row(self, about: str) -> str:
        """Write it in Markdown."""
        digits = 0 if self.unit == "ms" else 2
        median, worst = statistics.median(self.values), max(self.values)
        shown = f"| {about} | {self.what} | {median:,.{digits}f} {self.unit} | {worst:,.{digits}f} {self.unit} |"
        if self.bound is None:
            return f"{shown} {len(self.values)} | | |"
        verdict = "met" if worst <= self.bound else "median met, worst not" if median <= self.bound else "MISSED"
        return f"{shown} {len(self.values)} | {self.bound:g} {self.unit} | {verdict} |"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--no-export", dest="export", action="store_false", help="leave out the page in one file")
    parser.add_argument("--shots", type=Path, help="folder for a screenshot of each page")
    arguments = parser.parse_args()
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if chromium is None:
        sys.exit(f"no Chromium on PATH ({', '.join(CHROMIUM)})")
    print("| recording | what | median | worst | of | bound | |\n| --- | --- | ---: | ---: | ---: | ---: | --- |")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=SOFTWARE_RENDERING)
        for recording in arguments.recordings:
            count = json.loads((recording / "recording.json").read_text(encoding="utf-8"))["counts"]["states"]
            show = Table(f"{count:,} states", arguments.shots)
            measure_page(browser, recording, count, show)
            if arguments.export:
                measure_export(browser, recording, count, show)


class Table:
    """Prints rows as they come, and keeps pictures of pages."""

    def __init__(self, about: str, shots: Path | None) -> None:
        self._about = about
        self._shots = shots

    def __call__(self, what: str, values: list[float], unit: str, bound: float | None = None) -> None:
        """Print a row."""
        print(Measured(what, values, unit, bound).row(self._about), flush=True)

    def keep(self, page: Page, name: str) -> None:
        """Keep a picture of a page."""
        if self._shots is not None:
            self._shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self._shots / f"{self._about.replace(' ', '-').replace(',', '')}-{name}.png")


def measure_page(browser: Browser, recording: Path, count: int, show: Table) -> None:
    """Measure the live page."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "semantic_rl.cli", "explore", str(recording), "--no-browser", "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            found = re.match(r"(http://\S+)", process.stdout.readline())
            if found is None:
                sys.exit("the server did not start")
            show("server's start, to its address", [time.perf_counter() - begun], "s")
            time.sleep(5)  # what the server prepares in the background shall not be in the way
            wait_for_planes(found[1])
            measure_first_paint(lambda: open_page(browser, found[1]), count, show)
            page = open_page(browser, found[1])
            measure_use(page, show)
            measure_heap(page, show)
            show.keep(page, "page")
            page.context.close()
            show("server's memory, at most", [memory(process.pid)], "MB")
        finally:
            process.kill()


def wait_for_planes(address: str) -> None:
    """Have the projection by PCA and the cards computed: a page asks for them, but measured is what it does itself."""
    for path in ("api/a/column/pca", "api/a/clusters"):
        while True:
            with urllib.request.urlopen(address + path) as response:
                if response.status == 200:
                    break
            time.sleep(0.2)


def measure_first_paint(visit: Callable[[], Page], count: int, show: Table, name: str = "", most: int = 5) -> None:
    """Measure how long it takes from the navigation to the points; each time in a browser that keeps nothing."""
    first: list[float] = []
    whole: list[float] = []
    for _ in range(most):
        page = visit()
        found = page.evaluate("probe.drawn[0]"), last_drawing(page)
        first.append(found[0] / 1000)
        whole.append(found[1] / 1000)
        page.context.close()
    show(f"{name}navigation to first points", first, "s", 1.0 if count <= FEW_STATES else None)
    show(f"{name}navigation to all points", whole, "s", None if count <= FEW_STATES else 2.5)


def open_page(browser: Browser, address: str, **options: Any) -> Page:
    """Open the page, and wait until its points are drawn."""
    context = browser.new_context(viewport=SIZE, **options)
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(PROBE)
    context.add_init_script("localStorage.setItem('semantic-rl.first-steps', 'seen')")
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".map[data-drawn]")
    last_drawing(page)
    return page


def last_drawing(page: Page, quiet: float = 400) -> float:
    """Return when the last points were drawn, once nothing has been or is being drawn for so many milliseconds."""
    while True:
        last, now, pending = page.evaluate("[probe.drawn.at(-1) ?? 0, performance.now(), probe.pending]")
        if last and not pending and now - last > quiet:
            return last
        page.wait_for_timeout(50)


def measure_use(page: Page, show: Table) -> None:
    """Measure pointing, clicking, zooming, moving from one plane to the other, and filtering."""
    places = states_on_the_map(page, 3 * REPETITIONS)
    hovers = [time_hover(page, place) for place in places[:REPETITIONS]]
    show("hover: end of the dwell to its frame", hovers, "ms", 60)
    first, moving = zip(*(time_click(page, place) for place in places[REPETITIONS:]), strict=True)
    show("click to the first frame", list(first), "ms")
    show("click to playing (a second frame)", list(moving), "ms", 200)
    page.keyboard.press("Escape")
    last_drawing(page)
    for name, direction in (("in", -1), ("out", 1)):
        first, whole = zip(*(time_zoom(page, places[at], direction) for at in range(5)), strict=True)
        show(f"zoom {name}: to first points", list(first), "ms")
        show(f"zoom {name}: to all points", list(whole), "ms")
    for plane in ("PCA", "FDR"):
        time_switch(page, plane)
    switches = [time_switch(page, plane) for plane in ("PCA", "FDR") * 2]
    show("switch of planes: to rest", [total for total, _ in switches], "ms")
    show("switch of planes: between images", [total / max(images, 1) for total, images in switches], "ms")
    time_filter(page, 50)  # its columns are fetched
    known, drawn = zip(*(time_filter(page, 20 + 8 * at) for at in range(REPETITIONS)), strict=True)
    show("filter: to what passes", list(known), "ms", 100)
    show("filter: to all points", list(drawn), "ms")


def states_on_the_map(page: Page, count: int) -> list[tuple[float, float]]:
    """Find places on the map, far from each other, at which a state is pointed at."""
    box = page.locator(".map").bounding_box()
    assert box is not None
    rng = random.Random(0)
    found: list[tuple[float, float]] = []
    for _ in range(100 * count):
        place = (
            box["x"] + box["width"] * rng.uniform(0.2, 0.8),
            box["y"] + box["height"] * rng.uniform(0.15, 0.8),
        )
        page.mouse.move(box["x"] + 3, box["y"] + 3)
        page.mouse.move(*place)
        page.wait_for_timeout(30)
        if page.query_selector(".ring") is not None:
            found.append(place)
        if len(found) == count:
            break
    if len(found) < count:
        sys.exit("there are too few states on the map to point at")
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.wait_for_timeout(1000)
    return found


def time_hover(page: Page, place: tuple[float, float]) -> float:
    """Return how many milliseconds after the dwell the frame is there."""
    page.evaluate("probe.frames.length = 0; performance.clearMarks()")
    page.mouse.move(*place)
    answer = "probe.frames.find(({ where }) => where === 'card')?.at"
    shown = ask_until(page, answer)
    rested = page.evaluate("performance.getEntriesByName('rested').at(-1).startTime")
    page.mouse.move(5, SIZE["height"] - 5)
    page.wait_for_timeout(600)  # the card closes, and the next dwell is a whole one
    return shown - rested


def time_click(page: Page, place: tuple[float, float]) -> tuple[float, float]:
    """Return how many milliseconds after the click a first and a second frame are shown."""
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    page.mouse.move(*place)
    page.evaluate("probe.frames.length = 0; performance.clearMarks()")
    page.mouse.click(*place)
    frames = "probe.frames.filter(({ where }) => where === 'player')"
    second = ask_until(page, f"{frames}.find(({{ row }}, at, all) => at && row !== all[0].row)?.at")
    first, clicked = page.evaluate(f"[{frames}[0].at, performance.getEntriesByName('click').at(-1).startTime]")
    return first - clicked, second - clicked


def time_zoom(page: Page, place: tuple[float, float], direction: int) -> tuple[float, float]:
    """Return how many milliseconds after a notch of the wheel the first and the last points are drawn."""
    page.mouse.move(*place)
    page.wait_for_timeout(300)
    begun = listen(page, "wheel")
    page.mouse.wheel(0, direction * 100)
    ask_until(page, "probe.drawn.length")
    last = last_drawing(page)
    began, first = page.evaluate(f"[{begun}, probe.drawn[0]]")
    return first - began, last - began


def time_switch(page: Page, plane: str) -> tuple[float, int]:
    """Return how many milliseconds a move to another plane takes, and how many images there are on the way."""
    begun = listen(page, "click")
    page.click(f'.segments button:text-is("{plane}")')
    page.wait_for_selector(f'.map[data-plane="{plane.lower()}"]')
    ask_until(page, "probe.drawn.length")
    last = last_drawing(page)
    began, images = page.evaluate(f"[{begun}, probe.drawn.length]")
    return last - began, images


def time_filter(page: Page, percent: int) -> tuple[float, float]:
    """Return how many milliseconds after a new filter it is known what passes, and all points are drawn."""
    page.evaluate(
        """percent => {
            probe.drawn.length = 0;
            performance.clearMarks("filtered");
            probe.began = performance.now();
            location.hash = location.hash.replace(/&filter=[^&]*/g, "") + `&filter=time%20%3C%20${percent}%25`;
        }""",
        percent,
    )
    ask_until(page, "performance.getEntriesByName('filtered').length")
    last = last_drawing(page)
    began, known = page.evaluate("[probe.began, performance.getEntriesByName('filtered').at(-1).startTime]")
    return known - began, last - began


def measure_heap(page: Page, show: Table) -> None:
    """Measure the page's memory while each panel is open, and after colours, filters and planes have changed."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    kept: list[float] = []
    before: list[float] = []

    def look() -> None:
        page.wait_for_timeout(1500)
        before.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
        session.send("HeapProfiler.collectGarbage")
        found = session.send("Runtime.getHeapUsage")
        kept.append((found["usedSize"] + found.get("backingStorageSize", 0)) / 1e6)

    page.evaluate("location.hash = ''")
    for name in page.evaluate("[...document.querySelectorAll('[role=tab]')].map(({ id }) => id)"):
        page.click(f"#{name}")
        look()
    for color in ("value", "action", "uncertainty"):
        page.evaluate(f"location.hash = '#panel=filter&color={color}&filter=time%20%3C%2050%25&filter=value%20%3E%200'")
        look()
    page.evaluate("location.hash = '#plane=pca'")
    look()
    show("heap, after collecting garbage", [max(kept)], "MB", 60)
    show("heap, with garbage", [max(before)], "MB")


def listen(page: Page, event: str) -> str:
    """Forget what was drawn, and note when an event next happens; returns the expression for that time."""
    note = "() => { probe.began = performance.now(); }, { capture: true, once: true }"
    page.evaluate(f"() => {{ probe.drawn.length = 0; addEventListener('{event}', {note}); }}")
    return "probe.began"


def ask_until(page: Page, expression: str) -> float:
    """Evaluate an expression until it is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = page.evaluate(expression)
        if found:
            return found
        page.wait_for_timeout(10)
    sys.exit(f"never true in the page: {expression}")


def memory(pid: int) -> float:
    """Return the most memory that a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024 / 1e6


def measure_export(browser: Browser, recording: Path, count: int, show: Table) -> None:
    """Measure the page in one file, without frames and with as many as it has by default."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with tempfile.TemporaryDirectory(dir=recording.resolve().parent) as folder:
        fresh = Path(folder) / "recording"  # planes that were computed before are not taken from the recording's folder
        shutil.copytree(recording, fresh, ignore=shutil.ignore_patterns("derived"), copy_function=os.link)
        command = [sys.executable, "-m", "semantic_rl.cli", "explore", str(fresh), "--export"]
        for name, frames in (("with frames", ()), ("without frames", ("--frames", "0"))):
            path = Path(folder) / f"{name.replace(' ', '-')}.html"
            begun = time.perf_counter()
            subprocess.run([*command, str(path), *frames], env=environment, check=True, stdout=subprocess.DEVNULL)
            about = "from the beginning" if name == "with frames" else "planes known"
            seconds = [time.perf_counter() - begun]
            show(f"export {name}, {about}: to write it", seconds, "s", 60 if name == "with frames" else None)
            show(f"export {name}: size", [path.stat().st_size / 1e6], "MB", None if name == "with frames" else 40)
            address = path.as_uri()
            visit = lambda address=address: open_page(browser, address, offline=True)  # noqa: E731
            measure_first_paint(visit, count, show, f"export {name}: ", 3)
            page = visit()
            show.keep(page, path.stem)
            page.context.close()


if __name__ == "__main__":
    main()
