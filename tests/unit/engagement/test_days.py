from datetime import UTC, date, datetime

import pytest

from services.engagement.domain.days import community_day, day_start, month_start


class TestCommunityDay:
    @pytest.mark.parametrize(
        ("moment", "timezone", "day"),
        [
            ("2026-01-01T15:59:59+00:00", "Asia/Shanghai", date(2026, 1, 1)),
            ("2026-01-01T16:00:00+00:00", "Asia/Shanghai", date(2026, 1, 2)),
            ("2026-01-01T18:14:59+00:00", "Asia/Kathmandu", date(2026, 1, 1)),
            ("2026-01-01T18:15:00+00:00", "Asia/Kathmandu", date(2026, 1, 2)),
            ("2026-01-01T09:59:00+00:00", "Pacific/Kiritimati", date(2026, 1, 1)),
            ("2026-01-01T10:00:00+00:00", "Pacific/Kiritimati", date(2026, 1, 2)),
        ],
    )
    def test_changes_at_midnight_of_the_zone(self, moment: str, timezone: str, day: date) -> None:
        assert community_day(datetime.fromisoformat(moment), timezone) == day

    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            ("2026-03-08T04:59:59+00:00", date(2026, 3, 7)),
            ("2026-03-08T05:00:00+00:00", date(2026, 3, 8)),
            ("2026-03-09T03:59:59+00:00", date(2026, 3, 8)),
            ("2026-03-09T04:00:00+00:00", date(2026, 3, 9)),
        ],
    )
    def test_is_an_hour_shorter_when_summer_time_begins(self, moment: str, day: date) -> None:
        assert community_day(datetime.fromisoformat(moment), "America/New_York") == day


class TestStarts:
    def test_day_starts_at_midnight_of_the_zone(self) -> None:
        start = day_start(datetime(2026, 3, 9, 12, tzinfo=UTC), "America/New_York")
        assert start == datetime(2026, 3, 9, 4, tzinfo=UTC)

    def test_month_starts_before_summer_time_when_it_began_before(self) -> None:
        start = month_start(datetime(2026, 3, 9, 12, tzinfo=UTC), "America/New_York")
        assert start == datetime(2026, 3, 1, 5, tzinfo=UTC)
