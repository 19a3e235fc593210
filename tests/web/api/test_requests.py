"""API conventions: media types, methods, parameters, idempotency, and secrets."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from blocklist.domain.access import Role
from blocklist.domain.errors import StoreError
from blocklist.service import Service
from blocklist.web.api import OpenApiApp
from tests.support import Clock, settings_for
from tests.web.api.checked import CheckedClient

BLOCK = {"action": "block", "target": "pirate.example", "reason": "by order"}


# Types, methods, parameters


def test_the_description_is_openapi_3_1_and_every_reference_resolves(control_app: Flask) -> None:
    assert isinstance(control_app, OpenApiApp)
    spec = control_app.test_client().get("/openapi.json").json
    assert spec is not None
    assert spec["openapi"].startswith("3.1")
    named = {part.partition('"')[0] for part in json.dumps(spec).split('"#/components/schemas/')[1:]}
    assert named == named & set(spec["components"]["schemas"])
    assert [name for name in spec["components"]["schemas"] if "__" in name] == []
    operations = [operation for path in spec["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids) > 40
    assert all(operation["summary"] for operation in operations)


def test_every_address_under_v1_is_described(control_app: Flask) -> None:
    assert isinstance(control_app, OpenApiApp)
    rules = {str(rule).replace("<", "{").replace(">", "}") for rule in control_app.url_map.iter_rules()}
    assert {rule for rule in rules if rule.startswith("/v1/")} <= set(control_app.api_doc["paths"])


def test_the_docs_page_has_every_address_and_needs_no_script(control_app: Flask) -> None:
    page = control_app.test_client().get("/docs")
    assert page.status_code == 200
    assert isinstance(control_app, OpenApiApp)
    assert [path for path in control_app.api_doc["paths"] if path not in page.text] == []
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "<code></code>" not in page.text
    assert 'href="/admin/"' in page.text
    assert "<code>respond=openrtb</code>" in page.text
    assert "//" not in page.text.replace("https://registry.example", "")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1_0", "limit"),
        ("limit=1.0", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("outcome=good", "outcome"),
        ("nothing=1", "nothing"),
    ],
)
def test_an_invalid_or_unknown_parameter_is_named(api: CheckedClient, query: str, parameter: str) -> None:
    answer = api.get(f"/v1/runs?{query}")
    assert answer.status_code == 400
    assert [fault["parameter"] for fault in (answer.json or {})["errors"]] == [parameter]


def test_a_media_type_that_the_caller_does_not_accept_is_406(api: CheckedClient) -> None:
    assert api.get("/v1/feeds", headers={"Accept": "text/html"}).status_code == 406
    for taken in ("*/*", "application/*", "application/json;q=0.1", "application/problem+json", ""):
        assert api.get("/v1/feeds", headers={"Accept": taken}).status_code == 200


def test_other_methods_are_405_with_the_allowed_methods(api: CheckedClient, court: str) -> None:
    for method in ("PUT", "TRACE", "NONSENSE"):
        answer = api.open("/v1/feeds/court", method=method)
        assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
        assert set(answer.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}
    assert set(api.options("/v1/feeds/preview").headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert set(api.options("/v1/feeds").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_an_address_that_does_not_exist_says_where_the_addresses_are(api: CheckedClient) -> None:
    answer = api.get("/v1/nosuch")
    assert answer.status_code == 404
    assert "there is nothing at this address: " in answer.text


def test_head_is_get_without_its_body(api: CheckedClient, court: str) -> None:
    got, head = api.get("/v1/feeds/court"), api.head("/v1/feeds/court")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", got.headers["ETag"])


# Idempotency


def test_a_repeated_creation_gets_the_same_response_and_is_done_once(api: CheckedClient) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (api.post("/v1/overrides", json=BLOCK, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json, second.headers["Location"]) == (first.json, first.headers["Location"])
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    assert len((api.get("/v1/overrides").json or {})["overrides"]) == 1
    assert api.post("/v1/overrides", json=BLOCK, headers={"Idempotency-Key": "two"}).status_code == 201


def test_a_key_that_was_used_for_another_request_is_refused(api: CheckedClient) -> None:
    key = {"Idempotency-Key": "one"}
    api.post("/v1/overrides", json=BLOCK, headers=key)
    for address, body in (("/v1/overrides", BLOCK | {"reason": "other"}), ("/v1/tokens", {"role": "viewer"})):
        refused = api.post(address, json=body, headers=key)
        assert (refused.status_code, (refused.json or {})["errors"][0]["header"]) == (422, "Idempotency-Key")


def test_two_senders_can_use_the_same_key(api_as: Callable[[Role], CheckedClient]) -> None:
    key = {"Idempotency-Key": "one"}
    for role in (Role.EDITOR, Role.ADMIN):
        assert api_as(role).post("/v1/overrides", json=BLOCK | {"reason": role}, headers=key).status_code == 201


def test_a_refused_request_can_be_corrected_with_the_same_key(api: CheckedClient) -> None:
    key = {"Idempotency-Key": "one"}
    assert api.post("/v1/overrides", json=BLOCK | {"target": "a..b"}, headers=key).status_code == 422
    assert api.post("/v1/overrides", json=BLOCK, headers=key).status_code == 201


def test_a_creation_followed_by_an_internal_error_is_not_repeated(
    api: CheckedClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Any) -> None:
        raise StoreError("the disk is full")

    key = {"Idempotency-Key": "one"}
    monkeypatch.setattr(service.publisher, "publish", full)
    assert api.post("/v1/overrides", json=BLOCK, headers=key).status_code == 500
    assert api.post("/v1/overrides", json=BLOCK, headers=key).status_code == 409
    assert len((api.get("/v1/overrides").json or {})["overrides"]) == 1


def test_of_two_simultaneous_requests_with_a_key_one_is_refused(
    api_as: Callable[[Role], CheckedClient], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, key = api_as(Role.ADMIN), {"Idempotency-Key": "one"}
    add, statuses = service.overrides.add, []

    def slowly(*given: Any) -> Any:
        statuses.append(api.post("/v1/overrides", json=BLOCK, headers=key).status_code)
        return add(*given)

    monkeypatch.setattr(service.overrides, "add", slowly)
    statuses.append(api.post("/v1/overrides", json=BLOCK, headers=key).status_code)
    assert statuses == [409, 201]


def test_a_key_is_forgotten_after_a_day(api: CheckedClient, clock: Clock) -> None:
    key = {"Idempotency-Key": "one"}
    api.post("/v1/overrides", json=BLOCK, headers=key)
    clock.advance(86_402)
    assert api.post("/v1/overrides", json=BLOCK | {"reason": "other"}, headers=key).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(api: CheckedClient, key: str) -> None:
    answer = api.post("/v1/overrides", json=BLOCK, headers={"Idempotency-Key": key})
    assert (answer.status_code, (answer.json or {})["errors"][0]["header"]) == (400, "Idempotency-Key")


# Overrides, tokens, the log, the service


def test_an_override_is_in_force_until_it_is_removed(api: CheckedClient) -> None:
    made = api.post("/v1/overrides", json=BLOCK | {"until": "2999-12-31"})
    assert (made.json or {})["until"] == "2999-12-31T00:00:00Z"
    address = made.headers["Location"]
    assert api.get(address).json == made.json
    assert (api.delete(address).json or {})["removed_at"]
    assert (api.get(address).status_code, api.delete(address).status_code) == (404, 409)
    assert (api.get("/v1/overrides").json or {})["overrides"] == []
    assert len((api.get("/v1/overrides?removed=true").json or {})["overrides"]) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"target": "com"}, "#/target"),
        ({"until": "2020-01-01"}, "#/until"),
        ({"until": "soon"}, "#/until"),
        ({"action": "maybe"}, "#/action"),
        ({"reason": "  "}, "#/reason"),
    ],
)
def test_a_problem_points_to_the_invalid_field_of_an_override(api: CheckedClient, change: Any, pointer: str) -> None:
    answer = api.post("/v1/overrides", json=BLOCK | change)
    assert (answer.status_code, [fault["pointer"] for fault in (answer.json or {})["errors"]]) == (422, [pointer])


def test_the_secret_of_a_token_is_shown_once_and_not_stored(api: CheckedClient, service: Service) -> None:
    key = {"Idempotency-Key": "one"}
    made = api.post("/v1/tokens", json={"role": "viewer", "name": "dashboard"}, headers=key).json
    assert made is not None
    secret = made["token"]
    again = api.post("/v1/tokens", json={"role": "viewer", "name": "dashboard"}, headers=key).json
    assert again == made | {"token": None}
    told = api.get("/v1/tokens").text + api.get(f"/v1/tokens/{made['id']}").text + api.get("/v1/audit").text
    with sqlite3.connect(service.store.database.path) as connection:
        kept = "\n".join(connection.iterdump())
    connection.close()
    assert secret.startswith("blk_")
    assert secret not in told + kept
    headers = {"Authorization": f"Bearer {secret}"}
    assert api.get("/v1/feeds", headers=headers).status_code == 200
    assert (api.delete(f"/v1/tokens/{made['id']}").json or {})["state"] == "revoked"
    assert api.get("/v1/feeds", headers=headers).status_code == 401
    assert api.get(f"/v1/tokens/{made['id']}").status_code == 404


def test_the_audit_log_has_pages_and_is_verified(api: CheckedClient) -> None:
    for number in range(3):
        api.post("/v1/overrides", json=BLOCK | {"target": f"site-{number}.example"})
    page = api.get("/v1/audit?limit=2").json
    assert page is not None
    assert [event["target"] for event in page["events"]] == ["site-2.example", "site-1.example"]
    rest = api.get(f"/v1/audit?limit=2&cursor={page['next']}").json
    assert rest is not None
    assert rest["events"][0]["target"] == "site-0.example"
    assert rest["events"][0]["origin"] == "127.0.0.1"
    assert (api.get("/v1/audit/verify").json or {})["whole"] is True


def test_the_snapshot_is_shown_and_built(api: CheckedClient, service: Service) -> None:
    assert api.get("/v1/snapshot").status_code == 503
    assert (api.post("/v1/snapshot/build").json or {})["version"] == 1
    assert (api.get("/v1/snapshot").json or {})["rules"] == 0
    assert service.store.audit.events(1)[0]["action"] == "snapshot.build"


def test_only_an_admin_sees_the_settings_and_secrets_are_hidden(
    api_as: Callable[[Role], CheckedClient], service: Service
) -> None:
    service.settings.__dict__["fetch"] = settings_for(
        service.settings.data_dir, fetch={"proxy": "http://user:marker@proxy.example:3128"}
    ).fetch
    assert api_as(Role.APPROVER).get("/v1/settings").status_code == 403
    shown = api_as(Role.ADMIN).get("/v1/settings")
    assert "marker" not in shown.text
    assert (shown.json or {})["settings"]["fetch"]["proxy"] == "***"


def test_the_doctor_says_what_is_wrong_and_what_to_do(api: CheckedClient) -> None:
    found = api.get("/v1/doctor").json
    assert found is not None
    assert found["ok"] is False
    assert "blocklist feed catalog" in {finding["check"]: finding for finding in found["findings"]}["feeds"]["mend"]


def test_history_and_listings_of_a_target(api: CheckedClient, court: str) -> None:
    history = api.get("/v1/history?target=www.pirate-1.example").json
    assert history is not None
    assert [item["rule"] for item in history["listings"]] == ["pirate-1.example"]
    at = api.get("/v1/listings?target=pirate-1.example&at=2020-01-01").json
    assert at == {"target": "pirate-1.example", "at": "2020-01-01T00:00:00Z", "listings": []}
    assert api.get("/v1/listings?target=pirate-1.example&at=then").status_code == 400
    assert api.get("/v1/history").status_code == 400
    assert api.get("/v1/history?target=a..b").status_code == 400
    assert threading.active_count() < 50


def test_a_person_is_added_changed_and_disabled(api: CheckedClient) -> None:
    made = api.post("/v1/people", json={"name": "anna", "role": "editor"}, headers={"Idempotency-Key": "one"})
    assert (made.json or {})["link"].startswith("http://127.0.0.1:8080/admin/set-up?key=")
    address = made.headers["Location"]
    again = api.post("/v1/people", json={"name": "anna", "role": "editor"}, headers={"Idempotency-Key": "one"})
    assert (again.json or {})["link"] is None
    assert (api.patch(address, json={"role": "approver"}).json or {})["role"] == "approver"
    assert (api.patch(address, json={"disabled": True}).json or {})["disabled_at"]
    assert api.post(f"{address}/link").status_code == 409
    assert (api.patch(address, json={"disabled": False}).json or {})["disabled_at"] is None
    assert (api.post(f"{address}/link").json or {})["link"] != (made.json or {})["link"]
    assert api.post(f"{address}/sign-out").json == {"name": "anna", "ended": 0}
    assert [person["name"] for person in (api.get("/v1/people").json or {})["people"]] == ["anna"]
    assert api.get("/v1/people/nobody").status_code == 404


def test_an_override_waits_for_a_second_person_with_two_people(
    api: CheckedClient, api_as: Callable[[Role], CheckedClient], service: Service
) -> None:
    access = service.settings.access.model_copy(update={"two_people": True})
    service.settings.__dict__["access"] = access
    made = api.post("/v1/overrides", json=BLOCK)
    assert (made.json or {})["confirmed_at"] is None
    assert api.post(f"{made.headers['Location']}/confirm").status_code in (403, 409)
    with_another = service.tokens.create(Role.APPROVER, "somebody else", "second")[1]
    headers = {"Authorization": f"Bearer {with_another}"}
    confirmed = api.post(f"{made.headers['Location']}/confirm", headers=headers)
    assert (confirmed.json or {})["confirmed_at"]


def test_the_audit_log_is_filtered_exported_and_compared_with_a_noted_hash(api: CheckedClient) -> None:
    api.post("/v1/overrides", json=BLOCK)
    assert len((api.get("/v1/audit?action=OVERRIDE").json or {})["events"]) == 1
    last = json.loads(api.get("/v1/audit/export").text.splitlines()[-1])
    assert last["action"] == "override.block"
    assert api.get("/v1/audit/export?format=csv").text.startswith("id,")
    noted = f"{last['id']}:{last['hash']}"
    assert (api.get(f"/v1/audit/verify?expected={noted}").json or {})["whole"] is True
    assert (api.get(f"/v1/audit/verify?expected=9{noted}").json or {})["whole"] is False
    assert api.get("/v1/audit/verify?expected=x").status_code == 400
