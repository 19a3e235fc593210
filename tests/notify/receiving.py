"""Receivers of messages on loopback: a web server that takes posts, and a mail server."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.e2e.running import free_port

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Hook:
    """A receiver of webhooks. ``statuses`` are answered in turn, the last one from then on; or it ``drips`` headers."""

    port: int
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    drips: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/SECRET-PATH"

    @property
    def news(self) -> list[list[tuple[str, str, str | None]]]:
        """What each message told: state, event and feed of each piece of news."""
        return [
            [(item["state"], item["event"], item["feed"]) for item in json.loads(body)["data"]["news"]]
            for _, body in self.received
        ]


@contextmanager
def hook() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.drips:
                self._drip()
                return
            status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _drip(self) -> None:
            self.send_response_only(200)
            self.flush_headers()
            with contextlib.suppress(OSError):
                for number in range(100):
                    self.wfile.write(f"X-{number}: and so on\r\n".encode())
                    time.sleep(0.1)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Hook(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """A mail server that takes mail for everyone but ``refused``."""

    port: int
    refused: tuple[str, ...] = ()
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    sign_ins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 no such\tperson here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_server(certificate: Path, password: str = "", security: str = "starttls") -> Iterator[Mailbox]:
    """Run a mail server with this encryption, which wants to be signed in to where a password is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    box = Mailbox(free_port())

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        box.sign_ins.append((data.login, data.password))
        return AuthResult(success=data.password == password.encode(), handled=False)

    controller = Controller(
        box,
        hostname="localhost",
        port=box.port,
        ssl_context=context if security == "tls" else None,
        tls_context=context if security == "starttls" else None,
        require_starttls=security == "starttls",
        auth_required=bool(password),
        authenticator=authenticator,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
