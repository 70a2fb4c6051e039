from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.moderation.domain.ladder import Offence, Step, Strike, climb, sanction_id
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
    strikes: tuple[Strike, ...] = ()
    steps = []
    for one in offences:
        step = climb(strikes, one, rule, burst)
        steps.append(step)
        strikes = step.strikes if step else strikes
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
        assert (step.rung, len(step.strikes)) == (None, 1)


class TestExpiry:
    @pytest.mark.parametrize(("day", "rung"), [(29.9, Rung.WARN), (30, Rung.REMIND), (31, Rung.REMIND)])
    def test_a_strike_counts_for_thirty_days(self, day: float, rung: Rung) -> None:
        assert rungs(0, day)[-1] is rung

    def test_expired_strikes_are_dropped(self) -> None:
        last = climb_all(offence("1"), offence("2", days=1), offence("3", days=40))[-1]
        assert last is not None
        assert [strike.message_id for strike in last.strikes] == ["3"]


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
        assert {strike.message_id for strike in last.strikes} == {"0.0", "1.0", "5.0", "20.0", "29.0"}


class TestSanctionId:
    def test_is_one_for_a_message(self) -> None:
        assert sanction_id("c", "main", "1") == sanction_id("c", "main", "1")

    def test_keeps_groups_apart(self) -> None:
        assert sanction_id("c", "main", "1") != sanction_id("c", "side", "1")
