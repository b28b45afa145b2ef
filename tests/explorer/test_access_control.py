"""Who is answered: the page itself and nobody else's page."""

import os
from collections.abc import Callable

import pytest

from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.server.access_control import Policy
from semantic_rl.explorer.server.routes import make_app

from .conftest import ADDRESS, WRITE, TestClient, client_of

NAME = {"name": "x", "seen": 0}
CLUSTER = "/api/a/annotations/clusters/0"


@pytest.fixture
def view(make_view: Callable[..., RecordingView]) -> RecordingView:
    return make_view()


@pytest.fixture
def page(view: RecordingView) -> TestClient:
    return TestClient(make_app([view]), ADDRESS)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "localhost:9", "[::1]:8765", "LOCALHOST:8765"])
def test_this_machines_own_names_are_answered_to(page: TestClient, host: str) -> None:
    assert page.get("/api/recordings", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1:8765", "", "[::1", "@"]
)
def test_a_name_that_was_pointed_here_is_refused(page: TestClient, host: str) -> None:
    for path in ("/", "/api/recordings", "/api/a/frame/0", "/static/app.js"):
        response = page.get(path, headers={"Host": host})
        assert response.status_code == 403
        assert "does not answer to the name" in response.json()["error"]


def test_a_change_needs_the_header(page: TestClient) -> None:
    for headers in ({}, {"X-Semantic-RL": "0"}):
        response = page.put(CLUSTER, json=NAME, headers=headers)
        assert response.status_code == 403
        assert "X-Semantic-RL" in response.json()["error"]
    assert page.put(CLUSTER, json=NAME, headers=WRITE).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:8765", "https://127.0.0.1:8765", "http://127.0.0.1:1"]
)
def test_another_origin_may_change_nothing(page: TestClient, method: str, origin: str) -> None:
    response = page.request(method, CLUSTER, json=NAME, headers={**WRITE, "Origin": origin})
    assert response.status_code == 403
    assert "another page" in response.json()["error"]


def test_the_pages_own_origin_may(page: TestClient) -> None:
    assert page.put(CLUSTER, json=NAME, headers={**WRITE, "Origin": ADDRESS}).status_code == 200


def test_a_preflight_is_never_granted(page: TestClient) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    response = page.options(CLUSTER, headers={**asked, "Access-Control-Request-Headers": "x-semantic-rl"})
    assert response.status_code in (403, 405)
    assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_comes_from_another_page_is_refused(page: TestClient, site: str) -> None:
    embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    for path in ("/api/a/frame/0", "/api/export", "/", "/static/app.js"):
        assert page.get(path, headers=embedded).status_code == 403
    visit = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert page.get("/", headers=visit).status_code == 200, "a link to the page may be followed"
    assert page.get("/api/a/frame/0", headers=visit).status_code == 403
    assert page.get("/api/a/frame/0", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_every_answer_says_what_the_page_may_do(page: TestClient) -> None:
    for path in ("/", "/api/recordings", "/nothing", "/api/a/frame/99999"):
        headers = page.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert "content-security-policy" in page.get("/", headers={"Host": "evil.example"}).headers


def test_a_notebook_may_frame_the_page_if_asked(view: RecordingView) -> None:
    page = TestClient(make_app([view], Policy(framed_by=("http://localhost:*",))), ADDRESS)
    assert "frame-ancestors http://localhost:*" in page.get("/").headers["content-security-policy"]


@pytest.fixture
def guarded(view: RecordingView) -> TestClient:
    """A server that others can reach."""
    return TestClient(make_app([view], Policy(token="s3cret")), "http://lab.example:8765", follow_redirects=False)


def test_without_the_token_nothing_is_answered(guarded: TestClient) -> None:
    for path in ("/", "/api/recordings", "/api/a/frame/0", "/static/app.js", "/?token=wrong", "/?token="):
        response = guarded.get(path)
        assert response.status_code == 401
        assert "token" in response.json()["error"]
        assert "set-cookie" not in response.headers
    assert guarded.put(CLUSTER, json=NAME, headers=WRITE).status_code == 401
    assert guarded.put(f"{CLUSTER}?token=s3cret", json=NAME, headers=WRITE).status_code == 401


def test_the_token_becomes_a_cookie_and_leaves_the_address(guarded: TestClient) -> None:
    response = guarded.get("/?token=s3cret&theme=dark")
    assert response.status_code == 303
    assert response.headers["location"] == "/?theme=dark"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/api/recordings").status_code == 200
    assert guarded.put(CLUSTER, json=NAME, headers=WRITE).status_code == 200
    foreign = {**WRITE, "Origin": "http://evil.example"}
    assert guarded.put(CLUSTER, json=NAME, headers=foreign).status_code == 403, "the cookie alone is not enough"


def test_the_way_back_from_the_token_leads_nowhere_else(guarded: TestClient) -> None:
    for path in ("//evil.example/?token=s3cret", "/%2fevil.example/?token=s3cret", "/%5cevil.example?token=s3cret"):
        location = guarded.get(f"http://lab.example:8765{path}").headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "path",
    [
        "frame/99999999999999999999",
        f"frame/{'9' * 5000}",
        f"episode/{'9' * 5000}",
        "frames/18446744073709551615/2",
        f"mean/{2**63}",
        f"transition/0/{2**64}",
        "frame/-1",
        "frame/1.0",
        "column/..%2f..%2frecording.json",
        "column/%00",
        "playlist/failures%0d%0aX-Bad:%201",
        "inside-mean/..%2F..%2Frecording.json",
        "rows?key=../../recording.json",
        "clip?key=%00",
        f"playlist/failures?limit={'9' * 30}",
        "playlist/failures?limit=%D9%A3",
    ],
)
def test_numbers_and_names_that_cannot_be_are_refused_in_a_sentence(page: TestClient, path: str) -> None:
    response = page.get(f"/api/a/{path}")
    assert response.status_code in (400, 404, 414)
    assert response.json()["error"]
    assert "x-bad" not in response.headers


@pytest.mark.parametrize(
    "polygon",
    [
        "[[0,0],[1,0],[1e999,1]]",
        "[[0,0],[1,0],[NaN,1]]",
        "[[0,0],[1,0],[Infinity,1]]",
        f"[[0,0],[1,0],[{'9' * 400},1]]",
        f"[[0,0],[1,0],[{'9' * 5000},1]]",
        "[" + ",".join(["[0,0]"] * 10_001) + "]",
        "[" * 100_000,
        '[["0","0"],["1","0"],["1","1"]]',
        "[[0,0],[1,0],[true,1]]",
        "[[0,0],[1,0],[1,1],{}]",
    ],
)
def test_polygons_that_cannot_be_are_refused_in_a_sentence(page: TestClient, polygon: str) -> None:
    body = f'{{"plane": "fdr", "polygon": {polygon}}}'
    response = page.post("/api/a/inside", content=body, headers=WRITE)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_request_that_is_too_large_is_not_read_to_its_end(page: TestClient) -> None:
    response = page.post("/api/a/inside", content=b"[" * 3_000_000, headers=WRITE)
    assert response.status_code == 413


def test_a_pipe_in_the_place_of_the_notes_keeps_no_one_waiting(view: RecordingView) -> None:
    os.mkfifo(view.annotations.path)
    try:
        response = client_of(view).get("/api/a/annotations")
        assert response.status_code == 422
        assert "is no regular file" in response.json()["error"]
    finally:
        view.annotations.path.unlink()
