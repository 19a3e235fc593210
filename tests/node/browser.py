"""How a real browser reads URLs: the result of its parser, and the host that it requests from its proxy."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.browsing import browse

_ORIGIN = "http://vectors.invalid"
#: Parses each URL, then opens those that a page may open, and tells the proxy first which one comes next.
#: The base URL has a scheme that no vector has: ``http:host`` would be relative to a base with its own scheme.
_PAGE = """<!doctype html><script src="/held" async></script><base href="ftp://base.invalid/"><script>
const parts = u => [u.protocol, u.hostname, u.pathname, u.username + u.password];
const read = text => { try { return parts(new URL(text)); } catch { return null; } };
(async () => {
    const vectors = await (await fetch("http://vectors.invalid/vectors")).json();
    const parsed = vectors.map(read);
    for (const [number, url] of parsed.entries()) {
        if (!url || !/^https?:$/.test(url[0]) || url[3]) continue;
        await fetch("http://vectors.invalid/next", {method: "POST", body: String(number)});
        try { await fetch(vectors[number], {mode: "no-cors", cache: "no-store"}); } catch {}
    }
    await fetch("http://vectors.invalid/done", {method: "POST", body: JSON.stringify(parsed)});
})();
</script>"""


class Meaning(NamedTuple):
    """A URL as the browser reads it: its parts, and the host that was requested, if a page may open the URL."""

    protocol: str
    host: str
    path: str
    opened: str | None


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, vectors: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vectors = vectors
        self.number = -1
        self.opened: dict[int, str] = {}
        self.parsed: list[list[str] | None] = []
        self.done = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that the browser ends."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def do_GET(self) -> None:
        path = self.path.removeprefix(_ORIGIN)
        if path == "/":
            self._say(_PAGE.encode(), "text/html")
        elif path == "/vectors":
            self._say(json.dumps(self.server.vectors).encode(), "application/json")
        elif path == "/held":
            self.server.done.wait(50)
            self._say(b"", "text/javascript")
        else:
            self._note(self.path.partition("://")[2].partition("/")[0])
            self._say(b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == f"{_ORIGIN}/done":
            self.server.parsed = json.loads(body)
            self.server.done.set()
        else:
            self.server.number = int(body)
        self._say(b"", "text/plain")

    def do_CONNECT(self) -> None:
        self._note(self.path)
        self.close_connection = True
        self.send_error(502)

    def _note(self, authority: str) -> None:
        host, _, port = authority.rpartition(":")
        if host.endswith((".google.com", ".googleapis.com")):
            return  # the browser requests these on its own
        self.server.opened.setdefault(self.server.number, host if host and port.isdigit() else authority)

    def _say(self, body: bytes, media: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


def meanings(vectors: list[str], folder: Path) -> list[Meaning | None]:
    """Return the browser's reading of each URL; None for one that it cannot parse."""
    proxy = _Proxy(vectors)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        address = f"127.0.0.1:{proxy.server_address[1]}"
        browse(
            f"{_ORIGIN}/", folder, f"--proxy-server=http://{address}", "--proxy-bypass-list=<-loopback>", "--dump-dom"
        )
        assert len(proxy.parsed) == len(vectors)
        return [
            Meaning(parsed[0], parsed[1], parsed[2], proxy.opened.get(number)) if parsed else None
            for number, parsed in enumerate(proxy.parsed)
        ]
    finally:
        proxy.shutdown()
        proxy.server_close()
