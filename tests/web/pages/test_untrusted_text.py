"""Pages show malicious text from feeds safely."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.service import Service
from tests.web.pages.conftest import As
from tests.web.pages.html import definition_form, harms, listed, page, text

_TURN = "\u202e\u2066\u200f"
_LONG = "x" * 10_000
#: A list whose every field is hostile; its first site is a site all the same.
BODY = (
    "site,order,basis,day\n"
    f'pirate.example,javascript:alert(1),"<script>alert(1)</script>{_TURN}gro.etatse",'
    "'\"><img src=x onerror=alert(1)>\n"
    f"pirate2.example,{_LONG},</td></table><style>*{{display:none}}</style>,x\n"
    f'<script>alert(2)</script>,a,b,c\n"{_TURN}moc.elpmaxe<b>",a,b,c\n{_LONG}..{_LONG},a,b,c\n'
    "pirate3.example,https://court.example/order/7,b,c\n"
)
OPTIONS = {"column": "site", "reference": "order", "legal_basis": "basis", "published_at": "day"}


@pytest.fixture(scope="module")
def hostile(shared_service: Service, read_only_client: As, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("lists")
    run = listed(
        shared_service, folder, BODY, format="csv", options=OPTIONS, title=f"<i>{_TURN}t", guards={"max_rejected": 1}
    )
    assert run.counts.rules == 3
    assert run.counts.rejected == 3
    return read_only_client(Role.ADMIN)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "feeds",
        "feeds/court",
        "feeds/court/edit",
        "runs/1",
        "lookup?target=pirate.example",
        "lookup?target=pirate2.example",
    ],
)
def test_untrusted_text_cannot_run_link_or_change_the_text_direction(hostile: FlaskClient, path: str) -> None:
    answer = hostile.get(f"/admin/{path}")
    assert answer.status_code == 200
    assert harms(answer) == []
    assert answer.status_code == 200
    assert harms(answer) == []
    if "edit" not in path:
        # Form fields keep the text unchanged; everywhere else, invisible characters are shown by code.
        assert not set(_TURN) & set(answer.get_data(as_text=True))


def test_invisible_characters_are_shown_by_code(hostile: FlaskClient) -> None:
    assert "<script>alert(1)</script> U+202E U+2066 U+200F gro.etatse" in text(
        hostile.get("/admin/lookup?target=pirate.example")
    )


def test_long_text_is_shortened_and_can_be_expanded(hostile: FlaskClient) -> None:
    shown = page(hostile.get("/admin/lookup?target=pirate2.example"))
    rest = shown.css("details.rest")
    assert rest[0].css("summary")[0].text() == "show all 10,000 characters"
    assert "open" not in rest[0].attributes


def test_an_order_is_a_link_only_if_it_is_an_http_address(hostile: FlaskClient) -> None:
    good = page(hostile.get("/admin/lookup?target=pirate3.example")).css('a[href="https://court.example/order/7"]')
    assert good
    assert all("noreferrer" in (link.attributes["rel"] or "") for link in good)
    assert "javascript:alert(1)" in text(hostile.get("/admin/lookup?target=pirate.example"))


def test_a_preview_shows_untrusted_text_safely(hostile: FlaskClient, shared_service: Service, tmp_path: Path) -> None:
    (tmp_path / "hostile.csv").write_text(BODY, encoding="utf-8")
    form = definition_form(
        name="other",
        format="csv",
        options=f"column=site\nreference=order\nguards.max_rejected=1\nsource.file={tmp_path / 'hostile.csv'}",
        title="<script>",
    )
    answer = hostile.post("/admin/feeds/new/define", data={**form, "step": "preview"})
    assert answer.status_code == 200
    assert "It would be applied immediately." in text(answer)
    assert harms(answer) == []
    assert not set(_TURN) & set(answer.get_data(as_text=True))
    assert [feed.name for feed in shared_service.store.feeds.all()] == ["court"]


def test_an_upload_shows_untrusted_text_safely(hostile: FlaskClient) -> None:
    file = (io.BytesIO(BODY.encode()), "<script>alert(1)</script>.csv")
    answer = hostile.post("/admin/feeds/court/upload", data={"file": file})
    assert answer.status_code == 200
    assert harms(answer) == []
    assert answer.status_code == 200
    assert harms(answer) == []


def test_the_body_of_a_run_is_downloaded_and_not_shown(hostile: FlaskClient) -> None:
    answer = hostile.get("/admin/runs/1/body")
    assert answer.get_data(as_text=True) == BODY
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox"
