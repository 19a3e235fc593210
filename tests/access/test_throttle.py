"""Who failed too often waits; nobody else does."""

from __future__ import annotations

import pytest

from blocklist.access.throttle import Throttle
from blocklist.domain.errors import TooManyError


def test_after_the_limit_of_failures_a_sender_is_told_how_long_to_wait() -> None:
    throttle = Throttle("3/minute", "5/hour")
    for _ in range(3):
        throttle.check("203.0.113.7")
        throttle.record_failure("203.0.113.7")
    with pytest.raises(TooManyError) as told:
        throttle.check("203.0.113.7")
    assert 50 <= told.value.retry_after <= 61
    throttle.check("203.0.113.8")


def test_the_longer_of_two_limits_counts() -> None:
    throttle = Throttle("3/minute", "5/hour")
    for _ in range(5):
        throttle.record_failure("203.0.113.7")
    with pytest.raises(TooManyError) as told:
        throttle.check("203.0.113.7")
    assert 3_500 < told.value.retry_after <= 3_601
