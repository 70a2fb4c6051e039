from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.contracts import ids
from shequn.contracts.base import AccountRef

times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


class TestEventId:
    @given(times, st.lists(st.text(), max_size=4))
    def test_the_same_fact_has_the_same_id(self, time: datetime, parts: list[str]) -> None:
        assert ids.event_id(time, *parts) == ids.event_id(time, *parts)

    @given(times, times)
    def test_ids_sort_by_time(self, one: datetime, other: datetime) -> None:
        if one + timedelta(milliseconds=1) <= other:
            assert ids.event_id(one, "a") < ids.event_id(other, "a")

    @given(times, st.text(min_size=1), st.text(min_size=1))
    def test_moving_a_letter_between_parts_changes_the_id(self, time: datetime, one: str, other: str) -> None:
        assert ids.event_id(time, one + other[0], other[1:]) != ids.event_id(time, one, other)

    def test_it_is_a_uuid_of_version_8(self) -> None:
        identity = UUID(ids.event_id(datetime(2026, 1, 1, tzinfo=UTC), "a"))
        assert (identity.version, identity.variant) == (8, "specified in RFC 4122")

    def test_the_offset_of_the_time_does_not_matter(self) -> None:
        utc = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
        assert ids.event_id(utc, "a") == ids.event_id(utc.astimezone(timezone(timedelta(hours=8))), "a")

    def test_a_time_before_1970_is_refused(self) -> None:
        with pytest.raises(ValueError, match="outside 1970"):
            ids.event_id(datetime(1969, 12, 31, tzinfo=UTC), "a")


class TestMemberId:
    def test_it_depends_on_platform_and_account(self) -> None:
        made = {
            ids.member_id(AccountRef(platform=platform, account_id=account))
            for platform in ("telegram", "slack")
            for account in ("1", "2")
        }
        assert len(made) == 4
