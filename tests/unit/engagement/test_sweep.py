from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.engagement.domain.members import decayed
from services.engagement.domain.states import Member
from services.engagement.sweep import tier_ended
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.engagement import Tier

WEEK = timedelta(days=7)
POLICY = EngagementPolicy()
POSTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
ENDED_AT = POSTED_AT + WEEK
ANN = Member("readers", "ann", last_originated_at=POSTED_AT, tier="high", tier_ends_at=ENDED_AT)
REPLIED_LATER = replace(ANN, last_replied_at=POSTED_AT + timedelta(days=2))


class TestDecay:
    def test_leaves_a_tier_that_has_not_ended(self) -> None:
        assert decayed(ANN, window=WEEK, now=ENDED_AT - timedelta(seconds=1)) == ANN

    def test_ends_in_the_tier_of_the_acts_that_still_count(self) -> None:
        after = decayed(REPLIED_LATER, window=WEEK, now=ENDED_AT)
        assert (after.tier, after.tier_ends_at) == ("middle", ENDED_AT + timedelta(days=2))

    def test_ends_in_inactivity_without_such_acts(self) -> None:
        after = decayed(ANN, window=WEEK, now=ENDED_AT)
        assert (after.tier, after.tier_ends_at) == ("inactive", None)


class TestTierEnded:
    def test_is_told_at_the_moment_the_tier_ended(self) -> None:
        now = ENDED_AT + timedelta(hours=5)
        event = tier_ended(ANN, decayed(ANN, window=WEEK, now=now), POLICY, now)
        assert event is not None
        assert (event.time, event.data.before, event.data.tier) == (ENDED_AT, Tier.HIGH, Tier.INACTIVE)

    def test_has_one_id_however_late_the_sweep(self) -> None:
        ids = set()
        for hours in (0, 5):
            now = ENDED_AT + timedelta(hours=hours)
            event = tier_ended(ANN, decayed(ANN, window=WEEK, now=now), POLICY, now)
            ids.add(event.id if event else None)
        assert len(ids) == 1

    def test_is_not_told_when_a_longer_window_came_into_force(self) -> None:
        policy = EngagementPolicy(tier_windows_days=(14, 30))
        after = decayed(ANN, window=timedelta(days=14), now=ENDED_AT)
        assert tier_ended(ANN, after, policy, ENDED_AT) is None
