from datetime import UTC, date, datetime

import pytest

from services.engagement.handlers import ChatFolder
from services.engagement.tables import GIVINGS, GROUP_TOTALS, MEMBER_DAYS, MEMBERS, MESSAGES, POINTS_LOG
from shequn.contracts.engagement import FirstPosted, FirstReplied, PointsEarned, Tier, TierChanged
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import UnknownCommunityError
from shequn.testing.memory import FoldRunner
from tests.unit.engagement.builders import COMMUNITY, definition, message, reaction

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
DAY = date(2026, 1, 10)


@pytest.fixture
def runner() -> FoldRunner:
    return FoldRunner(ChatFolder(), definition(), now=NOW)


def balance(runner: FoldRunner, member: str) -> int:
    state = runner.state(MEMBERS, COMMUNITY, member)
    return 0 if state is None else state.points


def of_type(events: list[Envelope], kind: type[Envelope]) -> list[Envelope]:
    return [event for event in events if isinstance(event, kind)]


class TestMessage:
    def test_counts_for_its_group_and_its_author(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", "2026-01-10T01:00:00Z"), message("ann", "2", "2026-01-10T02:00:00Z")])
        assert runner.counters(GROUP_TOTALS) == {
            (COMMUNITY, "main"): {"messages": 2, "replies": 0, "reactions": 0, "speakers": 1}
        }

    def test_counts_once_under_two_event_ids(self, runner: FoldRunner) -> None:
        first, again = (message("ann", "1", "2026-01-10T01:00:00Z", source=source) for source in ("/a", "/b"))
        assert first.id != again.id
        runner.run([first, again])
        assert runner.counters(MEMBER_DAYS)[COMMUNITY, "main", "ann", DAY]["messages"] == 1

    def test_with_the_same_id_in_another_group_is_another_message(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), message("ann", "1", NOW, group="side")])
        assert {key[1] for key in runner.counters(GROUP_TOTALS)} == {"main", "side"}

    def test_counts_on_the_day_of_the_community(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", "2026-01-09T16:00:00Z")])
        assert list(runner.counters(MEMBER_DAYS)) == [(COMMUNITY, "main", "ann", DAY)]

    def test_of_an_unknown_community_is_refused(self, runner: FoldRunner) -> None:
        event = message("ann", "1", NOW, community="strangers")
        runner.run([event])
        assert isinstance(runner.errors[event.id], UnknownCommunityError)


class TestSpeakers:
    def test_are_counted_once_for_each_group(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), message("bob", "2", NOW), message("ann", "3", NOW)])
        runner.run([message("ann", "4", NOW), message("ann", "1", NOW, group="side")])
        speakers = {key[1]: sums["speakers"] for key, sums in runner.counters(GROUP_TOTALS).items()}
        assert speakers == {"main": 2, "side": 1}

    def test_do_not_include_who_only_reacts(self, runner: FoldRunner) -> None:
        runner.run([reaction("ann", "1", NOW)])
        assert runner.counters(GROUP_TOTALS)[COMMUNITY, "main"]["speakers"] == 0


class TestFirstPost:
    def test_is_told_once(self, runner: FoldRunner) -> None:
        first = runner.run([message("ann", "1", NOW)])
        second = runner.run([message("ann", "2", NOW)])
        assert (len(of_type(first, FirstPosted)), len(of_type(second, FirstPosted))) == (1, 0)

    def test_that_comes_late_corrects_the_state_silently(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "2", "2026-01-10T02:00:00Z")])
        emitted = runner.run([message("ann", "1", "2026-01-10T01:00:00Z")])
        state = runner.state(MEMBERS, COMMUNITY, "ann")
        assert state is not None
        assert state.first_posted_at == datetime(2026, 1, 10, 1, tzinfo=UTC)
        assert of_type(emitted, FirstPosted) == []


