"""An S3 server on loopback for the tests: moto, which knows the requests and checks no signatures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

CREDENTIALS = {"access_key_id": "publisher", "secret_access_key": "not-so-secret", "region": "us-east-1"}


class S3:
    """A server that can be stopped and started again on the same port; its objects stay."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._make = ThreadedMotoServer
        self.port = 0
        self.start()

    def start(self) -> None:
        self._server = self._make(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()

    def stop(self) -> None:
        self._server.stop()

    @property
    def options(self) -> dict[str, str]:
        return {"endpoint": f"http://127.0.0.1:{self.port}", **CREDENTIALS}

    def bucket(self, name: str) -> str:
        """Create a bucket, and return an address in it."""
        signed = "AWS4-HMAC-SHA256 Credential=publisher/20260101/us-east-1/s3/aws4_request"
        with urlopen(Request(f"{self.options['endpoint']}/{name}", method="PUT", headers={"Authorization": signed})):
            return f"s3://{name}/lists"


@contextmanager
def s3_server() -> Iterator[S3]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """Yield the address of a server that answers every request with an error of S3, in which secrets are quoted."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if length := int(self.headers.get("Content-Length", 0)):
                self.rfile.read(length)
            text = "<AWSAccessKeyId>publisher</AWSAccessKeyId><StringToSign>not-so-secret</StringToSign>"
            body = f"<Error><Code>{code}</Code><Message>no</Message>{text}</Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
