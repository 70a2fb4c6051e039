"""When a parked enrollment is tried again, and what is kept of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.enrollment import State
from flows.parking import FIRST_RETRY, LAST_RETRY, is_due, park, retry_after
from flows.tables import EnrollmentRow, enrollment_of, row_of
from tests.unit.flows import samples as s

ROW = EnrollmentRow(s.COMMUNITY, s.MEMBER, "growth", state=State.WAITING, due_at=s.START)


class TestTheWait:
    @given(st.integers(1, 10**9))
    def test_is_never_shorter_than_the_first_or_longer_than_the_last(self, attempts: int) -> None:
        assert FIRST_RETRY <= retry_after(attempts) <= LAST_RETRY

    @given(st.integers(1, 100))
    def test_never_becomes_shorter(self, attempts: int) -> None:
        assert retry_after(attempts) <= retry_after(attempts + 1)


class TestAParkedEnrollment:
    def test_is_not_due_before_its_next_attempt(self) -> None:
        parked = park(ROW, "no version 7", s.START).row
        assert is_due(ROW, s.START)
        assert not is_due(parked, s.START + FIRST_RETRY - timedelta(seconds=1))
        assert is_due(parked, s.START + FIRST_RETRY)

    def test_keeps_since_when(self) -> None:
        again = park(park(ROW, "a", s.START).row, "b", s.at(hours=1)).row
        assert (again.parked_since, again.parked_why, again.attempts) == (s.START, "b", 2)

    def test_is_news_at_first_and_when_the_reason_is_another(self) -> None:
        first = park(ROW, "a", s.START)
        second = park(first.row, "a", s.at(hours=1))
        third = park(second.row, "b", s.at(hours=2))
        assert [first.is_news, second.is_news, third.is_news] == [True, False, True]

    def test_is_parked_no_more_once_it_moves(self) -> None:
        parked = park(replace(ROW, progress={"ordinal": 1}), "a", s.START).row
        assert row_of(enrollment_of(parked)) == replace(row_of(enrollment_of(ROW)), progress={"ordinal": 1})

    @pytest.mark.parametrize("reason", ["\0", "\ud800", "x" * 10_000])
    def test_has_a_reason_that_the_store_takes(self, reason: str) -> None:
        why = park(ROW, reason, s.START).row.parked_why
        assert "\0" not in why
        assert len(why.encode()) <= 500


class TestIsDue:
    @pytest.mark.parametrize(
        "row",
        [
            replace(ROW, due_at=None),
            replace(ROW, state=State.FINISHED),
            replace(ROW, state=State.STUCK),
            replace(ROW, due_at=s.at(seconds=1)),
            replace(ROW, due_at=s.at(hours=1), attempt_at=s.START),
        ],
    )
    def test_is_false_for_who_waits_for_something_else(self, row: EnrollmentRow) -> None:
        assert not is_due(row, s.START)
