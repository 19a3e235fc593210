"""Authentication and roles of every route of the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from blocklist.web.authorization import current_identity, declare, enforce_roles, need_of, needs
from tests.support import Clock, settings_for, token_for

As = Callable[[str], FlaskClient]


@pytest.fixture
def guarded(service: Service) -> Flask:
    """An application with one view per role, which returns the actor."""
    app = create_app(Follower(service.snapshots.folder, 86_400))
    for path in app.url_map.iter_rules():
        declare(app, path.endpoint, None)
    for role in Role:
        app.add_url_rule(f"/for/{role}", f"for_{role}", needs(role)(lambda: current_identity().actor))
    enforce_roles(app, service)
    return app


def test_every_route_of_the_control_plane_declares_its_role(control_app: Flask) -> None:
    needed = {rule.rule: need_of(control_app, rule.endpoint) for rule in control_app.url_map.iter_rules()}
    assert None not in needed.values()
    assert (needed["/v1/history"], needed["/v1/lookup"], needed["/admin/static/<path:filename>"]) == (
        *(Role.VIEWER, "callers", "anybody"),
    )


def test_an_application_with_an_undeclared_route_does_not_start(service: Service) -> None:
    app = create_app(Follower(service.snapshots.folder, 86_400))
    app.add_url_rule("/forgotten", "forgotten", lambda: "for all to see")
    with pytest.raises(RuntimeError, match="forgotten"):
        enforce_roles(app, service)


def test_a_route_added_after_the_check_refuses_everyone(control_app: Flask, service: Service) -> None:
    control_app.add_url_rule("/late", "late", lambda: "for all to see")
    client = control_app.test_client()
    assert client.get("/late").status_code == 401
    answer = client.get("/late", headers={"Authorization": f"Bearer {token_for(service, Role.ADMIN)}"})
    assert answer.status_code == 403


@pytest.mark.parametrize("role", Role)
def test_a_role_includes_the_rights_of_the_lower_roles_and_no_more(
    guarded: Flask, service: Service, role: Role
) -> None:
    headers = {"Authorization": f"Bearer {token_for(service, role)}"}
    answers = [guarded.test_client().get(f"/for/{needed}", headers=headers) for needed in Role]
    assert [answer.status_code for answer in answers] == [200 if needed <= role else 403 for needed in Role]
    assert answers[0].text == f"test {role} (token 1 of test)"


def test_a_request_without_a_token_is_told_how_to_create_one(control_app: Flask) -> None:
    answer = control_app.test_client().get("/v1/history?target=example.com")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "blocklist token create" in answer.text


@pytest.mark.parametrize("given", ["Bearer", "Bearer nope", "Basic eDp5", "bearer \u00e9", "Bearer " + "x" * 5_000])
def test_an_invalid_token_is_refused(control_app: Flask, given: str) -> None:
    answer = control_app.test_client().get("/v1/history?target=example.com", headers={"Authorization": given})
    assert answer.status_code == 401


def test_expired_and_revoked_tokens_are_refused_with_the_reason(
    control_app: Flask, service: Service, clock: Clock
) -> None:
    token, secret = service.tokens.create(Role.ADMIN, "test", expires_at=later(now(), 60))
    headers = {"Authorization": f"Bearer {secret}"}
    client = control_app.test_client()
    assert client.get("/admin/", headers=headers).status_code == 200
    clock.advance(61)
    assert "is expired since" in client.get("/v1/history?target=a.example", headers=headers).text
    clock.advance(-61)
    service.tokens.revoke(token.id, "test")
    answer = client.get("/v1/history?target=a.example", headers=headers)
    assert (answer.status_code, "is revoked since" in answer.text) == (401, True)
    assert secret not in answer.text


def test_a_person_who_is_not_signed_in_is_redirected_to_sign_in_and_back(control_app: Flask) -> None:
    client = control_app.test_client()
    answer = client.get("/admin/lookup?target=a.example%26b")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/admin/sign-in?next=%2Fadmin%2Flookup%3Ftarget%3Da.example%2526b"
    assert client.get("/admin/").headers["Location"] == "/admin/sign-in"


def test_the_last_use_of_a_token_is_saved_once_a_minute(client_as: As, service: Service, clock: Clock) -> None:
    client = client_as("viewer")
    seen = []
    for moment in ("2026-01-02T03:04:05Z", "2026-01-02T03:04:50Z", "2026-01-02T03:05:06Z"):
        clock.move_to(moment)
        client.get("/admin/")
        seen.append(service.store.tokens.get(1).last_used)
    assert seen == ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:05:06Z"]


def test_a_request_does_not_wait_for_a_writer_to_save_the_use_of_its_token(client_as: As, service: Service) -> None:
    client = client_as("viewer")
    other = Service(service.settings)
    with other.store.database.transaction():
        assert client.get("/admin/").status_code == 200
    other.close()
    assert service.store.tokens.get(1).last_used is None


@pytest.fixture
def with_lookup_token(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "token").write_text("secret of the callers\n")
    opened = Service(settings_for(tmp_path / "data", lookup={"token_file": str(tmp_path / "token")}))
    yield opened
    opened.close()


def test_lookups_are_public_unless_the_lookup_node_needs_a_token(
    control_app: Flask, with_lookup_token: Service
) -> None:
    assert control_app.test_client().get("/v1/lookup?domain=example.com").status_code == 503
    client = create_app(Follower(with_lookup_token.snapshots.folder, 60), with_lookup_token).test_client()
    shown = {"Authorization": "Bearer secret of the callers"}
    for path in ("/v1/lookup?domain=example.com", "/metrics"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=shown).status_code != 401
    assert client.get("/healthz").status_code == 200


def test_an_id_too_large_for_the_database_is_not_found(client_as: As, control_app: Flask) -> None:
    rules = [rule for rule in control_app.url_map.iter_rules() if "<int:id_>" in rule.rule]
    assert len(rules) > 5
    client = client_as(Role.ADMIN)
    for rule in rules:
        (method,) = (rule.methods or set()) & {"GET", "POST"}
        address = rule.rule.replace("<int:id_>", str(2**63))
        assert client.open(address, method=method, data={"reason": "x"}).status_code == 404, address


@pytest.mark.parametrize("address", ["/", "/admin", "/v1//tokens", "/admin//access"])
def test_redirects_are_not_cached(control_app: Flask, address: str) -> None:
    answer = control_app.test_client().get(address, headers={"Host": "elsewhere.example"})
    assert answer.status_code in (302, 308)
    assert answer.headers["Cache-Control"] == "no-store"
