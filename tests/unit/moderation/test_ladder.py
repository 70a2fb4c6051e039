from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.moderation.domain.ladder import KEPT, Offence, Standing, Step, Strike, climb, sanction_id, settle
from shequn.contracts.definitions.rules import LadderRule
from shequn.contracts.moderation import Rung
from tests.unit.moderation.builders import MONTH, at

RULE = LadderRule(strikes_expire=MONTH)
EACH = timedelta(0)


def offence(
    message_id: str = "1", *, days: float = 0, seconds: float = 0, check: str = "words", group: str = "main"
) -> Offence:
    return Offence(group, message_id, check, at(seconds, days=days))


def climb_all(*offences: Offence, rule: LadderRule = RULE, burst: timedelta = EACH) -> list[Step | None]:
    standing = Standing()
    steps = []
    for one in offences:
        step = climb(standing, one, rule, burst)
        steps.append(step)
        standing = step.standing if step else standing
    return steps


def rungs(*days: float) -> list[Rung | None]:
    steps = climb_all(*[offence(str(number), days=day) for number, day in enumerate(days)])
    return [step.rung for step in steps if step]


class TestRungs:
    def test_the_first_offence_is_reminded_the_second_warned(self) -> None:
        assert rungs(0, 1) == [Rung.REMIND, Rung.WARN]

    def test_the_last_rung_stays(self) -> None:
        assert rungs(0, 1, 2, 3)[2:] == [Rung.WARN, Rung.WARN]

    def test_a_ladder_may_begin_with_a_warning(self) -> None:
        [step] = climb_all(offence(), rule=LadderRule(rungs=("warn",), strikes_expire=MONTH))
        assert step is not None
        assert step.rung is Rung.WARN

    def test_a_ladder_without_rungs_only_counts(self) -> None:
        [step] = climb_all(offence(), rule=LadderRule(rungs=(), strikes_expire=MONTH))
        assert step is not None
        assert (step.rung, step.strikes, step.has_letter) == (None, 1, False)


class TestExpiry:
    @pytest.mark.parametrize(("day", "rung"), [(29.9, Rung.WARN), (30, Rung.REMIND), (31, Rung.REMIND)])
    def test_a_strike_counts_for_thirty_days(self, day: float, rung: Rung) -> None:
        assert rungs(0, day)[-1] is rung

    def test_expired_strikes_are_dropped(self) -> None:
        last = climb_all(offence("1"), offence("2", days=1), offence("3", days=40))[-1]
        assert last is not None
        assert [strike.message_id for strike in last.standing.strikes] == ["3"]


class TestLateOffence:
    def test_counts_from_the_latest_strike_and_keeps_both_times(self) -> None:
        step = climb_all(offence("2", days=40), offence("1", days=0))[-1]
        assert step is not None
        assert (step.strike.posted, step.strike.counts_from) == (at(days=0), at(days=40))

    def test_takes_the_next_rung(self) -> None:
        assert rungs(40, 0) == [Rung.REMIND, Rung.WARN]


class TestSameOffence:
    def test_a_message_has_one_strike(self) -> None:
        assert climb_all(offence("1"), offence("1", seconds=5))[1] is None

    def test_a_message_with_that_id_in_another_group_is_another(self) -> None:
        assert climb_all(offence("1"), offence("1", group="side"))[1] is not None

    def test_a_burst_is_one_offence(self) -> None:
        burst = [offence(str(number), seconds=number, check="flood") for number in range(5)]
        assert [step is not None for step in climb_all(*burst, burst=timedelta(seconds=10))] == [True, *[False] * 4]

    def test_after_the_window_it_is_a_new_one(self) -> None:
        burst = offence("1", check="flood"), offence("2", seconds=10, check="flood")
        assert all(climb_all(*burst, burst=timedelta(seconds=10)))

    def test_in_another_group_it_is_another_one(self) -> None:
        burst = offence("1", check="flood"), offence("2", check="flood", group="side")
        assert all(climb_all(*burst, burst=timedelta(seconds=10)))

    def test_of_another_check_it_is_another_one(self) -> None:
        both = offence("1", check="words"), offence("2", check="flood")
        assert all(climb_all(*both, burst=timedelta(seconds=10)))


