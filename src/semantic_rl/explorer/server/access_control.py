"""Access control: only the explorer's own page may use the server, and no other page in the same browser.

- On a loopback address, the name in `Host` must be one of this machine's, so that a foreign name that resolves to it
  (DNS rebinding) is refused. On any other address every request needs a token. It is part of the printed address, and
  is moved into a cookie and removed from the address on the first visit.
- A request that changes something must have the header `X-Semantic-RL: 1`, which another page could send only after a
  CORS preflight request, which is never granted; and its `Origin`, if present, must be the page's own. If the browser
  says that a request comes from another site (`Sec-Fetch-Site`), it is refused, unless it opens this page.
- The page may not load anything from elsewhere, may not run inline scripts, and may not be framed, except by the
  notebooks for which it was started.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semantic_rl.explorer.encoding import to_json

WRITE_HEADER = "x-semantic-rl"
READING = ("GET", "HEAD")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE_SECONDS = 30 * 24 * 3600
LONGEST_PATH = 1_000
"""Most characters of a path; longer ones could contain numbers that Python refuses to parse."""


class Policy(NamedTuple):
    """What the server requires of requests."""

    token: str | None = None
    """Required for every request, if set; without it only requests to this machine's own names are answered."""
    framed_by: tuple[str, ...] = ()
    """Origins that may embed the page in a frame."""

    @property
    def content_security(self) -> str:
        """Return the Content-Security-Policy header."""
        frames = " ".join(self.framed_by) if self.framed_by else "'none'"
        return (
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
            f"base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
        )


class Guard:
    """ASGI middleware that rejects the requests that the policy forbids."""

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject a request, or pass it on to the application."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._turned_away(scope) or self._admitted(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        await (answer or self._app)(scope, receive, send_with_headers)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers["Content-Security-Policy"] = self._policy.content_security
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"

    def _turned_away(self, scope: Scope) -> Response | None:
        if len(scope["path"]) > LONGEST_PATH:
            return _refuse(414, "this address is too long.")
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._policy.token is None and _name_of(host) not in LOOPBACK_NAMES:
            return _refuse(403, f"this server does not answer to the name '{host[:80]}'; use its address 127.0.0.1.")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not _is_visit(scope, headers):
            return _refuse(403, "another page may not ask for anything here.")
        if scope["method"] in READING:
            return None
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host}".lower():
            return _refuse(403, "another page may not change anything here.")
        if headers.get(WRITE_HEADER) != "1":
            return _refuse(403, "a request that changes something needs the header X-Semantic-RL: 1.")
        return None

    def _admitted(self, scope: Scope) -> Response | None:
        """Return the response to a request without the token or with the token in its address; None for others."""
        token = self._policy.token
        if token is None:
            return None
        cookie = f"semantic-rl-{scope['server'][1] if scope.get('server') else 0}"
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if given is not None and scope["method"] in READING and _equal(given, token):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            answer = RedirectResponse(_path(scope) + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(cookie, token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict")
            answer.headers["Cache-Control"] = "no-store"
            return answer
        if _equal(_cookie(Headers(scope=scope), cookie), token):
            return None
        return _refuse(401, "this page needs the token: open the address that 'semantic-rl explore' printed.")


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Say whether a request is a navigation to the page, or embeds it in a frame; both may come from another site."""
    return scope["path"] == "/" and scope["method"] in READING and headers.get("sec-fetch-mode") == "navigate"


def _path(scope: Scope) -> str:
    """Return the path of a request, made to stay on this server: '//elsewhere' would lead to another one."""
    return "/" + scope["path"].lstrip("/\\")


def _name_of(host: str) -> str | None:
    """Return the name in a Host header, without the port; None if the header is invalid."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _refuse(status: int, sentence: str) -> Response:
    return Response(to_json({"error": sentence}), status, {"Cache-Control": "no-store"}, "application/json")
