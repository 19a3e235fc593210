"""Pages: feeds are added, edited, refreshed, uploaded and removed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.definitions.catalog import catalog_names, from_catalog
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.web.pages.definition_form import definition_from_form, form_from_definition
from blocklist.web.pages.layout import Form
from tests.e2e.running import wait_for
from tests.support import definition
from tests.web.pages.conftest import As
from tests.web.pages.html import definition_form, ended, listed, only, page, problem, text


@pytest.mark.parametrize("name", catalog_names())
def test_a_definition_does_not_change_in_its_form(name: str) -> None:
    known = from_catalog(name)
    assert definition_from_form(Form(dict(form_from_definition(known).items())), known) == known


def test_changed_lines_of_a_form_mean_the_same_as_command_options() -> None:
    known = definition(guards={"never_block": ["a.example", "b.example"]}, source={"url": "https://court.example/"})
    form = form_from_definition(known)
    assert form["options"] == "guards.never_block=a.example, b.example"
    values = dict(form.items()) | {"options": "guards.never_block=c.example, b.example\nrules.www=keep\nmember=x.txt"}
    changed = definition_from_form(Form(values), known)
    assert isinstance(changed, FeedDefinition)
    assert changed.guards.model_dump()["never_block"] == ("c.example", "b.example")
    assert changed.rules.www == "keep"
    assert changed.options == {"member": "x.txt"}
    assert changed.source.url == "https://court.example/"


def test_a_feed_is_previewed_added_and_read(service: Service, tmp_path: Path, signed_in_client: FlaskClient) -> None:
    (tmp_path / "list.txt").write_text("pirate.example\nnot a site\n", encoding="utf-8")
    form = definition_form(options=f"source.file={tmp_path / 'list.txt'}")
    seen = signed_in_client.post("/admin/feeds/new/define", data={**form, "step": "preview"})
    assert "It would be applied immediately. 2 entries give 1 rule; 1 row rejected." in text(seen)
    assert service.store.feeds.all() == []
    assert service.store.runs.all() == []
    carried = {
        field.attributes["name"] or "": field.attributes.get("value") or ""
        for field in page(seen).css("main form input[type=hidden]:not([name=csrf])")
    }
    assert carried == {name: value for name, value in form.items() if value}

    added = signed_in_client.post("/admin/feeds/new/define", data={**carried, "step": "save"})
    assert added.status_code == 303
    run = ended(signed_in_client, added.headers["Location"])
    assert "1 sites: 1 added, 0 removed, 0 restated" in text(run)
    assert service.store.feeds.get("court").listed == 1


def test_a_feed_whose_list_cannot_be_read_can_be_added_anyway(service: Service, signed_in_client: FlaskClient) -> None:
    form = definition_form(options="source.file=/nowhere/list.txt")
    seen = signed_in_client.post("/admin/feeds/new/define", data={**form, "step": "preview"})
    assert "The list could not be read." in text(seen)
    assert "Add anyway" in text(seen)


def test_a_feed_without_an_address_is_added_and_its_list_uploaded(
    service: Service, signed_in_client: FlaskClient
) -> None:
    added = signed_in_client.post("/admin/feeds/new/define", data=definition_form(step="save"))
    assert added.headers["Location"] == "/admin/feeds/court/upload"
    brought = {"file": (io.BytesIO(b"pirate.example\n"), "list.txt")}
    seen = signed_in_client.post("/admin/feeds/court/upload", data=brought)
    assert "1 entry gives 1 rule" in text(seen)
    key = only(page(seen), "main form input[name=upload]").attributes["value"]
    assert service.store.runs.all() == []
    applied = signed_in_client.post("/admin/feeds/court/upload/apply", data={"upload": key})
    assert "1 sites: 1 added" in text(ended(signed_in_client, applied.headers["Location"]))
    wait_for(lambda: not list((service.settings.data_dir / "incoming").iterdir()))
    again = signed_in_client.post("/admin/feeds/court/upload/apply", data={"upload": key})
    assert "the file was deleted after one hour" in problem(again, "file")


def test_an_upload_cannot_name_another_file(service: Service, signed_in_client: FlaskClient) -> None:
    service.feeds.add(definition(), "a test")
    answer = signed_in_client.post("/admin/feeds/court/upload/apply", data={"upload": "../../blocklist.db"})
    assert "the form has no valid file" in problem(answer, "file")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Not A Name", "is not a feed name"),
        ("every", "often", "is not a duration"),
        ("authority.country", "Britain", "is not a country"),
        ("source.url", "ftp://court.example/", "is not an address"),
        ("options", "column=1", "column"),
        ("options", "no pair", "takes key=value"),
        ("options", "guards.max_removed=much", "valid number"),
    ],
)
def test_an_error_in_a_definition_is_next_to_its_field(
    signed_in_client: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = signed_in_client.post("/admin/feeds/new/define", data=definition_form(**{field: value}))
    assert answer.status_code == 422
    assert said in problem(answer, field)


def test_the_name_of_an_existing_feed_is_refused(service: Service, signed_in_client: FlaskClient) -> None:
    service.feeds.add(definition(), "a test")
    answer = signed_in_client.post("/admin/feeds/new/define", data=definition_form())
    assert "exists already" in problem(answer, "name")


def test_a_definition_for_reference_only_cannot_be_added(signed_in_client: FlaskClient) -> None:
    shown = page(signed_in_client.get("/admin/feeds/new"))
    offered = [link.attributes.get("href") or "" for link in shown.css("a")]
    assert not any("us-ustr" in address for address in offered)
    answer = signed_in_client.post(
        "/admin/feeds/new/define", data=definition_form(**{"from": "eu-watch-list", "step": "save", "notes": "x"})
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("step", ["preview", "save"])
@pytest.mark.parametrize(
    "options", ["source.file=/etc/passwd", "source.credentials.kind=bearer\nsource.credentials.env=HOME"]
)
def test_only_an_admin_can_set_files_and_credentials(service: Service, client_as: As, step: str, options: str) -> None:
    service.feeds.add(definition(), "a test")
    editor = client_as(Role.EDITOR)
    seen = only(page(editor.get("/admin/feeds/court/edit")), "[name=seen]").attributes["value"] or ""
    url = "" if "file" in options else "https://court.example/"
    for address, name in (("/admin/feeds/new/define", "other"), ("/admin/feeds/court/edit", "court")):
        form = definition_form(name=name, options=options, seen=seen, step=step, **{"source.url": url})
        answer = editor.post(address, data=form)
        assert "only an admin may" in only(page(answer), "[role=alert]").text()
        assert "root:" not in answer.text
    assert [(feed.name, definition_of(feed).source.file) for feed in service.store.feeds.all()] == [("court", None)]


def test_the_second_of_two_edits_is_refused(service: Service, signed_in_client: FlaskClient) -> None:
    service.feeds.add(definition(), "a test")
    seen = only(page(signed_in_client.get("/admin/feeds/court/edit")), "[name=seen]").attributes["value"] or ""
    form = definition_form(seen=seen, step="save")
    assert signed_in_client.post("/admin/feeds/court/edit", data={**form, "title": "First"}).status_code == 303
    second = signed_in_client.post("/admin/feeds/court/edit", data={**form, "title": "Second"})
    assert second.status_code == 422
    assert definition_of(service.store.feeds.get("court")).title == "First"
    assert only(page(second), "[id=title]").attributes["value"] == "Second"


def test_the_name_of_a_feed_cannot_change(service: Service, signed_in_client: FlaskClient) -> None:
    service.feeds.add(definition(), "a test")
    answer = signed_in_client.post("/admin/feeds/court/edit", data=definition_form(name="other", step="save"))
    assert answer.status_code == 422
    assert "name of a feed cannot change" in text(answer)


def test_feeds_are_paused_resumed_refreshed_and_removed(
    service: Service, tmp_path: Path, signed_in_client: FlaskClient
) -> None:
    listed(service, tmp_path, "pirate.example\n")
    signed_in_client.post("/admin/feeds/court/pause")
    assert service.store.feeds.get("court").paused
    signed_in_client.post("/admin/feeds/court/resume")
    assert not service.store.feeds.get("court").paused
    run = signed_in_client.post("/admin/feeds/court/refresh").headers["Location"]
    assert "unchanged" in text(ended(signed_in_client, run))
    assert signed_in_client.post("/admin/feeds/court/nothing").status_code == 404
    assert signed_in_client.post("/admin/feeds/court/remove").status_code == 422
    assert signed_in_client.post("/admin/feeds/court/remove", data={"sure": "yes"}).status_code == 303
    assert service.store.feeds.all() == []
    assert "Run 1 of court" in text(signed_in_client.get("/admin/runs/1"))
    done = {event["action"]: event["actor"] for event in service.store.audit.events()}
    assert {done[f"feed.{action}"] for action in ("pause", "resume", "remove")} == {"test-admin"}
    assert service.store.runs.get(2).trigger == "test-admin"


def test_feeds_are_filtered_by_state_and_text(service: Service, tmp_path: Path, signed_in_client: FlaskClient) -> None:
    listed(service, tmp_path, "pirate.example\n")
    service.feeds.add(definition("other"), "a test")
    both = ["court", "other"]
    for query, found in (
        ("state=fresh", both[:1]),
        ("state=new", both[1:]),
        ("search=OTH", both[1:]),
        ("page=9", both),
    ):
        rows = page(signed_in_client.get(f"/admin/feeds?{query}")).css("tbody th a")
        assert [row.text() for row in rows] == found
