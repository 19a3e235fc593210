"""Regular expressions that people configure, on texts that publishers choose."""

from __future__ import annotations

import threading
import time

import pytest

from blocklist.text.safe_regex import RegexMatch, RegexTimeoutError, matching, search

SLOW = "(a+)+b(c)"


def test_a_pattern_finds_what_python_finds() -> None:
    texts = ["of 3/2/2024", "\ud800 \u202eof 4/5/2025\n", "", "none"]
    found = search(r"(of) (?P<day>\d+)/(\d+)(x)?", texts)
    assert found == [
        RegexMatch(("of", "3", "2", None), {"day": "3"}),
        RegexMatch(("of", "4", "5", None), {"day": "4"}),
        None,
        None,
    ]
    assert matching("^ORDER", ["Order 1", "an order"]) == [True, False]
    assert search("x", []) == []


def test_a_pattern_that_would_take_years_is_stopped_and_blocks_no_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.text.safe_regex.SECONDS", 1.0)
    refused: list[str] = []

    def search_slowly() -> None:
        with pytest.raises(RegexTimeoutError) as raised:
            search(SLOW, ["a" * 60 + "!"])
        refused.append(str(raised.value))

    thread = threading.Thread(target=search_slowly)
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.01)
        turns += 1
    thread.join()
    assert SLOW in refused[0]
    # A search in this process would have blocked this thread.
    assert turns > 10
