from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.moderation.handlers import ChatFolder
from services.moderation.store import DECISION_TOTALS, DECISIONS, MEMBERS, SANCTION_TOTALS, SANCTIONS, DecisionRow
from shequn.contracts.actions import DeleteMessage, SendMessage
from shequn.contracts.chat import MessagePosted
from shequn.contracts.definitions.rules import LadderRule, LinkRule
from shequn.contracts.definitions.values import LocalizedText, Rate
from shequn.contracts.envelope import Envelope
from shequn.contracts.moderation import MessageFlagged, Rung, SanctionImposed, Verdict
from shequn.runtime.failures import UnknownCommunityError
from shequn.testing.memory import FoldRunner
from tests.unit.moderation.builders import COMMUNITY, MONTH, at, definition, posted, rule_set

E = TypeVar("E", bound=Envelope)


@pytest.fixture
def runner() -> FoldRunner:
    return FoldRunner(ChatFolder(), definition())


def of_type(events: Sequence[Envelope], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def decision(runner: FoldRunner, message_id: str, group: str = "main") -> DecisionRow:
    row = runner.state(DECISIONS, COMMUNITY, group, message_id)
    assert row is not None
    return row


def everything(runner: FoldRunner) -> tuple[object, ...]:
    tables = runner.tables
    return tables.states, tables.sums, tables.rows


class TestMessageThatPasses:
    def test_is_decided_with_a_reason(self, runner: FoldRunner) -> None:
        runner.run([posted("大家好", "1")])
        row = decision(runner, "1")
        assert (row.verdict, row.decided_check, row.reason) == ("pass", "none", "every check passed")

    def test_keeps_no_results(self, runner: FoldRunner) -> None:
        runner.run([posted("hello", "1")])
        assert decision(runner, "1").results is None

    def test_emits_nothing(self, runner: FoldRunner) -> None:
        assert runner.run([posted("hello", "1")]) == []

    @pytest.mark.parametrize("text", ["", "😀", "\u200b", "群" * 65_536])
    def test_may_be_anything(self, runner: FoldRunner, text: str) -> None:
        runner.run([posted(text, "1")])
        assert decision(runner, "1").verdict == "pass"

    @pytest.mark.parametrize("group", ["lawless", "nowhere"])
    def test_in_a_group_without_rules_always_does(self, runner: FoldRunner, group: str) -> None:
        runner.run([posted("casino", "1", group=group)])
        assert (decision(runner, "1", group).verdict, decision(runner, "1", group).reason) == ("pass", "no rules")

    def test_in_a_group_without_flood_rule_writes_no_member(self) -> None:
        runner = FoldRunner(ChatFolder(), definition(rule_set(flood=None)))
        runner.run([posted("hello", "1")])
        assert runner.states(MEMBERS) == {}


class TestMessageThatBreaksARule:
    def test_is_decided_by_the_worst_check(self, runner: FoldRunner) -> None:
        runner.run([posted("casino example.com", "1")])
        row = decision(runner, "1")
        assert (row.verdict, row.decided_check, row.rule_version) == ("delete", "words", 1)

    def test_keeps_what_every_check_said(self, runner: FoldRunner) -> None:
        runner.run([posted("赌\u200b场", "1")])
        results = decision(runner, "1").results
        assert results is not None
        assert {check: (result["verdict"], result["evidence"]) for check, result in results.items()} == {
            "words": ("delete", "赌\u200b场"),
            "links": ("pass", ""),
            "flood": ("pass", ""),
        }

    def test_is_flagged_with_every_answer(self, runner: FoldRunner) -> None:
        [flagged] = of_type(runner.run([posted("casino", "1")]), MessageFlagged)
        assert [result.check for result in flagged.data.results] == ["words", "links", "flood"]

    def test_is_deleted_when_the_verdict_says_so(self, runner: FoldRunner) -> None:
        [deletion] = of_type(runner.run([posted("casino", "1")]), DeleteMessage)
        assert (deletion.data.group, deletion.data.message_id) == ("main", "1")

    def test_is_left_when_it_is_only_flagged(self, runner: FoldRunner) -> None:
        assert of_type(runner.run([posted("example.com", "1")]), DeleteMessage) == []

    def test_of_staff_is_treated_alike(self, runner: FoldRunner) -> None:
        assert of_type(runner.run([posted("casino", "1", member="owner")]), SanctionImposed)

    def test_counts_in_the_totals(self, runner: FoldRunner) -> None:
        runner.run([posted("hello", "1"), posted("casino", "2"), posted("casino", "3")])
        assert runner.counters(DECISION_TOTALS) == {
            (COMMUNITY, "pass", "none"): {"messages": 1},
            (COMMUNITY, "delete", "words"): {"messages": 2},
        }

    def test_of_an_unknown_community_is_refused(self, runner: FoldRunner) -> None:
        event = posted("hello", "1", community="strangers")
        runner.run([event])
        assert isinstance(runner.errors[event.id], UnknownCommunityError)


class TestSanction:
    def test_reminds_first_and_warns_then(self, runner: FoldRunner) -> None:
        imposed = of_type(runner.run([posted("casino", "1"), posted("casino", "2", at(60))]), SanctionImposed)
        assert [(one.data.rung, one.data.strikes) for one in imposed] == [(Rung.REMIND, 1), (Rung.WARN, 2)]

    def test_climbs_over_all_groups_of_the_community(self, runner: FoldRunner) -> None:
        events = [posted("casino", "1"), posted("casino", "1", at(1), group="side")]
        assert of_type(runner.run(events), SanctionImposed)[-1].data.rung is Rung.WARN

    def test_of_one_member_does_not_touch_another(self, runner: FoldRunner) -> None:
        events = [posted("casino", "1"), posted("casino", "2", member="bob")]
        assert [one.data.rung for one in of_type(runner.run(events), SanctionImposed)] == [Rung.REMIND, Rung.REMIND]

    def test_begins_anew_when_strikes_have_expired(self, runner: FoldRunner) -> None:
        events = [posted("casino", "1"), posted("casino", "2", at(days=30))]
        assert [one.data.rung for one in of_type(runner.run(events), SanctionImposed)] == [Rung.REMIND, Rung.REMIND]

    def test_remembers_strikes_between_batches(self, runner: FoldRunner) -> None:
        runner.run([posted("casino", "1")])
        [imposed] = of_type(runner.run([posted("casino", "2", at(days=1))]), SanctionImposed)
        assert imposed.data.strikes == 2

    def test_of_a_late_message_says_from_when_it_counts(self, runner: FoldRunner) -> None:
        runner.run([posted("casino", "2", at(days=1)), posted("casino", "1")])
        late = runner.log(SANCTIONS)[-1]
        assert (late.posted_at, late.counts_from) == (at(), at(days=1))

    def test_is_counted_by_rung(self, runner: FoldRunner) -> None:
        runner.run([posted("casino", "1"), posted("casino", "2", at(60))])
        assert runner.counters(SANCTION_TOTALS) == {
            (COMMUNITY, "remind"): {"sanctions": 1},
            (COMMUNITY, "warn"): {"sanctions": 1},
        }

    def test_is_none_on_a_ladder_without_rungs(self) -> None:
        rules = rule_set(ladder=LadderRule(rungs=(), strikes_expire=MONTH))
        emitted = FoldRunner(ChatFolder(), definition(rules)).run([posted("casino", "1")])
        assert [type(event) for event in emitted] == [MessageFlagged, DeleteMessage]


class TestLetterToTheMember:
    def letter(self, language: str = "en", messages: dict[str, LocalizedText] | None = None) -> SendMessage:
        runner = FoldRunner(ChatFolder(), definition(language=language, messages=messages))
        [letter] = of_type(runner.run([posted("casino", "1")]), SendMessage)
        return letter

    def test_goes_to_the_member(self) -> None:
        assert (self.letter().data.member_id, self.letter().data.group) == ("ann", None)

    def test_names_group_reason_and_appeal(self) -> None:
        assert self.letter().data.text == (
            "A reminder from Readers: The message has a word of the kind “gambling”, which this group forbids. "
            "Please keep to the rules of the group. "
            "If you think this is a mistake, tell the group's managers within 24 hours."
        )

    def test_is_chinese_in_a_chinese_community(self) -> None:
        assert self.letter("zh").data.text.startswith("【读书群】提醒：消息里有本群禁止的“gambling”类词语。")

    def test_is_the_communitys_own_text(self) -> None:
        own = {"moderation-remind": LocalizedText(en="{name}: {reason} ({strikes}, {unknown})")}
        assert self.letter(messages=own).data.text.startswith("Ann: The message has")

    def test_has_the_sanctions_key(self, runner: FoldRunner) -> None:
        emitted = runner.run([posted("casino", "1")])
        [sanction], [letter] = of_type(emitted, SanctionImposed), of_type(emitted, SendMessage)
        assert letter.data.idempotency_key == f"sanction:{sanction.data.sanction_id}"

    def test_says_what_it_is_for(self) -> None:
        assert self.letter().data.purpose == "moderation:remind"

    def test_never_exceeds_what_a_message_may_have(self) -> None:
        own = {"moderation-remind": LocalizedText(en="{reason}" * 2_000)}
        assert len(self.letter(messages=own).data.text) == 16_384


class TestFlood:
    def burst(self, count: int, **changes: str) -> list[MessagePosted]:
        return [posted("hi", str(number), at(number * 0.1), **changes) for number in range(count)]

    def test_flags_every_message_beyond_the_limit(self, runner: FoldRunner) -> None:
        runner.run(self.burst(6))
        assert [decision(runner, str(number)).verdict for number in range(6)] == ["pass"] * 3 + ["flag"] * 3

    def test_is_one_strike_however_long_the_burst(self, runner: FoldRunner) -> None:
        assert len(of_type(runner.run(self.burst(9)), SanctionImposed)) == 1

    def test_is_counted_over_batches(self, runner: FoldRunner) -> None:
        for event in self.burst(4):
            runner.run([event])
        assert decision(runner, "3").decided_check == "flood"

    def test_is_counted_by_group(self, runner: FoldRunner) -> None:
        runner.run([*self.burst(2), *self.burst(2, group="side")])
        assert len(runner.states(DECISIONS)) == runner.counters(DECISION_TOTALS)[COMMUNITY, "pass", "none"]["messages"]

    def test_memory_is_bounded(self, runner: FoldRunner) -> None:
        runner.run([posted("hi", str(number), at(number), group="main") for number in range(50)])
        runner.run([posted("hi", "s", at(1000), group="side")])
        row = runner.state(MEMBERS, COMMUNITY, "ann")
        assert row is not None
        assert {group: len(recent) for group, recent in row.recent.items()} == {"side": 1}

    @given(st.permutations(range(7)))
    def test_in_any_order_within_the_window_gives_the_same(self, order: list[int]) -> None:
        runner = FoldRunner(ChatFolder(), definition())
        burst = self.burst(7)
        emitted = runner.run([burst[number] for number in order])
        assert (len(of_type(emitted, MessageFlagged)), len(of_type(emitted, SanctionImposed))) == (4, 1)


class TestNewVersion:
    def test_rules_apply_from_the_next_message_on(self, runner: FoldRunner) -> None:
        runner.run([posted("see the notes of this week example.com", "1")])
        runner.book.definitions.append(definition(rule_set(links=LinkRule(policy="forbid")), version=2))
        runner.run([posted("see the notes of this week example.com", "2")])
        assert [(decision(runner, one).verdict, decision(runner, one).rule_version) for one in "12"] == [
            ("pass", 1),
            ("delete", 2),
        ]

    def test_does_not_judge_again_what_was_judged(self, runner: FoldRunner) -> None:
        runner.run([posted("see the notes of this week example.com", "1")])
        runner.book.definitions.append(definition(rule_set(links=LinkRule(policy="forbid")), version=2))
        assert runner.run([posted("see the notes of this week example.com", "1", source="/b")]) == []


TEXTS = st.sampled_from(["hello", "casino", "赌场", "example.com", "大家好"])
EVENTS = st.lists(
    st.builds(
        lambda text, number, member, days: posted(
            text, f"{member}-{number}-{days}", at(number, days=days), member=member
        ),
        TEXTS,
        st.integers(0, 12),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from([0, 1, 31]),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda event: event.id,
)


class TestDuplicates:
    @given(EVENTS, st.data())
    def test_with_the_same_id_change_nothing(self, events: list[MessagePosted], data: st.DataObject) -> None:
        once, twice = (FoldRunner(ChatFolder(), definition()) for _ in range(2))
        once.run(events)
        repeated = [*events, *data.draw(st.lists(st.sampled_from(events), max_size=5))]
        twice.run(repeated)
        twice.run(events)
        assert everything(once) == everything(twice)

    @given(EVENTS)
    def test_with_another_id_change_nothing(self, events: list[MessagePosted]) -> None:
        runner = FoldRunner(ChatFolder(), definition())
        runner.run(events)
        before = repr(everything(runner))
        again = [
            posted(event.data.text, event.data.message_id, event.time, member=event.data.member_id, source="/b")
            for event in events
        ]
        assert (runner.run(again), repr(everything(runner))) == ([], before)

    @given(EVENTS, st.integers(1, 5))
    def test_batches_of_any_size_decide_the_same(self, events: list[MessagePosted], size: int) -> None:
        whole, parts = (FoldRunner(ChatFolder(), definition()) for _ in range(2))
        emitted = whole.run(events)
        in_parts = [event for start in range(0, len(events), size) for event in parts.run(events[start : start + size])]
        assert (emitted, everything(whole)) == (in_parts, everything(parts))


class TestAnyOrder:
    @given(st.permutations(range(5)))
    def test_of_offences_gives_as_many_strikes(self, order: list[int]) -> None:
        rules = rule_set(flood=Rate(count=3, within=timedelta(seconds=10)))
        runner = FoldRunner(ChatFolder(), definition(rules))
        events = [posted("casino", str(number), at(days=number)) for number in range(5)]
        imposed = of_type(runner.run([events[number] for number in order]), SanctionImposed)
        assert [one.data.strikes for one in imposed] == [1, 2, 3, 4, 5]


class TestVerdicts:
    def test_are_stored_as_the_contract_writes_them(self, runner: FoldRunner) -> None:
        runner.run([posted("hello", "1"), posted("example.com", "2"), posted("casino", "3")])
        assert [Verdict(decision(runner, one).verdict) for one in "123"] == list(Verdict)
