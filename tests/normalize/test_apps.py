"""Every form of an app's id gives one canonical id, on the side of lists and on the side of requests."""

from __future__ import annotations

import pytest

from blocklist.domain.listing import Entry, Rejected, Rule
from blocklist.normalize.apps import parse_app
from blocklist.normalize.candidates import app_candidates, canonical_app, one_app, page_candidates, store_candidates
from blocklist.normalize.rules import Reading, app_rule

PLAY = "https://play.google.com/store/apps/details"
#: By canonical id: the forms in which lists and requests have it.
FORMS = {
    "com.pirate.movies": (
        "com.pirate.movies",
        f"{PLAY}?id=com.pirate.movies&hl=en&gl=US",
        f"{PLAY}/Films?hl=de&id=com.pirate.movies",
        "http://market.android.com/details?id=com.pirate.movies",
        "play.google.com/store/apps/details?id=com.pirate.movies",
        "https%3A%2F%2Fplay.google.com%2Fstore%2Fapps%2Fdetails%3Fid%3Dcom.pirate.movies",
        "market://details?id=com.pirate.movies&referrer=utm_source%3Dx",
        "android-app://com.pirate.movies/",
        "amzn://apps/android?p=com.pirate.movies",
        "http://www.amazon.com/gp/mas/dl/android?p=com.pirate.movies",
        "https://galaxystore.samsung.com/detail/com.pirate.movies",
        "samsungapps://ProductDetail/com.pirate.movies",
        "appmarket://details?id=com.pirate.movies",
        "mobileapp::2-com.pirate.movies",
        "2-com.pirate.movies",
    ),
    "9876543210": (
        "9876543210",
        "id9876543210",
        "ID9876543210",
        "https://apps.apple.com/us/app/films/id9876543210?mt=8",
        "https://itunes.apple.com/app/id9876543210",
        "https://geo.itunes.apple.com/gb/app/x/id9876543210?mt=8&uo=6",
        "itms-apps://itunes.apple.com/app/id9876543210?action=write-review",
        "itms-apps://apps.apple.com/us/app/x/id9876543210?mt=8",
        "ITMS-APPSS://apps.apple.com/ae/app/x/id9876543210",
        "itms://itunes.apple.com/WebObjects/MZStore.woa/wa/viewSoftware?id=9876543210&mt=8",
        "macappstore://itunes.apple.com/app/id9876543210?mt=12",
        "mobileapp::1-9876543210",
    ),
    "B0PIRATE01": (
        "b0pirate01",
        "https://www.amazon.co.uk/Films/dp/B0PIRATE01/ref=sr_1_1",
        "https://amazon.com/gp/product/b0pirate01",
        "amzn://apps/android?asin=B0PIRATE01",
    ),
    "633999": ("633999", "https://channelstore.roku.com/details/633999/films"),
    "7c34d32446def64db7eb2cc359749fe5": (
        "7C34D32446DEF64DB7EB2CC359749FE5",
        "https://channelstore.roku.com/en-gb/details/7C34D32446DEF64DB7EB2CC359749FE5/films",
    ),
    "G15999002586": (
        "g15999002586",
        "https://www.samsung.com/us/appstore/app.do?appId=G15999002586",
        "https://www.samsung.com/us/appstore/app/G15999002586",
    ),
    "1299143": ("https://us.lgappstv.com/main/tvapp/detail?appId=1299143&catCode1=&moreYn=N",),
    "vizio.films": ("vizio.films", "https://www.vizio.com/en/smart-tv-apps?appName=Films&appId=vizio.films"),
    "9NPIRATE0001": (
        "9npirate0001",
        "https://apps.microsoft.com/detail/9npirate0001?rtc=1&hl=fr-FR",
        "https://www.microsoft.com/store/apps/9NPIRATE0001?cid=x",
        "https://www.microsoft.com/en-us/p/films/9npirate0001",
        "ms-windows-store://pdp/?ProductId=9NPIRATE0001&mode=mini",
    ),
    "C109999999": (
        "c109999999",
        "https://appgallery.huawei.com/#/app/C109999999",
        "https://appgallery.huawei.com/app/C109999999",
        "store://appgallery.huawei.com/app/detail?id=c109999999",
    ),
    "UP9999-CUSA09999_00-PIRATEPS40000000": (
        "up9999-cusa09999_00-pirateps40000000",
        "https://store.playstation.com/en-us/product/UP9999-CUSA09999_00-PIRATEPS40000000",
    ),
}
PAIRS = [(form, app) for app, forms in FORMS.items() for form in forms]
_NO_STORE = "not a page of an app store that is known"
#: Entries that name no app, or not one, and a part of the reason.
NO_APP = {
    f"{PLAY.replace('details', 'dev')}?id=5700313618786177705": "not the page of an app",
    "https://play.google.com/store/search?q=films": "not the page of an app",
    "https://play.google.com/store/books/details?id=com.pirate.book": "not the page of an app",
    "market://search?q=pub:films": "names no site and no app",
    "market://dev?id=5700313618786177705": "names no site and no app",
    "https://apps.apple.com/us/developer/films/id9876543210": "not the page of an app",
    "https://music.apple.com/us/album/x/id9876543210": _NO_STORE,
    "https://www.amazon.com/dp/0123456789": "not the page of an app",
    "https://amzn.to/3xYz": "short link",
    "https://pirate-one.example/app.apk": _NO_STORE,
    "https://web.archive.org/web/2024/https://pirate-one.example/": _NO_STORE,
    f"{PLAY}?id=com.good&id=com.pirate.movies": "names 2 apps: com.good, com.pirate.movies",
    "com.pirate.movies, com.other.app": "holds",
    "com.pirate.movies|com.other.app": "holds '|'",
    "${APP_BUNDLE}": "holds '$'",
    "кино": "holds",
    "---": "is no app id",
    "com.example.music free": "holds ' '",
}


