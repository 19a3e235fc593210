"""The work of an admin in a real browser, from the setup link to sign-out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browsing import PICTURES, Scheme, Visitor, browser, needs_chromium
from tests.e2e.running import Installation, Publisher, Running, publisher, respond, serving, wait_for

pytestmark = needs_chromium

_NAME, _PASSWORD = "anna.berg", "correct horse battery staple"
_WHOLE = "".join(f"pirate{number:02d}.example\n" for number in range(40)).encode()
_CUT = b"pirate00.example\npirate01.example\npirate02.example\n"
#: Layout goes by width and contrast by light: two of the four show what there is to find, pictures are taken of all.
_LOOKED_AT: tuple[tuple[int, Scheme], ...] = ((1280, "light"), (400, "dark"))
_PICTURED: tuple[tuple[int, Scheme], ...] = ((1280, "dark"), (400, "light"))
#: Every page, by the name of its picture.
_PAGES = {
    "overview": "",
    "feeds": "feeds",
    "feed": "feeds/it-agcom",
    "feed-new": "feeds/new",
    "feed-define": "feeds/new/define?from=wipo-alert",
    "feed-edit": "feeds/it-agcom/edit",
    "upload": "feeds/it-agcom/upload",
    "runs": "runs",
    "run": "runs/1",
    "review": "review",
    "lookup": "lookup",
    "lookup-listed": "lookup?target=https://www.cinema-pirata.example/film",
    "lookup-partial": "lookup?target=video.example",
    "lookup-held": "lookup?target=https://web.archive.org/film",
    "lookup-held-run": "lookup?target=named-by-a-held-run.example",
    "lookup-held-and-listed": "lookup?target=www.cinema-pirata.example",
    "lookup-held-many": "lookup?target=web.archive.org%0Aexample.com%0Apiraty.example%0Anamed-by-a-held-run.example",
    "lookup-many": "lookup?target=piraty.example%0Aexample.com%0Aa..b",
    "lookup-unknown": "lookup?target=a..b",
    "overrides": "overrides",
    "audit": "audit?verify=1",
    "access": "access",
    "settings": "settings",
    "account": "account",
    "not-there": "feeds/nosuch",
}


@pytest.fixture(scope="module")
def published() -> Iterator[Publisher]:
    with publisher() as started:
        yield started


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installed = Installation(tmp_path_factory.mktemp("pages") / "data")
    installed.run("feed", "samples")
    return installed


@pytest.fixture(scope="module")
def service(installation: Installation) -> Iterator[Running]:
    with serving(installation) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def set_up(installation: Installation, service: Running, chromium: Browser) -> None:
    """The first admin was created with the setup link, and has signed out."""
    log = installation.folder.parent / f"{installation.folder.name}.log"
    said = re.compile(r"http://\S+/admin/set-up\?key=\S+")
    wait_for(lambda: bool(said.search(log.read_text())))
    link = said.search(log.read_text())
    assert link
    visitor = Visitor.at(chromium, service.control, 1280, "light")
    visitor.page.goto(link[0])
    visitor.look("set-up")
    visitor.fill(name=_NAME, password=_PASSWORD, again=_PASSWORD)
    visitor.press("Create admin and sign in")
    visitor.sees("Everything is OK.")
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.goto(link[0])
    assert visitor.page.get_by_role("button", name="Create admin and sign in").count() == 0
    assert visitor.troubles == [] or all("status of 4" in trouble for trouble in visitor.troubles)


@pytest.fixture(scope="module")
def held_names(installation: Installation, set_up: None) -> None:
    """A feed holds an entry alone, and then a whole run."""
    file = installation.folder.parent / "orders.txt"
    file.write_text("archive.org\n" + "".join(f"site{number}.example\n" for number in range(9)))
    court = ("--format", "lines", "--authority", "Test Court", "--kind", "court", "--country", "GB")
    installation.run("feed", "add", "orders", "--file", str(file), *court)
    installation.run("refresh", "orders")
    file.write_text("named-by-a-held-run.example\ncinema-pirata.example\nsite1.example\narchive.org\n")
    installation.run("refresh", "orders", status=3)


def _signed_in(chromium: Browser, service: Running, width: int, scheme: Scheme, *, scripts: bool = True) -> Visitor:
    visitor = Visitor.at(chromium, service.control, width, scheme, scripts=scripts)
    visitor.page.goto("/admin/")
    visitor.look("sign-in", closely=scripts)
    visitor.fill(name=_NAME, password=_PASSWORD)
    visitor.press("Sign in")
    visitor.page.locator("nav.main").wait_for()
    return visitor


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize(("width", "scheme"), _LOOKED_AT)
def test_an_admin_adds_a_feed_reviews_a_run_adds_an_override_and_reads_the_audit_log(
    chromium: Browser, service: Running, published: Publisher, width: int, scheme: Scheme
) -> None:
    name = f"court-{scheme}"
    go_on = threading.Event()

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        go_on.wait(20)
        respond(handler, _WHOLE)

    published.answer = lambda handler: respond(handler, _WHOLE)
    visitor = _signed_in(chromium, service, width, scheme)
    page = visitor.page
    closely = width > 600

    page.locator("nav.main").get_by_role("link", name="Feeds").click()
    page.get_by_role("link", name="Add a feed").click()
    visitor.fill(url=published.url)
    visitor.press("Continue")
    visitor.fill(name=name, every="often", authority__name="Test Court", authority__country="GB")
    visitor.press("Preview")
    visitor.sees("'often' is not a duration")
    visitor.look("feed-define-problem", closely=closely)
    visitor.fill(every="6h")
    visitor.press("Preview")
    visitor.sees("It would be applied immediately.")
    visitor.look("preview", closely=closely)
    published.answer = slowly
    visitor.press("Add feed")
    visitor.sees("Fetching the list")
    visitor.look("run-under-way", closely=closely)
    go_on.set()
    visitor.sees("40 sites: 40 added, 0 removed, 0 restated")

    published.answer = lambda handler: respond(handler, _CUT)
    page.locator(".crumbs").get_by_role("link", name=name).click()
    visitor.press("Refresh now")
    visitor.sees("would remove 37 of 40 sites")
    assert service.verdict(domain="pirate39.example")["listed"]

    page.locator("nav.main").get_by_role("link", name=re.compile("Review")).click()
    visitor.look("review-waiting", closely=closely)
    page.get_by_role("link", name=re.compile("Review changes")).click()
    page.locator("#find").fill("pirate39")
    visitor.press("Filter")
    visitor.sees("1–1 of 1")
    visitor.look("run-held", closely=closely)
    visitor.fill(reason="The court lifted these orders on Monday.")
    visitor.press("Approve")
    visitor.sees("was approved and is in force")
    wait_for(lambda: not service.verdict(domain="pirate39.example")["listed"])

    page.locator("#search").fill("https://www.pirate01.example/film")
    visitor.press("Look up")
    visitor.sees("Listed: no ads here")
    shared = page.url
    page.get_by_role("link", name="Allow with an override").click()
    visitor.fill(reason="Settled with the rights holder.")
    visitor.press("Add override")
    visitor.sees("is allowed from now on")
    wait_for(lambda: not service.verdict(domain="www.pirate01.example")["listed"])
    visitor.look("overrides-one", closely=closely)
    page.goto(shared)
    visitor.sees("Settled with the rights holder.")
    visitor.look("lookup-overridden", closely=closely)
    page.goto("/admin/overrides")
    page.get_by_role("button", name=re.compile("^Remove")).first.click()
    visitor.sees("was removed")

    page.locator("nav.main").get_by_role("link", name="Audit").click()
    for action in ("feed.add", "run.approve", "override.allow", "override.remove"):
        visitor.sees(action)
    visitor.sees("The court lifted these orders on Monday.")
    page.get_by_role("link", name="Verify the chain").click()
    visitor.sees("The chain is intact")

    page.get_by_role("button", name="Sign out").click()
    visitor.page.locator("nav.main").wait_for(state="detached")
    page.goto("/admin/audit")
    assert "/admin/sign-in" in page.url
    # The browser also reports the status 422 of the form with the error.
    assert [trouble for trouble in visitor.troubles if "422" not in trouble] == []


@pytest.mark.usefixtures("held_names")
@pytest.mark.parametrize(("width", "scheme"), [*_LOOKED_AT, *(_PICTURED if PICTURES else ())])
def test_every_page_is_accessible_at_each_width_and_color_scheme(
    chromium: Browser, service: Running, width: int, scheme: Scheme
) -> None:
    visitor = _signed_in(chromium, service, width, scheme)
    for name, address in _PAGES.items():
        visitor.page.goto(f"/admin/{address}")
        visitor.look(name, closely=(width, scheme) in _LOOKED_AT)
    assert [trouble for trouble in visitor.troubles if "status of 4" not in trouble] == []


@pytest.mark.usefixtures("set_up")
def test_every_control_is_reachable_with_the_keyboard_and_shows_its_focus(chromium: Browser, service: Running) -> None:
    page = _signed_in(chromium, service, 1280, "light").page
    page.goto("/admin/lookup?target=cinema-pirata.example")
    interactive = page.locator(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
    ).count()
    reached = set()
    for _ in range(interactive + 5):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "() => { const e = document.activeElement;"
            " return [[...document.body.querySelectorAll('*')].indexOf(e), getComputedStyle(e).outlineStyle]; }"
        )
        if place >= 0:
            assert outline != "none"
            reached.add(place)
    assert len(reached) == interactive


@pytest.mark.usefixtures("set_up")
def test_upload_and_review_work_without_scripts(
    chromium: Browser, service: Running, installation: Installation, tmp_path: Path
) -> None:
    visitor = _signed_in(chromium, service, 400, "light", scripts=False)
    page = visitor.page
    page.goto("/admin/feeds/it-agcom/upload")
    (tmp_path / "list.hosts").write_text("0.0.0.0 brought.example\n0.0.0.0 cinema-pirata.example\n", encoding="utf-8")
    page.locator("#file").set_input_files(tmp_path / "list.hosts")
    visitor.press("Preview")
    visitor.sees("It would be held for review.")
    visitor.press("Submit for review")
    wait_for(lambda: bool(installation.json("run", "list", "--feed", "it-agcom")[0]["outcome"]))
    page.reload()
    visitor.fill(reason="The new Allegato B.")
    visitor.press("Approve")
    visitor.sees("was approved and is in force")
    page.goto("/admin/lookup?target=brought.example")
    visitor.sees("Listed: no ads here")