class TestFirstReply:
    def test_is_told_with_its_place(self, runner: FoldRunner) -> None:
        (event,) = of_type(runner.run([message("ann", "2", NOW, reply_to="1")]), FirstReplied)
        assert event.data.model_dump() == {"member_id": "ann", "group": "main", "message_id": "2"}

    def test_is_not_told_for_a_message_of_its_own(self, runner: FoldRunner) -> None:
        assert of_type(runner.run([message("ann", "1", NOW)]), FirstReplied) == []

    def test_that_comes_late_corrects_the_state_silently(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "3", "2026-01-10T02:00:00Z", reply_to="x")])
        emitted = runner.run([message("ann", "2", "2026-01-10T01:00:00Z", reply_to="x")])
        state = runner.state(MEMBERS, COMMUNITY, "ann")
        assert state is not None
        assert state.first_replied_at == datetime(2026, 1, 10, 1, tzinfo=UTC)
        assert of_type(emitted, FirstReplied) == []


class TestTierChanged:
    def test_is_told_as_a_member_rises(self, runner: FoldRunner) -> None:
        emitted = runner.run(
            [reaction("ann", "x", NOW), message("ann", "1", NOW, reply_to="x"), message("ann", "2", NOW)]
        )
        changes = [(event.data.before, event.data.tier) for event in of_type(emitted, TierChanged)]
        assert changes == [(Tier.INACTIVE, Tier.LOW), (Tier.LOW, Tier.MIDDLE), (Tier.MIDDLE, Tier.HIGH)]

    def test_is_told_for_the_smallest_window(self, runner: FoldRunner) -> None:
        (event,) = of_type(runner.run([message("ann", "1", NOW)]), TierChanged)
        assert event.data.window_days == 7

    def test_is_not_told_again_in_the_same_tier(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW)])
        assert of_type(runner.run([message("ann", "2", NOW)]), TierChanged) == []

    def test_is_not_told_for_messages_of_long_ago(self, runner: FoldRunner) -> None:
        assert of_type(runner.run([message("ann", "1", "2015-01-10T01:00:00Z")]), TierChanged) == []

    def test_tells_a_tier_that_ended_when_the_member_acts_before_the_sweep(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", "2026-01-09T00:00:00Z")])
        runner.now = datetime(2026, 1, 20, tzinfo=UTC)
        (event,) = of_type(runner.run([reaction("ann", "x", "2026-01-20T00:00:00Z")]), TierChanged)
        assert (event.data.before, event.data.tier) == (Tier.HIGH, Tier.LOW)


class TestPoints:
    def test_go_to_who_was_answered(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW)])
        (event,) = of_type(runner.run([message("bob", "2", NOW, reply_to="1")]), PointsEarned)
        assert event.data.model_dump() == {
            "member_id": "ann",
            "giver": "bob",
            "points": 2,
            "balance": 2,
            "reason": "reply",
        }

    def test_are_entered_twice_and_sum_to_zero(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), reaction("bob", "1", NOW)])
        entries = {entry.account: entry.points for entry in runner.log(POINTS_LOG)}
        assert entries == {"member:ann": 1, "issue": -1}

    def test_are_not_earned_by_a_reply_to_oneself(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), message("ann", "2", NOW, reply_to="1"), reaction("ann", "1", NOW)])
        assert (balance(runner, "ann"), runner.log(POINTS_LOG)) == (0, [])

    def test_are_not_earned_by_a_message_that_answers_itself(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW, reply_to="1")])
        assert (balance(runner, "ann"), runner.errors) == (0, {})

    def test_wait_for_the_message_that_a_reply_points_to(self, runner: FoldRunner) -> None:
        runner.run([message("bob", "2", NOW, reply_to="1")])
        assert balance(runner, "ann") == 0
        runner.run([message("ann", "1", NOW)])
        assert balance(runner, "ann") == 2

    def test_wait_within_one_batch_too(self, runner: FoldRunner) -> None:
        runner.run([reaction("bob", "1", NOW), message("cat", "2", NOW, reply_to="1"), message("ann", "1", NOW)])
        assert (balance(runner, "ann"), runner.errors) == (3, {})

    def test_of_a_reply_that_waited_are_told_at_the_time_of_the_reply(self, runner: FoldRunner) -> None:
        runner.run([message("bob", "2", "2026-01-10T02:00:00Z", reply_to="1")])
        (event,) = of_type(runner.run([message("ann", "1", "2026-01-10T01:00:00Z")]), PointsEarned)
        assert event.time == datetime(2026, 1, 10, 2, tzinfo=UTC)

    def test_are_never_earned_when_the_message_never_comes(self, runner: FoldRunner) -> None:
        runner.run([message("bob", "2", NOW, reply_to="1"), reaction("bob", "1", NOW)])
        waiting = runner.state(MESSAGES, COMMUNITY, "main", "1")
        assert waiting is not None
        assert (len(waiting.pending), runner.log(POINTS_LOG)) == (2, [])

    def test_need_no_message_when_the_platform_names_its_author(self, runner: FoldRunner) -> None:
        runner.run([reaction("bob", "1", NOW, told_author="ann")])
        assert balance(runner, "ann") == 1

    def test_are_earned_once_by_a_reaction_taken_back_and_given_again(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW)])
        runner.run([reaction("bob", "1", "2026-01-10T02:00:00Z"), reaction("bob", "1", "2026-01-10T03:00:00Z")])
        assert balance(runner, "ann") == 1

    def test_are_not_told_when_an_act_is_worth_nothing(self) -> None:
        runner = FoldRunner(ChatFolder(), definition(points_per_reaction=0), now=NOW)
        emitted = runner.run([message("ann", "1", NOW), reaction("bob", "1", NOW)])
        assert of_type(emitted, PointsEarned) == []


