"""Attack: requests of every kind to the explorer's server over real connections, several at once.

Each gets an answer in time, JSON with one sentence where it is refused, and none ends in 500; the server lives, takes
little memory, says nothing on stderr, and the recording's files stay as they are.
"""

import hashlib
import http.client
import json
import os
import random
import signal
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

from .children import SPARE_MEMORY, Verdict
from .examples import STRANGE_NUMBERS, STRANGE_TEXTS, apply, draw, edits_of_bytes, json_values
from .materials import copy_of
from .notes import serve
from .said import wrong_with

SECONDS = 10
AT_ONCE = 8
ALLOWED = {200, 201, 202, 303, 304, 400, 401, 403, 404, 405, 409, 411, 413, 414, 422, 431, 501, 503, 507}
METHODS = ("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X" * 20)
PATHS = (
    "/", "/static/app.js", "/static/{text}", "/api/recordings", "/api/compare", "/api/a/plane/{plane}",
    "/api/a/column/{column}", "/api/a/episodes", "/api/a/episode/{number}", "/api/a/frame/{number}",
    "/api/a/observation/{number}", "/api/a/frames/{number}/{number}", "/api/a/clusters", "/api/a/mean/{number}",
    "/api/a/transitions", "/api/a/transition/{number}/{number}", "/api/a/playlist/{playlist}", "/api/a/inside",
    "/api/a/inside-mean/{text}", "/api/a/rows", "/api/a/annotations", "/api/a/annotations/clusters/{number}",
    "/api/a/pictures", "/api/a/observations", "/api/a/near",
    "/api/a/annotations/selections", "/api/a/annotations/selections/{text}", "/api/{text}/frame/{number}", "/{text}",
)  # fmt: skip
COSTLY = ("/api/export", "/api/a/clip", "/api/a/events")
"""Asked for seldom."""
NAMES: dict[str, tuple[str, ...]] = {
    "plane": ("fdr", "pca", "nothing"),
    "column": ("fdr", "pca", "value", "episode", "cluster", "action", "nothing"),
    "playlist": ("failures", "successes", "longest", "surprises", "lookalikes", "nothing"),
}
HEADERS = (
    "X-Semantic-RL: 1", "X-Semantic-RL: 0", "Host: evil.example", "Host: [", "Host:", "Origin: http://evil.example",
    "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Range: bytes=0-1", "If-None-Match: *",
    "Cookie: a=b; semantic-rl=x; \"", "Expect: 100-continue", "Connection: close", "Upgrade: websocket",
    "Connection: upgrade", "Accept-Encoding: gzip", "X: " + "y" * 3_000, "Content-Type: text/plain",
)  # fmt: skip
KEYS = (
    "plane",
    "polygon",
    "selection",
    "name",
    "note",
    "author",
    "seen",
    "clusters",
    "of",
    "compare",
    "rest",
    "row",
    "by",
    "episodes",
)


class Request(NamedTuple):
    """Bytes to send, and whether they are a whole HTTP request."""

    data: bytes
    is_whole: bool
    method: str


def requests() -> st.SearchStrategy[Request]:
    """Requests to every route by every method, with strange parameters, headers and bodies."""
    number = st.one_of(st.integers(0, 200), st.sampled_from(STRANGE_NUMBERS)).map(str)
    text = st.one_of(st.sampled_from(STRANGE_TEXTS), st.text(max_size=8)).map(lambda text: quote(text[:300], safe=""))
    names = {name: st.one_of(st.sampled_from(values), text) for name, values in NAMES.items()}
    parts = st.fixed_dictionaries({"number": st.lists(number, min_size=2, max_size=2), "text": text, **names})
    path = st.one_of(*([st.sampled_from(PATHS)] * 30), st.sampled_from(COSTLY))
    query = st.lists(
        st.tuples(
            st.sampled_from(("limit", "format", "key", "frames", "id", "v", "rest", "seen", "token", "rows")), text
        ),
        max_size=2,
    )
    polygon = st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=3, max_size=6)
    asked = st.fixed_dictionaries(
        {"plane": st.sampled_from(("fdr", "pca")), "polygon": polygon, "seen": st.integers(0, 3)}
    )
    strange = st.dictionaries(st.sampled_from(KEYS), json_values(), max_size=4)
    body = st.one_of(
        st.just(b""),
        st.binary(max_size=30),
        st.one_of(asked, strange, st.tuples(asked, strange).map(lambda both: both[0] | both[1])).map(_encoded),
    )
    headers = st.lists(st.sampled_from(HEADERS), max_size=3)
    return st.builds(
        _request, st.sampled_from(METHODS), path, parts, query, headers, body, edits_of_bytes(), st.integers()
    )


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode(errors="replace")