class TestAnyOrder:
    @given(st.permutations([0.0, 1.0, 5.0, 20.0, 29.0]))
    def test_within_the_expiry_gives_the_same_strikes(self, days: list[float]) -> None:
        last = climb_all(*[offence(str(day), days=day) for day in days])[-1]
        assert last is not None
        assert {strike.message_id for strike in last.standing.strikes} == {"0.0", "1.0", "5.0", "20.0", "29.0"}

    @given(st.permutations([number * 0.7 for number in range(KEPT * 2)]))
    def test_beyond_what_is_kept_gives_the_same_number(self, days: list[float]) -> None:
        last = climb_all(*[offence(str(day), days=day) for day in days])[-1]
        assert last is not None
        assert last.strikes == KEPT * 2


def offend(count: int, *, every: float, rule: LadderRule = RULE) -> list[Step]:
    """Let a member offend again and again, ``every`` so many seconds."""
    steps = climb_all(*[offence(str(number), seconds=number * every) for number in range(count)], rule=rule)
    return [step for step in steps if step]


class TestManyOffences:
    def test_are_all_counted(self) -> None:
        assert [step.strikes for step in offend(200, every=1)] == list(range(1, 201))

    def test_keep_a_bounded_number_of_strikes(self) -> None:
        assert {len(step.standing.strikes) for step in offend(200, every=1)[KEPT:]} == {KEPT}

    def test_leave_a_number_for_each_day_before_the_latest(self) -> None:
        assert offend(KEPT + 30, every=3600)[-1].standing.earlier == {date(2026, 1, 1): 24, date(2026, 1, 2): 6}

    def test_expire_to_the_day(self) -> None:
        # Two a day for a hundred days: sixty are unexpired, and up to two more expire on the same day.
        assert {step.strikes for step in offend(200, every=43_200)[-50:]} <= {60, 61, 62}

    def test_are_forgotten_when_the_latest_have_expired(self) -> None:
        many = [offence(str(number), seconds=number) for number in range(100)]
        last = climb_all(*many, offence("late", days=30, seconds=100))[-1]
        assert last is not None
        assert (last.strikes, last.rung, last.standing.earlier) == (1, Rung.REMIND, {})

    def test_take_every_rung_of_a_long_ladder(self) -> None:
        ladder = LadderRule(rungs=("remind",) * (KEPT - 1) + ("warn",), strikes_expire=MONTH)
        assert [step.rung for step in offend(KEPT, every=1, rule=ladder)].index(Rung.WARN) == KEPT - 1


class TestSettle:
    def test_drops_no_strike_from_the_count(self) -> None:
        strikes = tuple(Strike("main", str(day), "words", at(days=day), at(days=day)) for day in range(100))
        settled = settle(Standing(strikes))
        assert (len(settled.strikes), sum(settled.earlier.values())) == (KEPT, 100 - KEPT)

    def test_keeps_the_latest(self) -> None:
        strikes = tuple(Strike("main", str(day), "words", at(days=day), at(days=day)) for day in reversed(range(100)))
        assert [strike.message_id for strike in settle(Standing(strikes), 2).strikes] == ["98", "99"]


class TestLetter:
    def test_comes_with_every_rung_of_the_ladder(self) -> None:
        assert [step.has_letter for step in offend(2, every=1)] == [True, True]

    def test_comes_once_per_time_to_appeal_beyond_the_last_rung(self) -> None:
        # One offence an hour for four days, and a day to appeal.
        told = [number for number, step in enumerate(offend(96, every=3600)) if step.has_letter]
        assert told == [0, 1, 25, 49, 73]

    def test_comes_again_when_the_strikes_have_expired(self) -> None:
        steps = climb_all(offence("1"), offence("2", days=1), offence("3", days=40))
        assert [step is not None and step.has_letter for step in steps] == [True, True, True]


class TestSanctionId:
    def test_is_one_for_a_message(self) -> None:
        assert sanction_id("c", "main", "1") == sanction_id("c", "main", "1")

    def test_keeps_groups_apart(self) -> None:
        assert sanction_id("c", "main", "1") != sanction_id("c", "side", "1")