class TestPairCap:
    def test_stops_the_fourth_act_of_a_pair(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), *(reaction("bob", "1", NOW, emoji=emoji) for emoji in "abcd")])
        assert balance(runner, "ann") == 3

    def test_is_each_pairs_own(self, runner: FoldRunner) -> None:
        givers = [reaction(giver, "1", NOW, emoji=emoji) for giver in ("bob", "cat") for emoji in "abcd"]
        runner.run([message("ann", "1", NOW), *givers])
        assert balance(runner, "ann") == 6

    def test_lets_a_reply_replace_a_reaction(self, runner: FoldRunner) -> None:
        runner.run([message("ann", "1", NOW), *(reaction("bob", "1", NOW, emoji=emoji) for emoji in "abc")])
        (event,) = of_type(runner.run([message("bob", "2", NOW, reply_to="1")]), PointsEarned)
        assert (event.data.points, event.data.balance) == (1, 4)

    def test_starts_anew_at_midnight_of_the_community(self, runner: FoldRunner) -> None:
        before = [reaction("bob", "1", "2026-01-10T15:59:59Z", emoji=emoji) for emoji in "abcd"]
        after = [reaction("bob", "1", "2026-01-10T16:00:00Z", emoji=emoji) for emoji in "efgh"]
        runner.run([message("ann", "1", NOW), *before, *after])
        assert balance(runner, "ann") == 6

    def test_does_not_start_anew_at_midnight_of_another_zone(self, runner: FoldRunner) -> None:
        before = [reaction("bob", "1", "2026-01-10T23:59:59Z", emoji=emoji) for emoji in "abcd"]
        after = [reaction("bob", "1", "2026-01-11T00:00:00Z", emoji=emoji) for emoji in "efgh"]
        runner.run([message("ann", "1", NOW), *before, *after])
        assert balance(runner, "ann") == 3

    def test_knows_the_short_day_of_summer_time(self) -> None:
        runner = FoldRunner(ChatFolder(), definition("America/New_York"), now=NOW)
        times = ("2026-03-08T04:59:00Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:00Z", "2026-03-09T04:00:00Z")
        runner.run([reaction("bob", "1", time, emoji=str(index)) for index, time in enumerate(times)])
        runner.run([message("ann", "1", NOW)])
        counts = {key[2]: state.receivers["ann"][1] for key, state in runner.states(GIVINGS).items()}
        assert counts == {date(2026, 3, 7): 1, date(2026, 3, 8): 2, date(2026, 3, 9): 1}
