"""Two applications for gunicorn: ours, and what people write first. Both take the folder from the environment."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from flask import Flask, Response, g, jsonify, request

from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app


def ours() -> Flask:
    """Return the service's own Flask application, over the snapshots of a data folder."""
    return create_app(Follower(Path(os.environ["BENCH_FOLDER"]) / "data" / "snapshots", 86_400))


def plain() -> Flask:
    """Return one view and one table: every name above the host is asked for in one statement."""
    app = Flask(__name__)

    @app.get("/v1/lookup")
    def lookup() -> Response:
        if "database" not in g:
            g.database = sqlite3.connect(Path(os.environ["BENCH_FOLDER"]) / "plain.db")
        labels = request.args["domain"].lower().split(".")
        names = [".".join(labels[start:]) for start in range(len(labels))]
        marks = ",".join("?" * len(names))
        row = g.database.execute(f"SELECT 1 FROM sites WHERE host IN ({marks}) LIMIT 1", names).fetchone()
        return jsonify(listed=row is not None, version=1, stale=False)

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        if database := g.pop("database", None):
            database.close()

    return app


def fill(path: Path, hosts: list[str]) -> None:
    """Write the table."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE sites (host TEXT PRIMARY KEY) WITHOUT ROWID")
        database.executemany("INSERT INTO sites VALUES (?)", ((host,) for host in hosts))
    database.close()
