from datetime import UTC, datetime, timedelta

import pytest

from services.engagement.domain.tiers import smallest_window, tier_and_end, tier_at
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.engagement import Tier

NOW = datetime(2026, 1, 31, tzinfo=UTC)
WEEK = timedelta(days=7)
RECENT = NOW - timedelta(days=1)
LONG_AGO = NOW - timedelta(days=8)


class TestTier:
    @pytest.mark.parametrize(
        ("originated", "replied", "reacted", "tier"),
        [
            (None, None, None, Tier.INACTIVE),
            (None, None, RECENT, Tier.LOW),
            (None, RECENT, RECENT, Tier.MIDDLE),
            (RECENT, RECENT, RECENT, Tier.HIGH),
            (RECENT, None, None, Tier.HIGH),
            (LONG_AGO, RECENT, None, Tier.MIDDLE),
            (LONG_AGO, LONG_AGO, RECENT, Tier.LOW),
            (LONG_AGO, LONG_AGO, LONG_AGO, Tier.INACTIVE),
        ],
    )
    def test_is_that_of_the_dearest_recent_act(
        self, originated: datetime | None, replied: datetime | None, reacted: datetime | None, tier: Tier
    ) -> None:
        assert tier_at(originated, replied, reacted, WEEK, NOW) is tier

    def test_holds_until_the_window_is_over(self) -> None:
        assert tier_at(NOW - WEEK + timedelta(microseconds=1), None, None, WEEK, NOW) is Tier.HIGH

    def test_is_over_when_exactly_the_window_has_passed(self) -> None:
        assert tier_at(NOW - WEEK, None, None, WEEK, NOW) is Tier.INACTIVE

    def test_counts_acts_whose_clock_runs_ahead(self) -> None:
        assert tier_at(NOW + timedelta(hours=1), None, None, WEEK, NOW) is Tier.HIGH

    def test_ends_a_window_after_its_act(self) -> None:
        assert tier_and_end(LONG_AGO, RECENT, NOW, WEEK, NOW) == (Tier.MIDDLE, RECENT + WEEK)

    def test_inactivity_has_no_end(self) -> None:
        assert tier_and_end(LONG_AGO, None, None, WEEK, NOW) == (Tier.INACTIVE, None)

    def test_is_over_at_its_end(self) -> None:
        _, end = tier_and_end(RECENT, None, None, WEEK, NOW)
        assert end is not None
        assert tier_at(RECENT, None, None, WEEK, end) is Tier.INACTIVE


class TestSmallestWindow:
    def test_is_the_shortest_of_the_policy(self) -> None:
        assert smallest_window(EngagementPolicy(tier_windows_days=(30, 7))) == WEEK

    def test_is_empty_without_windows(self) -> None:
        assert smallest_window(EngagementPolicy(tier_windows_days=())) == timedelta(0)
