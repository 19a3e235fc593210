"""Compressed bodies of requests to the control plane: the views read what is in them, within their own limits."""

from __future__ import annotations

import gzip
import json
import zlib
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blocklist.daemon.control_server import ControlServer
from blocklist.domain.access import Role
from blocklist.service import Service, read_target
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.support import definition, settings_for, token_client, token_for

BLOCK = {"action": "block", "target": "pirate.example", "reason": "by order"}
LIST = b"".join(b"pirate-%d.example\n" % number for number in range(100))
RAW = "application/octet-stream"


@pytest.fixture
def api(control_app: Flask, service: Service) -> FlaskClient:
    return token_client(control_app, service, Role.ADMIN)


def post(api: FlaskClient, path: str, body: bytes, encoding: str = "gzip", type_: str = "application/json") -> Any:
    return api.post(path, data=body, content_type=type_, headers={"Content-Encoding": encoding})


@pytest.mark.parametrize("encoding", ["gzip", "X-GZIP", "deflate", "identity"])
def test_a_compressed_body_of_json_is_read(api: FlaskClient, encoding: str) -> None:
    body = json.dumps(BLOCK).encode()
    packed = {"deflate": zlib.compress(body), "identity": body}.get(encoding, gzip.compress(body))
    assert post(api, "/v1/overrides", packed, encoding).status_code == 201
    assert "pirate.example" in api.get("/v1/overrides").text


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_another_encoding_is_415_and_changes_nothing(api: FlaskClient, encoding: str) -> None:
    answer = post(api, "/v1/overrides", json.dumps(BLOCK).encode(), encoding)
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, deflate")
    assert answer.content_type == "application/problem+json"
    assert "pirate.example" not in api.get("/v1/overrides").text


@pytest.mark.parametrize(
    "body",
    [b"plain", gzip.compress(b"{}", mtime=0)[:-3], gzip.compress(json.dumps(BLOCK).encode(), mtime=0) + b"garbage"],
)
def test_a_damaged_body_is_refused_with_the_reason(api: FlaskClient, body: bytes) -> None:
    answer = post(api, "/v1/overrides", body)
    assert answer.status_code == 400
    assert "gzip" in answer.json["detail"]


def test_a_header_without_a_body_is_ignored(api: FlaskClient) -> None:
    assert api.get("/v1/overrides", headers={"Content-Encoding": "br"}).status_code == 200


def test_a_list_may_be_uploaded_compressed(api: FlaskClient, service: Service) -> None:
    service.feeds.add(definition(), "test")
    run = post(api, "/v1/feeds/court/refresh?wait=true", gzip.compress(LIST), type_=RAW)
    assert (run.status_code, run.json["outcome"]) == (200, "applied")
    assert len(service.evidence.history(read_target("pirate-99.example"))) == 1


def test_a_form_may_be_compressed(api: FlaskClient, service: Service) -> None:
    service.feeds.add(definition(), "test")
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="l"\r\n\r\n' + LIST + b"\r\n--x--\r\n"
    type_ = "multipart/form-data; boundary=x"
    run = post(api, "/v1/feeds/court/refresh?wait=true", gzip.compress(form), type_=type_)
    assert (run.status_code, run.json["outcome"]) == (200, "applied")


def test_the_limit_of_a_view_counts_after_unpacking(tmp_path: Path) -> None:
    service = Service(settings_for(tmp_path / "data", fetch={"max_bytes": 1 << 20}))
    try:
        app = create_app(Follower(service.snapshots.folder, 86_400), service)
        api = token_client(app, service, Role.ADMIN)
        service.feeds.add(definition(), "test")
        for size in (2 << 20, 64 << 20):
            bomb = gzip.compress(bytes(size))
            refused = post(api, "/v1/feeds/court/refresh?wait=true", bomb, type_=RAW)
            assert refused.status_code == 413
        assert post(api, "/v1/overrides", gzip.compress(bytes(9 << 20))).status_code == 413
        # A public form has a limit of 16 kB.
        form = gzip.compress(b"name=" + b"a" * (1 << 20))
        signed_out = app.test_client()
        answer = post(signed_out, "/admin/sign-in", form, type_="application/x-www-form-urlencoded")
        assert answer.status_code == 413
    finally:
        service.close()


def test_a_real_server_reads_the_next_request_after_a_compressed_one(control_app: Flask, service: Service) -> None:
    server = ControlServer(("127.0.0.1", 0), control_app, threads=2)
    server.start()
    try:
        client = HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"Authorization": f"Bearer {token_for(service, Role.ADMIN)}", "Content-Type": "application/json"}
        packed = gzip.compress(json.dumps(BLOCK).encode())
        seen = []
        for body, encoding in (
            (packed, "gzip"),
            (packed, "br"),
            (packed[:-4], "gzip"),
            (gzip.compress(bytes(9 << 20)), "gzip"),
        ):
            client.request("POST", "/v1/overrides", body, {**headers, "Content-Encoding": encoding})
            response = client.getresponse()
            seen.append(response.status)
            response.read()
        client.request("POST", "/v1/overrides", iter([packed[:9], packed[9:]]), {**headers, "Content-Encoding": "gzip"})
        seen.append(client.getresponse().status)
        client.close()
        assert seen == [201, 415, 400, 413, 201]
    finally:
        server.stop()