def made(text: str) -> Rule | Rejected:
    return app_rule(Entry(text, 1), Reading(entries="apps"))


@pytest.mark.parametrize(("form", "app"), PAIRS)
def test_an_entry_of_a_list_in_any_form_is_one_app(form: str, app: str) -> None:
    rule = made(form)
    assert isinstance(rule, Rule), rule
    assert rule.value == app
    assert canonical_app(form) == app


@pytest.mark.parametrize(("form", "app"), PAIRS)
def test_a_request_in_any_form_is_the_same_app(form: str, app: str) -> None:
    for reader in (app_candidates, store_candidates):
        apps = [(target.app, via) for target, via in reader(form) if target.app is not None]
        assert apps == [(app, None)]


@pytest.mark.parametrize(("form", "app"), [(form, app) for form, app in PAIRS if "://" in form])
def test_the_page_of_a_store_as_a_page_shows_its_app(form: str, app: str) -> None:
    ((found, via),) = [(target.app, via) for target, via in page_candidates(form) if target.app is not None]
    assert found == app
    assert via


@pytest.mark.parametrize(("text", "reason"), NO_APP.items(), ids=list(NO_APP))
def test_an_entry_that_names_no_app_is_rejected_with_its_reason(text: str, reason: str) -> None:
    rejected = made(text)
    assert isinstance(rejected, Rejected), rejected
    assert reason in rejected.reason
    assert rejected.code == "unreadable"


def test_an_empty_entry_is_rejected_as_empty() -> None:
    rejected = made(" ")
    assert isinstance(rejected, Rejected)
    assert rejected.code == "empty"


def test_what_publishers_put_around_an_id_is_no_part_of_it() -> None:
    for text in ('"com.pirate.movies"', "com.pirate.movies,", "\ufeffcom.pirate.movies ", "'com.pirate.movies';"):
        assert one_app(text).app == "com.pirate.movies"


def test_case_is_kept_where_stores_distinguish_it() -> None:
    for app in ("com.Pirate.Movies", "Bestmovies", "tv.PirateFilms-iOS", "1022720soccha"):
        assert parse_app(app).app == app
    # Packages under Indonesia's domain, not numbers of Apple.
    assert parse_app("id.pirate.films").app == "id.pirate.films"


def test_digits_of_other_scripts_are_no_number_of_apple() -> None:
    assert parse_app("id１２３４５６７８９").app == "id１２３４５６７８９"
    assert isinstance(made("https://apps.apple.com/us/app/x/id１２３４５６７８９"), Rejected)


def test_two_ids_in_one_address_are_both_judged_in_the_order_of_the_address() -> None:
    found = app_candidates("http://play.google.com/store/apps/details?id=com.good.app&id=com.pirate.movies")
    assert [target.app for target, _ in found] == [None, "com.good.app", "com.pirate.movies"]
    both = app_candidates("http://www.amazon.com/gp/mas/dl/android?p=com.pirate.movies&asin=B0PIRATE01")
    assert [target.app for target, _ in both] == [None, "com.pirate.movies", "B0PIRATE01"]


def test_an_app_and_the_page_that_a_link_into_it_opens_are_both_judged() -> None:
    found = app_candidates("android-app://com.pirate.movies/https/pirate-one.example/film")
    assert [(target.app or target.host, via) for target, via in found] == [
        ("com.pirate.movies", None),
        ("pirate-one.example", "android-app"),
    ]
    store = "intent://details?id=com.pirate.movies#Intent;scheme=market;package=com.android.vending;end"
    assert [target.app for target, _ in app_candidates(store)] == ["com.android.vending", "com.pirate.movies"]
    intent = "intent://pirate-one.example/film#Intent;scheme=https;package=com.pirate.movies;end"
    assert [target.app or target.host for target, _ in page_candidates(intent)] == [
        "pirate-one.example",
        "com.pirate.movies",
    ]


def test_ids_as_some_exchanges_send_them_are_compared_as_they_stand() -> None:
    for app in ("FireTV/films", "+com.pirate.livetv", "https3a2f2fwww.vizio.com2fx", "roku"):
        assert [target.app for target, _ in app_candidates(app)] == [app]


def test_a_store_url_that_is_no_url_is_judged_as_a_host_and_as_an_app() -> None:
    assert [target.app or target.host for target, _ in store_candidates("com.pirate.movies")] == [
        "com.pirate.movies",
        "com.pirate.movies",
    ]
    assert [target.app for target, _ in store_candidates("9876543210")] == ["9876543210"]
    assert store_candidates("pirate-one.example/app.apk")[0].target.host == "pirate-one.example"
