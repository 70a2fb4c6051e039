from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.moderation.checks import CheckContext, FloodCheck
from services.moderation.domain.recent import remember, without_stale
from services.moderation.texts import ENGLISH
from shequn.contracts.definitions.values import Rate
from shequn.contracts.moderation import CheckResult, Verdict
from tests.unit.moderation.builders import NOTHING, message

LIMIT = 3
WINDOW = 10.0
CHECK = FloodCheck(Rate(count=LIMIT, within=timedelta(seconds=WINDOW)), ENGLISH)


def examine(seconds: float, *recent: float) -> CheckResult:
    context = CheckContext({f"old-{number}": round(time * 1000) for number, time in enumerate(recent)})
    return CHECK.examine(message(message_id="new", seconds=seconds), context)


def flagged(times: list[float]) -> int:
    """Feed messages one after the other and count the flagged ones."""
    recent: dict[str, int] = {}
    count = 0
    for number, seconds in enumerate(times):
        one = message(message_id=str(number), seconds=seconds)
        count += CHECK.examine(one, CheckContext(recent)).verdict is Verdict.FLAG
        recent = remember(recent, one.message_id, one.at, LIMIT)
    return count


class TestFlood:
    @pytest.mark.parametrize(
        ("seconds", "recent", "verdict"),
        [
            (100, (), Verdict.PASS),
            (100, (98, 99), Verdict.PASS),
            (100, (97, 98, 99), Verdict.FLAG),
            (100, (100, 100, 100), Verdict.FLAG),
            (100, (90.001, 98, 99), Verdict.FLAG),
            (100, (90, 98, 99), Verdict.PASS),
            (98.5, (97, 98, 99), Verdict.FLAG),
            (96, (97, 98, 99), Verdict.FLAG),
            (89, (97, 98, 99), Verdict.PASS),
        ],
        ids=[
            "the first",
            "up to the limit",
            "over the limit",
            "at one moment",
            "just inside the window",
            "just outside the window",
            "late, between the others",
            "late, before the others",
            "late, out of their window",
        ],
    )
    def test_is_more_than_the_limit_within_the_window(
        self, seconds: float, recent: tuple[float, ...], verdict: Verdict
    ) -> None:
        assert examine(seconds, *recent).verdict is verdict

    def test_reason_counts_when_it_passes(self) -> None:
        assert examine(100, 80, 99).reason == "Messages within 10 seconds: 2; 3 are allowed."

    def test_reason_names_the_limit_when_it_does_not(self) -> None:
        assert examine(100, 97, 98, 99).reason == "More than 3 messages within 10 seconds."

    def test_the_same_message_told_again_does_not_count_twice(self) -> None:
        context = CheckContext({"new": 99_000, "b": 98_000, "c": 97_000})
        assert CHECK.examine(message(message_id="new", seconds=99), context).verdict is Verdict.PASS

    def test_without_a_limit_everything_passes(self) -> None:
        assert FloodCheck(None, ENGLISH).examine(message(), NOTHING).reason == "This group has no limit on messages."

    @given(st.lists(st.floats(0, WINDOW - 0.01), max_size=12))
    def test_of_a_burst_within_one_window_all_beyond_the_limit_are_flagged_in_any_order(
        self, times: list[float]
    ) -> None:
        assert flagged(times) == max(0, len(times) - LIMIT)

    def test_over_several_windows_a_late_message_is_judged_when_it_comes(self) -> None:
        # The message at 2 s completes a burst with 0, 1 and 9 s, but when it comes last, 0 s is no longer remembered.
        assert (flagged([0.0, 1.0, 2.0, 9.0, 11.5]), flagged([0.0, 1.0, 11.5, 9.0, 2.0])) == (1, 0)


class TestRecent:
    def test_keeps_the_latest_by_time(self) -> None:
        recent: dict[str, int] = {}
        for message_id, time in (("c", 3), ("a", 1), ("d", 4), ("b", 2)):
            recent = remember(recent, message_id, time, 3)
        assert recent == {"b": 2, "c": 3, "d": 4}

    def test_a_message_told_again_stays_at_its_first_time(self) -> None:
        assert remember({"a": 1}, "a", 9, 3) == {"a": 1}

    def test_groups_without_a_message_in_any_window_are_forgotten(self) -> None:
        assert without_stale({"old": {"a": 1}, "new": {"b": 95}, "empty": {}}, 100, 10) == {"new": {"b": 95}}
