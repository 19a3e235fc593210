"""Sign-in with a real OpenID provider (canaille), run beside the test and asked over real sockets."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from pytest_iam import Server
from werkzeug.test import TestResponse

from blocklist.access import oidc
from blocklist.config.settings import OidcSettings
from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError, UnauthorizedError
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.e2e.running import publisher, respond
from tests.support import add_person, settings_for

_BACK = "http://localhost/admin/sign-in/provider/back"


@pytest.fixture(scope="module")
def registered(iam_server: Server) -> Any:
    """What the provider knows of this service."""
    client = iam_server.models.Client(
        client_id="blocklist",
        client_secret="marker-eleven-oidc",
        client_name="blocklist",
        redirect_uris=[_BACK],
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="client_secret_basic",
        scope=["openid", "profile", "email", "groups"],
    )
    iam_server.backend.save(client)
    client.audience = [client]
    iam_server.backend.save(client)
    return client


@pytest.fixture
def service(tmp_path: Path, iam_server: Server, registered: Any) -> Iterator[Service]:
    (tmp_path / "secret").write_text("marker-eleven-oidc\n")
    table = {
        "issuer": iam_server.url.rstrip("/"),
        "client_id": "blocklist",
        "client_secret_file": str(tmp_path / "secret"),
        "title": "Example Org",
        "name_claim": "sub",
        "scopes": ("openid", "profile", "email", "groups"),
        "roles": {"list-approvers": "approver", "list-viewers": "viewer"},
    }
    opened = Service(settings_for(tmp_path / "data", oidc=table))
    yield opened
    opened.close()


@pytest.fixture
def app(service: Service) -> Flask:
    return create_app(Follower(service.snapshots.folder, 60), service)


def member(iam_server: Server, name: str, *groups: str) -> Any:
    user = iam_server.random_user(user_name=name, emails=[f"{name}@a.example"])
    for group in groups:
        iam_server.random_group(display_name=group, members=[user])
    iam_server.backend.reload(user)
    return user


def signs_in(iam_server: Server, browser: FlaskClient, user: Any, tamper: Any = lambda answer: answer) -> TestResponse:
    """Go to the provider and back as a browser does; ``tamper`` may change what comes back."""
    begun = browser.get("/admin/sign-in/provider?next=/admin/audit")
    assert begun.status_code == 303
    iam_server.login(user)
    iam_server.consent(user)
    try:
        answer = httpx.get(begun.headers["Location"], trust_env=False)
    finally:
        iam_server.logout()
    assert answer.status_code == 302, answer.text
    back = answer.headers["Location"]
    assert back.startswith(_BACK)
    return browser.get(tamper(back.removeprefix("http://localhost")))


def test_a_member_signs_in_with_the_role_of_their_group_and_is_the_same_person_next_time(
    iam_server: Server, service: Service, app: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    user = member(iam_server, "olga", "list-approvers", "list-viewers", "others")
    browser = app.test_client()
    assert "Sign in with Example Org" in browser.get("/admin/sign-in").text
    answer = signs_in(iam_server, browser, user)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/audit"), answer.text
    assert "<bdi>olga</bdi>" in browser.get("/admin/").text
    person = service.store.people.get("olga")
    assert (person.role, person.provider, person.has_password) == (Role.APPROVER, True, False)
    assert signs_in(iam_server, app.test_client(), user).status_code == 303
    assert [found.name for found in service.store.people.all()] == ["olga"]
    events = [(event["action"], event["actor"]) for event in service.store.audit.events()]
    assert events[-2:] == [("person.sign_in", "olga"), ("person.add", "OpenID provider")]
    with sqlite3.connect(service.store.database.path) as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert "olga" in dump
    out, err = capfd.readouterr()
    assert "marker-eleven-oidc" not in out + err
    assert "marker-eleven-oidc" not in dump + browser.get("/admin/settings").text + browser.get("/admin/audit").text


def test_who_is_in_no_group_that_gives_a_role_does_not_come_in(
    iam_server: Server, app: Flask, service: Service
) -> None:
    answer = signs_in(iam_server, app.test_client(), member(iam_server, "piet", "others"))
    assert answer.status_code == 403, answer.text
    assert "gives a role here" in answer.text
    assert service.store.people.all() == []


def test_a_name_at_the_provider_does_not_make_one_somebody_who_is_here(
    iam_server: Server, app: Flask, service: Service
) -> None:
    add_person(service, "root", Role.ADMIN)
    answer = signs_in(iam_server, app.test_client(), member(iam_server, "root", "list-viewers"))
    assert answer.status_code == 403, answer.text
    assert "another person" in answer.text


def test_a_changed_group_changes_the_role_and_who_is_shut_out_stays_out(service: Service) -> None:
    claims = {"iss": "https://idp.example", "sub": "rosa", "groups": ["list-approvers"]}
    assert service.provider.person_of(claims).role is Role.APPROVER
    assert service.provider.person_of({**claims, "groups": "list-viewers"}).role is Role.VIEWER
    assert service.store.audit.events(1)[0]["detail"] == {"before": {"role": "approver"}, "after": {"role": "viewer"}}
    service.people.set_disabled("rosa", True, "test")
    with pytest.raises(ForbiddenError, match="shut out"):
        service.provider.person_of(claims)


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda back: re.sub("state=[^&]+", "state=made-up", back), "did not begin this sign-in"),
        (lambda back: re.sub("[?&]state=[^&]+", "", back), "did not begin this sign-in"),
        (lambda back: re.sub("code=[^&]+", "error=access_denied", back), "did not sign you in"),
        (lambda back: re.sub("iss=[^&]+", "iss=https://evil.example", back), "another provider"),
    ],
)
def test_an_answer_that_was_tampered_with_signs_nobody_in(
    iam_server: Server, app: Flask, service: Service, tamper: Any, said: str
) -> None:
    browser = app.test_client()
    user = member(iam_server, f"tess-{abs(hash(said)) % 1_000}", "list-viewers")
    answer = signs_in(iam_server, browser, user, tamper)
    assert answer.status_code == 401
    assert said in answer.text
    assert browser.get_cookie("blocklist") is None
    assert service.store.people.all() == []


def test_the_provider_takes_an_answer_only_from_who_solves_the_challenge(
    iam_server: Server, app: Flask, service: Service
) -> None:
    browser = app.test_client()

    def carried_by_another(back: str) -> str:
        carried = browser.get_cookie("blocklist-provider")
        assert carried is not None
        pending = json.loads(unquote(carried.value)) | {"verifier": "x" * 43}
        browser.set_cookie("blocklist-provider", quote(json.dumps(pending)))
        return back

    answer = signs_in(iam_server, browser, member(iam_server, "wim", "list-viewers"), carried_by_another)
    assert answer.status_code == 401
    assert "did not accept the sign-in (invalid_grant)" in answer.text
    assert service.store.people.all() == []


def test_an_answer_in_a_browser_that_did_not_begin_signs_nobody_in(iam_server: Server, app: Flask) -> None:
    other = app.test_client()
    answer = signs_in(iam_server, app.test_client(), member(iam_server, "uma", "list-viewers"), lambda back: "/healthz")
    assert answer.status_code == 200
    begun = app.test_client().get("/admin/sign-in/provider").headers["Location"]
    state = parse_qs(urlsplit(begun).query)["state"][0]
    assert "no sign-in was started" in other.get(f"/admin/sign-in/provider/back?code=x&state={state}").text


def test_the_browser_is_sent_with_a_challenge_and_never_with_what_solves_it(app: Flask, iam_server: Server) -> None:
    browser = app.test_client()
    query = parse_qs(urlsplit(browser.get("/admin/sign-in/provider").headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [_BACK]
    carried = browser.get_cookie("blocklist-provider")
    assert carried is not None
    assert carried.http_only
    pending = json.loads(unquote(carried.value))
    assert query["nonce"] == [pending["nonce"]]
    verifier = pending["verifier"]
    assert verifier not in str(query)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody-else"},
        {"aud": ["blocklist", "somebody-else"]},
        {"exp": 1_000},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    (tmp_path / "secret").write_text("marker-eleven-oidc\n")
    key = RSAKey.generate_key(2048, {"kid": "one"})
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    pending = oidc.PendingSignIn("state", "n", "verifier", "/")
    tokens: list[str] = []

    def answer(handler: Any) -> None:
        if handler.path == "/keys":
            told: dict[str, Any] = {"keys": [key.as_dict(private=False)]}
        elif handler.path == "/token":
            told = {"id_token": tokens[-1]}
        else:
            told = {"issuer": issuer, "jwks_uri": f"{issuer}/keys", "token_endpoint": f"{issuer}/token"}
        respond(handler, json.dumps(told).encode())

    def finished_with(token: str) -> dict[str, Any]:
        tokens.append(token)
        return provider.finish(pending, {"state": "state", "code": "code"}, _BACK)

    def signed(claims: dict[str, Any], by: Any = key) -> str:
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one"}, given, by)

    with publisher() as published:
        published.answer = answer
        issuer = f"http://127.0.0.1:{published.port}"
        secret = str(tmp_path / "secret")
        provider = oidc.Provider(OidcSettings(issuer=issuer, client_id="blocklist", client_secret_file=secret))
        at = time.time()
        right = {"iss": issuer, "sub": "7", "aud": "blocklist", "exp": at + 60, "iat": at, "nonce": "n"}
        assert finished_with(signed(right))["sub"] == "7"
        for token in (signed(right | wrong), signed(right, stranger), "", "a.b.c"):
            with pytest.raises(UnauthorizedError, match="cannot be verified"):
                finished_with(token)


def test_without_a_provider_there_is_no_way_to_one(service: Service, tmp_path: Path) -> None:
    plain = Service(settings_for(tmp_path / "plain"))
    browser = create_app(Follower(plain.snapshots.folder, 60), plain).test_client()
    assert "Sign in with" not in browser.get("/admin/sign-in").text
    assert browser.get("/admin/sign-in/provider").status_code == 404
    plain.close()


def test_a_provider_that_does_not_answer_is_one_sentence_without_a_secret(tmp_path: Path) -> None:
    table = {"issuer": "http://127.0.0.1:9", "client_id": "x", "client_secret_file": str(tmp_path / "none")}
    dead = Service(settings_for(tmp_path / "dead", oidc=table))
    answer = create_app(Follower(dead.snapshots.folder, 60), dead).test_client().get("/admin/sign-in/provider")
    assert answer.status_code == 500
    assert "http://127.0.0.1:9 does not respond as one" in answer.text
    dead.close()