def _request(
    method: str, path: str, parts: Any, query: Any, headers: list[str], body: bytes, edits: Any, number: int
) -> Request:
    for value in parts["number"]:
        path = path.replace("{number}", value, 1)
    for name in ("text", *NAMES):
        path = path.replace(f"{{{name}}}", parts[name])
    if query:
        path += "?" + "&".join(f"{name}={value}" for name, value in query)
    if method in ("POST", "PUT", "DELETE") and number % 8:
        headers = ["X-Semantic-RL: 1", *(header for header in headers if not header.startswith("X-Sem"))]
    own_host = [] if any(header.startswith("Host") for header in headers) else ["Host: 127.0.0.1"]
    if body or method in ("POST", "PUT"):
        headers = [*headers, f"Content-Length: {len(body)}"]
    lines = [f"{method} {path} HTTP/1.1", *own_host, *headers, "", ""]
    data = "\r\n".join(lines).encode() + body
    is_whole = number % 5 != 0
    return Request(data if is_whole else apply(edits, data), is_whole, method)


def attack(name: str, seed: int, count: int, materials: Path, folder: Path) -> list[Verdict]:
    """Send so many requests; return what was wrong with the answers, and at last with the server."""
    recording = copy_of(materials / "recording", folder)
    inputs = draw(requests(), seed, count)
    random.Random(seed).shuffle(inputs)
    before = _fingerprint(recording)
    process, port = serve(recording, folder)
    memory = _memory(process.pid)

    def ask(index: int) -> Verdict:
        wrong = _ask(port, inputs[index])
        return Verdict(index, wrong and f"{wrong} ← {inputs[index].data[:200]!r}")

    with ThreadPoolExecutor(AT_ONCE) as clients:
        verdicts = list(clients.map(ask, range(len(inputs))))
    taken = _memory(process.pid) - memory
    os.kill(process.pid, signal.SIGINT)
    said = process.wait(SECONDS)
    wrong = wrong_with(said, SECONDS) or (f"it says {said.err[:500]!r}" if said.err else None)
    if wrong is None and taken > SPARE_MEMORY:
        wrong = f"it takes {taken / 2**30:.1f} GB more"
    if wrong is None and _fingerprint(recording) != before:
        wrong = "the recording's files have changed"
    return [*verdicts, *([Verdict(-1, f"the server: {wrong}")] if wrong else [])]


def _ask(port: int, request: Request) -> str | None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no wait when closed
        connection.settimeout(SECONDS if request.is_whole else 0.05)
        answer = http.client.HTTPResponse(connection, method=request.method)
        try:
            connection.sendall(request.data)
            answer.begin()
            content = b"" if answer.getheader("Content-Type", "").startswith("text/event") else answer.read()
        except TimeoutError:
            return f"no answer in {SECONDS} s" if request.is_whole else None
        except (OSError, http.client.HTTPException) as error:
            return f"no answer: {error!r}" if request.is_whole else None
        finally:
            answer.close()
    return _wrong_with_answer(answer, content, request.method)


def _wrong_with_answer(answer: http.client.HTTPResponse, content: bytes, method: str) -> str | None:
    if answer.status not in ALLOWED:
        return f"status {answer.status}: {content[:200]!r}"
    if answer.status < 400 or method == "HEAD" or not content:
        return None
    try:
        sentence = json.loads(content)["error"]
        return None if sentence and "\n" not in sentence else f"no sentence: {content[:200]!r}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status} without JSON: {content[:200]!r}"


def _memory(process: int) -> int:
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024


def _fingerprint(recording: Path) -> dict[str, str]:
    """Return what a server must not change: all but notes and what is computed."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(recording.rglob("*"))
        if path.is_file() and "derived" not in path.parts and "annotations" not in path.name
    }
