"""One member who breaks a rule again and again neither stops moderation nor gets a letter for each message."""

from collections.abc import Sequence
from typing import TypeVar

import pytest

from services.moderation.domain.ladder import KEPT
from services.moderation.handlers import ChatFolder
from services.moderation.store import DECISIONS, MEMBERS, SANCTIONS, MemberRow
from shequn.contracts.actions import DeleteMessage, SendMessage
from shequn.contracts.chat import MessagePosted
from shequn.contracts.definitions.rules import LinkRule
from shequn.contracts.envelope import Envelope
from shequn.contracts.moderation import MessageFlagged, SanctionImposed
from shequn.testing.memory import FoldRunner
from tests.unit.moderation.builders import COMMUNITY, at, definition, posted, rule_set, unbounded_strikes

E = TypeVar("E", bound=Envelope)
MANY = 300


def of_type(events: Sequence[Envelope], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def offences(*, every: float = 60, text: str = "http://spam.example/x") -> list[MessagePosted]:
    return [posted(text, str(number), at(number * every)) for number in range(MANY)]


def member(runner: FoldRunner) -> MemberRow:
    row = runner.state(MEMBERS, COMMUNITY, "ann")
    assert row is not None
    return row


@pytest.fixture
def runner() -> FoldRunner:
    return FoldRunner(ChatFolder(), definition(rule_set(links=LinkRule(policy="forbid"))))


class TestManyOffences:
    def test_keep_a_bounded_number_of_strikes(self, runner: FoldRunner) -> None:
        runner.run(offences())
        assert len(member(runner).strikes) == KEPT

    def test_are_each_decided_and_deleted(self, runner: FoldRunner) -> None:
        emitted = runner.run(offences())
        kinds = len(of_type(emitted, MessageFlagged)), len(of_type(emitted, DeleteMessage))
        assert (len(runner.states(DECISIONS)), *kinds) == (MANY, MANY, MANY)

    def test_are_each_counted(self, runner: FoldRunner) -> None:
        runner.run(offences())
        assert [row.strikes for row in runner.log(SANCTIONS)] == list(range(1, MANY + 1))

    def test_bring_no_letter_beyond_the_last_rung_while_the_latest_may_be_appealed(self, runner: FoldRunner) -> None:
        assert len(of_type(runner.run(offences(every=60)), SendMessage)) == 2

    def test_bring_a_letter_a_day_where_there_is_a_day_to_appeal(self, runner: FoldRunner) -> None:
        # 300 hours are twelve and a half days; the first two letters are those of the two rungs.
        assert len(of_type(runner.run(offences(every=3600)), SendMessage)) == 2 + 12

    def test_told_again_under_other_ids_change_nothing(self, runner: FoldRunner) -> None:
        runner.run(offences())
        before = repr(runner.tables.states)
        again = [
            posted(event.data.text, event.data.message_id, event.time, source="/b") for event in reversed(offences())
        ]
        assert (runner.run(again), repr(runner.tables.states)) == ([], before)

    @pytest.mark.parametrize("text", ["casino", "http://spam.example/x"])
    def test_within_one_flood_window_are_one_strike(self, runner: FoldRunner, text: str) -> None:
        emitted = runner.run(offences(every=0.01, text=text))
        assert (len(of_type(emitted, SanctionImposed)), len(of_type(emitted, DeleteMessage))) == (1, MANY)

    def test_of_two_checks_in_one_flood_window_are_two_strikes(self, runner: FoldRunner) -> None:
        emitted = runner.run([posted("casino", "1"), posted("http://spam.example/x", "2", at(1))])
        assert len(of_type(emitted, SanctionImposed)) == 2


class TestRowFromBeforeTheBound:
    def test_still_counts_every_strike(self, runner: FoldRunner) -> None:
        runner.tables.states[MEMBERS.name] = {
            (COMMUNITY, "ann"): MemberRow(COMMUNITY, "ann", {}, unbounded_strikes(200))
        }
        [imposed] = of_type(runner.run([posted("casino", "1", at(1))]), SanctionImposed)
        assert imposed.data.strikes == 201

    def test_is_made_small_by_the_next_message_whatever_it_says(self, runner: FoldRunner) -> None:
        runner.tables.states[MEMBERS.name] = {
            (COMMUNITY, "ann"): MemberRow(COMMUNITY, "ann", {}, unbounded_strikes(200))
        }
        runner.run([posted("hello", "1", at(1))])
        assert (len(member(runner).strikes), sum(member(runner).earlier.values())) == (KEPT, 200 - KEPT)
