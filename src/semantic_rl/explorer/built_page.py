"""The files of the built page in `static/`, and a placeholder if the page has not been built."""

from importlib.resources import files
from pathlib import Path

from semantic_rl.explorer.errors import Refusal

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
PAGE = "index.html"
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>semantic-rl explorer</title>
<p>The page has not been built: run <code>npm ci && npm run build</code> in <code>frontend/</code>. The data are there:
<a href="/api/recordings">/api/recordings</a>.</p></html>"""


def static_folder() -> Path:
    """Return the folder of the built page."""
    return Path(str(files("semantic_rl.explorer"))) / "static"


def read_static(name: str) -> tuple[bytes, str]:
    """Return a file of the built page and its media type; raises Refusal if there is no file of this name."""
    known = {path.name: path for path in static_folder().glob("*") if path.is_file()}
    path = known.get(name)
    if path is None or path.suffix not in MEDIA_TYPES:
        raise Refusal(404, f"there is no file '{name}'.")
    return path.read_bytes(), MEDIA_TYPES[path.suffix]


def read_page() -> tuple[bytes, str]:
    """Return the page, or a sentence in its place if it has not been built."""
    try:
        return read_static(PAGE)
    except Refusal:
        return NOT_BUILT.encode(), MEDIA_TYPES[".html"]
