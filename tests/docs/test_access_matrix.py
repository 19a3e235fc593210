"""Who may ask which address, measured: every route and method of the control plane, by everybody who might.

``python -m tests.docs.test_access_matrix`` writes the table into docs/security.md again.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from blocklist.access.secrets import hash_secret
from blocklist.config.settings import Settings
from blocklist.domain.access import Role
from blocklist.domain.clock import later, now
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.support import session_client, token_client

_DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
_BEGIN, _END = "<!-- matrix:begin -->\n", "<!-- matrix:end -->\n"
_COLUMNS = ("nobody", *Role, "expired token", "revoked token", "other site's form")
#: What stands in the place of a parameter in an address.
_FILLED = {"int": "1", "path": "x", "default": "x", "string": "x"}


def _answering(app: Flask) -> Flask:
    """Let every view answer 204 and do nothing: what is measured is who gets as far as that."""

    def answers(view: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(view)(lambda **_: ("", 204))

    app.view_functions = {endpoint: answers(view) for endpoint, view in app.view_functions.items()}
    return app


def _clients(app: Flask, service: Service) -> dict[str, FlaskClient]:
    """Return a client for each column: tokens of each role, and the browser of an admin on a page of another site."""
    # Somebody who is not signed in has opened the form that they send.
    clients = {"nobody": app.test_client()}
    clients["nobody"].set_cookie("blocklist-forms", "x")
    clients["nobody"].environ_base["HTTP_X_CSRF_TOKEN"] = hash_secret("csrf x")
    clients |= {role.value: token_client(app, service, role) for role in Role}
    clients["expired token"] = _with_token(app, service, later(now(), 60))
    service.store.database.execute("UPDATE tokens SET expires_at = '2020-01-01T00:00:00Z' WHERE expires_at IS NOT NULL")
    clients["revoked token"] = _with_token(app, service, None)
    service.tokens.revoke(service.store.tokens.all()[-1].id, "test")
    clients["other site's form"] = session_client(app, service, Role.ADMIN)
    clients["other site's form"].environ_base |= {
        "HTTP_ORIGIN": "https://evil.example",
        "HTTP_SEC_FETCH_SITE": "cross-site",
    }
    # A page of another site can make a browser send its cookies, and cannot make it send a header of ours.
    del clients["other site's form"].environ_base["HTTP_X_CSRF_TOKEN"]
    return clients


def _with_token(app: Flask, service: Service, expires_at: str | None) -> FlaskClient:
    client = app.test_client()
    _, secret = service.tokens.create(Role.ADMIN, "test", expires_at=expires_at)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def _outcome(client: FlaskClient, method: str, path: str) -> str:
    with client.open(path, method=method) as answer:
        if answer.status_code == 303 and answer.headers["Location"].startswith("/admin/sign-in"):
            return "sign-in"
        return "yes" if answer.status_code == 204 else str(answer.status_code)


def _rows(app: Flask, service: Service) -> Iterator[tuple[str, ...]]:
    clients = _clients(app, service)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: _FILLED[found[1] or "default"], rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield (f"`{method} {rule.rule}`", *(_outcome(clients[column], method, path) for column in _COLUMNS))


def measured() -> str:
    """Return the table as it is."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Settings(data_dir=Path(folder)))
        app = _answering(create_app(Follower(service.snapshots.folder, 60), service))
        rows = [("", *_COLUMNS), ("---",) * (len(_COLUMNS) + 1), *_rows(app, service)]
        service.close()
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


def test_the_access_matrix_is_exactly_the_table_in_the_documentation() -> None:
    told = _DOCUMENT.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0]
    assert told == measured(), "a route or a role has changed: python -m tests.docs.test_access_matrix"


def test_the_matrix_lets_nobody_in_but_where_a_page_or_a_lookup_says_so() -> None:
    rows = [line.strip("| \n").split(" | ") for line in measured().splitlines()[2:]]
    table = {row[0].strip("`"): dict(zip(_COLUMNS, row[1:], strict=True)) for row in rows}
    open_ = {address for address, outcome in table.items() if outcome["nobody"] == "yes"}
    assert {address for address in open_ if not address.startswith(("GET /admin/s", "POST /admin/s"))} == {
        *("GET /", "GET /healthz", "GET /readyz", "GET /metrics"),
        *("GET /v1/lookup", "POST /v1/lookup", "POST /v1/openrtb", "GET /v1/gate"),
        *("GET /openapi.json", "GET /docs", "GET /docs/static/<path:filename>"),
    }
    for address, outcome in table.items():
        closed = address not in open_
        assert (outcome["expired token"] == "yes") is not closed, address
        assert outcome["revoked token"] == outcome["expired token"], address
        assert outcome["admin"] == "yes", address
        changes = not address.startswith("GET ")
        lookup = address.partition(" ")[2] in ("/v1/lookup", "/v1/openrtb")
        assert outcome["other site's form"] == ("403" if changes and not lookup else "yes"), address


def write() -> None:
    """Write the table into the documentation."""
    text = _DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(_BEGIN)
    _DOCUMENT.write_text(before + _BEGIN + measured() + _END + rest.partition(_END)[2], "utf-8")


if __name__ == "__main__":
    write()
