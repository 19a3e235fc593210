"""Sign-in, sign-out and one-time links, as in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.support import PASSWORD, Clock, add_person, settings_for


def csrf_token_of(page: TestResponse) -> str:
    """Return the CSRF token of the forms on a page."""
    (found,) = set(re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text))
    return str(found)


def sign_in(browser: FlaskClient, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
    csrf = csrf_token_of(browser.get("/admin/sign-in"))
    return browser.post("/admin/sign-in", data={"csrf": csrf, "name": name, "password": password, **more})


def cookie(browser: FlaskClient) -> str | None:
    found = browser.get_cookie("blocklist")
    return found.value if found else None


@pytest.fixture
def browser(control_app: Flask, service: Service) -> FlaskClient:
    add_person(service, "anna", Role.APPROVER)
    return control_app.test_client()


def test_sign_in_redirects_to_the_requested_page(browser: FlaskClient, service: Service) -> None:
    answer = sign_in(browser, " Anna ", next="/admin/lookup?target=a.example")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/lookup?target=a.example")
    set_cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("blocklist="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(set_cookie.split("; "))
    page = browser.get("/admin/")
    assert page.status_code == 200
    assert "<bdi>anna</bdi>" in page.text
    assert service.store.audit.events()[0]["action"] == "person.sign_in"
    assert service.store.people.get("anna").signed_in_at


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example/", "/admin\\\\evil", "/admin/\r\nX: y", "", "javascript:x"]
)
def test_sign_in_redirects_to_pages_of_this_site_only(browser: FlaskClient, next_: str) -> None:
    assert sign_in(browser, "anna", next=next_).headers["Location"] == "/admin/"


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong words here"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_give_the_same_error(browser: FlaskClient, name: str, password: str) -> None:
    answer = sign_in(browser, name, password)
    assert answer.status_code == 401
    assert "the name or the password is wrong" in answer.text
    assert cookie(browser) is None


def test_a_disabled_person_cannot_sign_in_and_their_sessions_end(browser: FlaskClient, service: Service) -> None:
    sign_in(browser, "anna")
    service.people.set_disabled("anna", True, "test")
    assert browser.get("/admin/").status_code == 303
    assert "the name or the password is wrong" in sign_in(browser, "anna").text
    service.people.set_disabled("anna", False, "test")
    assert sign_in(browser, "anna").status_code == 303


def test_a_session_gets_a_new_secret_at_each_sign_in_and_the_old_one_ends(
    browser: FlaskClient, control_app: Flask, service: Service
) -> None:
    planted = service.sign_in.open_session(add_person(service, "mallory", Role.VIEWER), None, "", "test")
    browser.set_cookie("blocklist", planted)
    assert sign_in(browser, "anna").status_code == 303
    assert cookie(browser) != planted
    other = control_app.test_client()
    other.set_cookie("blocklist", planted)
    assert other.get("/admin/").status_code == 303


def test_a_session_ends_when_idle_and_after_its_lifetime(browser: FlaskClient, service: Service, clock: Clock) -> None:
    sign_in(browser, "anna")
    signed_in_at = now()

    def at(seconds: float) -> int:
        clock.move_to(later(signed_in_at, seconds))
        return browser.get("/admin/").status_code

    idle, lifetime = service.settings.access.session_idle, service.settings.access.session_lifetime
    assert at(idle - 10) == 200
    assert at(2 * idle - 80) == 200
    assert at(3 * idle) == 303
    clock.move_to(signed_in_at)
    sign_in(browser, "anna")
    for seconds in range(0, int(lifetime), int(idle) - 100):
        assert at(seconds) == 200, seconds
    assert at(lifetime + 2) == 303


def test_signing_out_ends_the_session_on_the_server_too(browser: FlaskClient) -> None:
    sign_in(browser, "anna")
    stolen = cookie(browser)
    csrf = csrf_token_of(browser.get("/admin/account"))
    assert browser.post("/admin/sign-out", data={"csrf": csrf}).headers["Location"] == "/admin/sign-in"
    assert cookie(browser) is None
    browser.set_cookie("blocklist", str(stolen))
    assert browser.get("/admin/").status_code == 303


def test_a_changed_role_and_a_sign_out_everywhere_end_every_session(
    browser: FlaskClient, control_app: Flask, service: Service
) -> None:
    second = control_app.test_client()
    for client in (browser, second):
        sign_in(client, "anna")
    service.people.set_role("anna", Role.VIEWER, "test")
    assert [client.get("/admin/").status_code for client in (browser, second)] == [303, 303]
    for client in (browser, second):
        sign_in(client, "anna")
    assert second.get("/admin/account").text.count("<tr>") == 3
    csrf = csrf_token_of(second.get("/admin/account"))
    second.post("/admin/account/sign-out-everywhere", data={"csrf": csrf})
    assert [client.get("/admin/").status_code for client in (browser, second)] == [303, 303]


def test_a_changed_password_leaves_this_browser_signed_in_and_no_other(
    browser: FlaskClient, control_app: Flask
) -> None:
    second = control_app.test_client()
    for client in (browser, second):
        sign_in(client, "anna")
    new = {"password": "five new words in a row", "again": "five new words in a row"}
    csrf = csrf_token_of(browser.get("/admin/account"))
    assert browser.post("/admin/account/password", data={"csrf": csrf, "old": "wrong words", **new}).status_code == 403
    assert browser.post("/admin/account/password", data={"csrf": csrf, "old": PASSWORD, **new}).status_code == 303
    assert browser.get("/admin/").status_code == 200
    assert second.get("/admin/").status_code == 303
    assert sign_in(second, "anna").status_code == 401
    assert sign_in(second, "anna", "five new words in a row").status_code == 303


def test_the_first_link_creates_one_admin_and_then_stops_working(control_app: Flask, service: Service) -> None:
    key = service.people.first_link()
    browser = control_app.test_client()
    page = browser.get(f"/admin/set-up?key={key}")
    form = {"csrf": csrf_token_of(page), "key": key, "name": "Ada", "password": PASSWORD, "again": PASSWORD}
    assert "letters a to z" in browser.post("/admin/set-up", data={**form, "name": "a b"}).text
    assert "passwords differ" in browser.post("/admin/set-up", data={**form, "again": "x"}).text
    assert browser.post("/admin/set-up", data=form).headers["Location"] == "/admin/"
    assert browser.get("/admin/account").text.count("with the role admin") == 1
    late = control_app.test_client().get(f"/admin/set-up?key={key}").text
    assert "This link does not work" in late
    assert "unknown, was used or has expired" in late
    assert service.people.first_link() is None


def test_a_link_of_the_first_start_expires_and_a_newer_one_replaces_it(
    control_app: Flask, service: Service, clock: Clock
) -> None:
    first, second = service.people.first_link(), service.people.first_link()
    browser = control_app.test_client()
    assert browser.get(f"/admin/set-up?key={first}").status_code == 401
    assert browser.get(f"/admin/set-up?key={second}").status_code == 200
    clock.advance(3_601)
    assert browser.get(f"/admin/set-up?key={second}").status_code == 401


def test_the_first_link_creates_no_admin_if_a_person_was_added_before(control_app: Flask, service: Service) -> None:
    key = str(service.people.first_link())
    add_person(service, "anna")
    with pytest.raises(ConflictError, match="this installation is set up already"):
        service.sign_in.with_link(key, "mallory", PASSWORD, None)
    assert [person.name for person in service.store.people.all()] == ["anna"]


def test_a_person_sets_their_password_by_a_link(control_app: Flask, service: Service) -> None:
    _, key = service.people.add("bert", Role.EDITOR, "test")
    browser = control_app.test_client()
    page = browser.get(f"/admin/set-up?key={key}")
    assert 'value="bert"' in page.text
    form = {"csrf": csrf_token_of(page), "key": key, "name": "somebody else", "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/admin/set-up", data=form).status_code == 303
    assert sign_in(control_app.test_client(), "bert").status_code == 303


def test_wrong_passwords_are_rate_limited_and_another_address_can_sign_in(
    browser: FlaskClient, control_app: Flask
) -> None:
    csrf = csrf_token_of(browser.get("/admin/sign-in"))
    form = {"csrf": csrf, "name": "anna"}
    statuses = [
        browser.post("/admin/sign-in", data={**form, "password": f"guess {number}"}).status_code
        for number in range(1_000)
    ]
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) == {429}
    right = browser.post("/admin/sign-in", data={**form, "password": PASSWORD})
    assert right.status_code == 429
    assert 1 <= int(right.headers["Retry-After"]) <= 61
    elsewhere = control_app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert sign_in(elsewhere, "anna").status_code == 303


def test_guesses_of_one_name_from_many_addresses_are_limited_but_its_owner_can_sign_in(
    browser: FlaskClient, control_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blocklist.service.sign_in.verify_password", lambda kept, given: given == PASSWORD)
    assert sign_in(browser, "anna").status_code == 303
    crowd = control_app.test_client()
    form = {"csrf": csrf_token_of(crowd.get("/admin/sign-in")), "name": "anna", "password": "a guess of many"}
    statuses = []
    for number in range(120):
        crowd.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        statuses.append(crowd.post("/admin/sign-in", data=form).status_code)
    assert statuses == [401] * 100 + [429] * 20
    assert crowd.post("/admin/sign-in", data={**form, "password": PASSWORD}).status_code == 429
    assert sign_in(browser, "anna").status_code == 303


def test_guessed_tokens_are_rate_limited(control_app: Flask) -> None:
    client = control_app.test_client()
    statuses = [
        client.get("/v1/history?target=a.example", headers={"Authorization": f"Bearer blk_{n}"}).status_code
        for n in range(40)
    ]
    assert statuses == [401] * 30 + [429] * 10
    told = client.get("/v1/history?target=a.example", headers={"Authorization": "Bearer x"}).headers["Retry-After"]
    assert 1 <= int(told) <= 61


def test_the_size_of_a_public_form_is_limited(control_app: Flask) -> None:
    browser = control_app.test_client()
    form = {"csrf": csrf_token_of(browser.get("/admin/sign-in")), "name": "x" * 20_000, "password": "x"}
    assert browser.post("/admin/sign-in", data=form).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_csrf_token(
    browser: FlaskClient, service: Service, headers: dict[str, str]
) -> None:
    sign_in(browser, "anna")
    csrf = csrf_token_of(browser.get("/admin/account"))
    assert browser.post("/admin/account/sign-out-everywhere", data={"csrf": csrf}, headers=headers).status_code == 403
    assert len(service.sign_in.sessions_of("anna")) == 1


def test_basic_credentials_for_a_proxy_neither_sign_out_nor_replace_the_csrf_token(browser: FlaskClient) -> None:
    sign_in(browser, "anna")
    shown = {"Authorization": "Basic YW5uYTpvcGVu"}
    assert browser.get("/admin/", headers=shown).status_code == 200
    assert browser.post("/admin/account/sign-out-everywhere", headers=shown).status_code == 403


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_form_without_the_csrf_token_is_refused(browser: FlaskClient, service: Service, csrf: str) -> None:
    sign_in(browser, "anna")
    answer = browser.post(
        "/admin/account/sign-out-everywhere", data={"csrf": csrf}, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 403
    assert len(service.sign_in.sessions_of("anna")) == 1


def test_the_csrf_token_of_another_session_is_refused(
    browser: FlaskClient, control_app: Flask, service: Service
) -> None:
    add_person(service, "mallory", Role.VIEWER)
    mallory = control_app.test_client()
    sign_in(mallory, "mallory")
    sign_in(browser, "anna")
    csrf = csrf_token_of(mallory.get("/admin/account"))
    assert browser.post("/admin/account/sign-out-everywhere", data={"csrf": csrf}).status_code == 403


def test_over_https_cookies_are_secure_and_have_the_host_prefix(service: Service, control_app: Flask) -> None:
    add_person(service, "anna")
    browser = control_app.test_client()
    secure = {"base_url": "https://blocklist.example"}
    csrf = csrf_token_of(browser.get("/admin/sign-in", **secure))
    form = {"csrf": csrf, "name": "anna", "password": PASSWORD}
    answer = browser.post("/admin/sign-in", data=form, headers={"Origin": "https://blocklist.example"}, **secure)
    assert answer.status_code == 303
    set_cookie = answer.headers.getlist("Set-Cookie")[0]
    assert set_cookie.startswith("__Host-blocklist=")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(set_cookie.split("; "))
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_behind_a_proxy_that_changes_the_host_the_public_url_is_the_origin(tmp_path: Path) -> None:
    proxied = {"behind_proxy": True, "public_url": "https://blocklist.example"}
    service = Service(settings_for(tmp_path / "data", serve=proxied))
    add_person(service, "anna")
    browser = create_app(Follower(service.snapshots.folder, 60), service).test_client()
    behind = {"base_url": "http://10.0.0.5:8080", "environ_overrides": {"wsgi.url_scheme": "http"}}
    page = browser.get("/admin/sign-in", **behind)
    assert "__Host-blocklist-forms" in page.headers["Set-Cookie"]
    carried = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
    form = {"csrf": csrf_token_of(page), "name": "anna", "password": PASSWORD}
    for origin, status in (("https://evil.example", 403), ("https://blocklist.example", 303)):
        answer = browser.post("/admin/sign-in", data=form, headers={**carried, "Origin": origin}, **behind)
        assert answer.status_code == status
    service.close()


def test_every_response_of_the_control_plane_has_security_headers(browser: FlaskClient) -> None:
    for path in ("/admin/sign-in", "/admin/", "/v1/lookup?domain=a.example", "/nothing", "/admin/static/admin.css"):
        with browser.get(path) as answer:
            headers = answer.headers
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Strict-Transport-Security" not in headers
    assert browser.get("/admin/sign-in").headers["Cache-Control"] == "no-store"
