"""The settings that are derived from the guards."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from blocklist.guards.guard import Guard
from blocklist.guards.guard_settings import FeedGuards, GuardSettings, limits_of
from blocklist.guards.registry import GUARDS

#: Guards that protect the service, and those that do nothing without names.
ALWAYS_ON = {
    *("empty_body", "no_entries", "public_suffix", "single_label", "private_address"),
    *("must_match", "must_not_match", "never_block"),
}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_can_be_switched_off_unless_it_is_always_on(guard: Guard) -> None:
    assert guard.switchable is (guard.name not in ALWAYS_ON)
    for model in (GuardSettings, FeedGuards):
        if guard.switchable:
            limits = limits_of(FeedGuards.model_validate({"off": guard.name}), GuardSettings())
            assert not guard.is_on(limits)
        else:
            with pytest.raises(ValidationError, match="off"):
                model.model_validate({"off": [guard.name]})


def test_a_feed_takes_the_setting_of_the_service_unless_it_has_its_own() -> None:
    service = GuardSettings.model_validate({"max_removed": 0.5, "max_growth": 3, "off": ["cut_off"]})
    assert limits_of(FeedGuards(), service) == service
    limits = limits_of(FeedGuards.model_validate({"max_removed": 0, "off": []}), service).model_dump()
    assert (limits["max_removed"], limits["max_growth"], limits["off"]) == (0, 3, ())


def test_lists_of_a_feed_count_in_addition_to_those_of_the_service() -> None:
    service = GuardSettings.model_validate({"never_block": ["a.example"], "must_match": ["b.example"]})
    feed = FeedGuards.model_validate({"never_block": "c.example, a.example"})
    limits = limits_of(feed, service).model_dump()
    assert limits["never_block"] == ("a.example", "c.example")
    assert (limits["must_match"], limits["must_not_match"]) == (("b.example",), ())


def test_names_of_guards_and_settings_are_unique() -> None:
    names = [guard.name for guard in GUARDS]
    settings = [guard.setting.name for guard in GUARDS if guard.setting]
    assert (len(set(names)), len(set(settings))) == (len(names), len(settings))
    assert set(GuardSettings.model_fields) == {"off", *settings}
