"""``blocklist export`` and ``blocklist changes``: as an admin runs them."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.running import Installation


def test_an_export_is_written_whole_beside_and_what_it_leaves_out_is_said(tmp_path: Path) -> None:
    here = Installation(tmp_path / "data")
    body = tmp_path / "list.txt"
    body.write_text("b.example\na.example\nvideo.example/watch?v=1\n")
    authority = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
    here.run("feed", "add", "court", "--file", str(body), "--format", "lines", *authority)
    here.run("refresh", "court")
    target = tmp_path / "out.txt"
    said = here.run("export", "lines", "--output", str(target))
    assert said == "left out: 1 url rules, which the format lines cannot express\n"
    assert target.read_text() == "a.example\nb.example\n"
    assert here.run("export", "lines", "--feed", "court").startswith("a.example\nb.example\n")
    assert "cannot be written: No such file" in here.run(
        "export", "csv", "--output", str(tmp_path / "no" / "x"), status=1
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "list.txt", "out.txt"]

    found = here.json("changes", "--since", "2020-01-01", "--limit", "2")
    assert [(item["change"], item["rule"]) for item in found["changes"]] == [
        *(("listed", "a.example"), ("listed", "b.example"))
    ]
    assert found["more"]
    assert "since: 'soon' is not a time" in here.run("changes", "--since", "soon", status=2)
