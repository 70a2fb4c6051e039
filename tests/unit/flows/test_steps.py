"""What each kind of step does."""

from datetime import timedelta
from typing import Any

import pytest

from flows.engine.advance import MAX_STEPS
from flows.engine.effects import Finished, FunnelLoopError, GoalMet, Offer, Outcome, Send, Tagged
from shequn.contracts.commerce import Ladder
from shequn.contracts.engagement import Tier
from tests.unit.flows import samples as s
from tests.unit.flows.walk import Walk

WELCOME = {"kind": "send", "message": "welcome"}
NIGHT = {"start": "22:00", "end": "08:00"}
OFFER = {"kind": "offer", "product": "course-low", "expires": 7_200, "message": "low-story"}
GOAL = {"trigger": {"on": "order.paid", "rung": "high"}, "within": 90 * 86_400}


def walk(*steps: dict[str, Any], **parts: Any) -> Walk:
    """A member who joined at noon in Shanghai, in a funnel of these steps."""
    return Walk(s.funnel(*steps, **parts)).on(s.joined())


def until(**more: Any) -> dict[str, Any]:
    return {"kind": "wait_until", "until": [{"on": "order.paid"}]} | more


class TestSend:
    def test_goes_out_at_once_when_nothing_blocks(self) -> None:
        assert [effect.message for effect in walk(WELCOME).all(Send)] == ["welcome"]

    def test_at_night_waits_for_the_morning(self) -> None:
        night = Walk(s.funnel(WELCOME, guards={"quiet": NIGHT})).on(s.joined(s.at(hours=12)))
        assert (night.all(Send), night.here.due_at) == ([], s.at(hours=20))
        assert night.at(s.at(hours=20)).all(Send) != []

    def test_at_night_is_dropped_when_the_funnel_says_so(self) -> None:
        guards = {"quiet": NIGHT, "when_blocked": "drop"}
        night = Walk(s.funnel(WELCOME, guards=guards)).on(s.joined(s.at(hours=12)))
        assert (night.all(Send), night.finished) == ([], True)
        assert night.why(Outcome.SUPPRESSED) == ["00:00 in Asia/Shanghai is in quiet hours 22:00-08:00"]

    def test_without_consent_is_dropped_although_others_wait(self) -> None:
        refused = Walk(s.funnel(WELCOME, guards={"consent": "messages"})).on(s.joined(consents=()))
        assert [decision.reason for decision in refused.decisions if decision.what is Outcome.SUPPRESSED] == ["consent"]

    def test_to_a_member_not_known_yet_waits_for_the_joining(self) -> None:
        early = Walk(s.funnel(WELCOME, enter={"on": "order.paid"}, guards={"consent": "messages"})).on(s.paid(s.START))
        assert (early.all(Send), early.here.due_at) == ([], None)
        assert len(early.on(s.earned(s.at(minutes=1))).decisions) == 1
        assert early.on(s.joined(s.at(minutes=2))).all(Send) != []

    def test_over_the_cap_waits_until_the_window_frees(self) -> None:
        capped = walk(WELCOME, WELCOME, guards={"at_most": {"per_day": 1}})
        assert (len(capped.all(Send)), capped.here.due_at) == (1, s.at(days=1))
        assert len(capped.at(s.at(days=1)).all(Send)) == 2

    def test_of_a_former_enrollment_counts_for_the_cap(self) -> None:
        again = walk(WELCOME, re_enter="always", guards={"at_most": {"per_day": 1}})
        assert again.on(s.joined(s.at(hours=2))).here.due_at == s.at(days=1)


class TestWait:
    def test_lasts_as_long_as_it_says(self) -> None:
        waiting = walk({"kind": "wait", "duration": 3_600}, WELCOME)
        assert waiting.at(s.at(minutes=59)).all(Send) == []
        assert waiting.at(s.at(minutes=60)).all(Send) != []

    def test_of_no_time_passes_at_once(self) -> None:
        assert walk({"kind": "wait", "duration": 0}, WELCOME).all(Send) != []


class TestWaitUntil:
    def test_ends_with_the_event(self) -> None:
        assert walk(until()).on(s.paid(s.at(days=1))).finished

    def test_of_one_product_does_not_end_with_another(self) -> None:
        waiting = walk(until(until=[{"on": "order.paid", "product": "camp-mid"}]))
        assert not waiting.on(s.paid(s.at(days=1))).finished

    def test_does_not_wait_for_what_happened_since_the_entry(self) -> None:
        late = Walk(s.funnel(until())).on(s.paid(s.at(hours=1))).on(s.joined(s.START), now=s.at(hours=2))
        assert late.finished

    def test_waits_for_what_happened_only_before_the_entry(self) -> None:
        assert not Walk(s.funnel(until())).on(s.paid(s.at(hours=-1))).on(s.joined()).finished

    def test_does_not_take_the_entry_itself_for_the_event(self) -> None:
        buyer = Walk(s.funnel(until(), enter={"on": "order.paid"})).on(s.paid(s.START))
        assert not buyer.finished
        assert buyer.on(s.paid(s.at(days=1), "o2")).finished

    def test_times_out_at_its_deadline(self) -> None:
        waiting = walk(until(at_most=3_600, timeout="late"), {"kind": "goal", "goal": "paid"}, WELCOME | {"id": "late"})
        assert (waiting.at(s.at(hours=1)).all(GoalMet), len(waiting.all(Send))) == ([], 1)

    def test_times_out_when_the_event_came_after_the_deadline_though_nobody_looked(self) -> None:
        late = walk(until(at_most=3_600, timeout="late"), {"kind": "exit", "reason": "paid"}, WELCOME | {"id": "late"})
        assert len(late.on(s.paid(s.at(hours=2))).all(Send)) == 1

    def test_ends_with_a_condition(self) -> None:
        conditions = {"all_of": [{"fact": "contribution", "operator": ">=", "value": 3}]}
        waiting = walk(until(until=(), conditions=conditions))
        assert not waiting.on(s.earned(s.at(days=1), 2, "1")).finished
        assert waiting.on(s.earned(s.at(days=2), 2, "2")).finished

    def test_is_looked_at_when_time_alone_makes_the_condition_hold(self) -> None:
        conditions = {"all_of": [{"fact": "days_since_joined", "operator": ">=", "value": 7}]}
        waiting = walk(until(until=(), conditions=conditions, at_most=30 * 86_400))
        assert waiting.here.due_at == s.at(days=7)
        assert waiting.at(s.at(days=7)).finished

    def test_in_a_loop_waits_for_the_next_event(self) -> None:
        loop = walk(until(id="again", next="tell"), WELCOME | {"id": "tell", "next": "again"})
        loop.on(s.paid(s.at(days=1), "o1"))
        assert len(loop.all(Send)) == 1
        loop.on(s.paid(s.at(days=2), "o2"))
        assert len(loop.all(Send)) == 2


class TestBranch:
    CASES = ({"any_of": [{"all_of": [{"fact": "tier", "operator": "in", "value": ["high"]}]}], "go": "high"},)

    def branch(self) -> tuple[dict[str, Any], ...]:
        return (
            {"kind": "branch", "cases": self.CASES},
            {"kind": "exit", "reason": "other"},
            {"kind": "exit", "id": "high", "reason": "high"},
        )

    def test_goes_where_the_first_case_that_holds_says(self) -> None:
        walked = Walk(s.funnel(*self.branch())).on(s.tier(s.at(hours=-1), Tier.HIGH)).on(s.joined())
        assert walked.here.reason == "high"

    def test_goes_on_when_no_case_holds_and_says_why(self) -> None:
        walked = walk(*self.branch())
        assert walked.here.reason == "other"
        assert "tier is unknown, wanted in [high]" in walked.why(Outcome.BRANCHED)[0]


class TestOffer:
    def test_is_made_until_its_deadline_and_told(self) -> None:
        walked = walk(OFFER)
        assert [effect.expires for effect in walked.all(Offer)] == [s.at(hours=2)]
        assert [(effect.product, effect.expires) for effect in walked.all(Send)] == [("course-low", s.at(hours=2))]

    def test_is_skipped_for_members_who_do_not_fulfil_it(self) -> None:
        when = {"all_of": [{"fact": "contribution", "operator": ">=", "value": 20}]}
        walked = walk(OFFER | {"when": when})
        assert walked.all(Offer) == []
        assert walked.why(Outcome.SKIPPED) == ["no offer of 'course-low': contribution is 0, wanted >= 20"]

    def test_waits_with_its_message(self) -> None:
        night = Walk(s.funnel(OFFER, guards={"quiet": NIGHT})).on(s.joined(s.at(hours=12)))
        assert night.all(Offer) == []
        assert [effect.expires for effect in night.at(s.at(hours=20)).all(Offer)] == [s.at(hours=22)]

    def test_stands_although_its_message_is_dropped(self) -> None:
        guards = {"quiet": NIGHT, "when_blocked": "drop"}
        night = Walk(s.funnel(OFFER, guards=guards)).on(s.joined(s.at(hours=12)))
        assert (len(night.all(Offer)), night.all(Send)) == (1, [])


class TestTag:
    def test_is_given_once(self) -> None:
        tag = {"kind": "tag", "tag": "vip"}
        walked = walk(tag, tag)
        assert (len(walked.all(Tagged)), walked.facts.tags) == (1, {"vip"})


class TestGoal:
    def test_of_the_funnel_is_met_within_its_window(self) -> None:
        walked = walk(until(), goal=GOAL).on(s.paid(s.at(days=89), rung=Ladder.HIGH))
        assert [effect.goal for effect in walked.all(GoalMet)] == ["order.paid:high"]

    def test_of_the_funnel_is_not_met_later(self) -> None:
        walked = walk(until(), goal=GOAL).on(s.paid(s.at(days=91), rung=Ladder.HIGH))
        assert walked.all(GoalMet) == []

    def test_of_the_funnel_is_met_although_the_way_has_ended(self) -> None:
        walked = walk(WELCOME, goal=GOAL).on(s.paid(s.at(days=1), rung=Ladder.HIGH))
        assert (walked.finished, len(walked.all(GoalMet))) == (True, 1)

    def test_of_a_step_is_met_by_arriving(self) -> None:
        assert [effect.goal for effect in walk({"kind": "goal", "goal": "here"}).all(GoalMet)] == ["here"]

    def test_that_is_also_an_exit_counts_before_the_member_leaves(self) -> None:
        walked = walk(until(), goal=GOAL, exits=[GOAL["trigger"]]).on(s.paid(s.at(days=1), rung=Ladder.HIGH))
        assert [type(effect) for effect in walked.effects] == [GoalMet, Finished]


class TestExit:
    def test_on_the_event_ends_a_wait(self) -> None:
        walked = walk(until(), exits=[{"on": "member.left"}]).on(s.left(s.at(days=1)))
        assert (walked.finished, walked.here.reason) == (True, "member.left")

    def test_that_happened_is_seen_before_the_step_of_a_timer(self) -> None:
        waiting = walk({"kind": "wait", "duration": 3_600}, WELCOME, exits=[{"on": "member.left"}])
        assert waiting.on(s.left(s.at(hours=2))).all(Send) == []

    def test_of_an_event_before_the_entry_does_not_count(self) -> None:
        back = Walk(s.funnel(WELCOME, exits=[{"on": "member.left"}])).on(s.left(s.at(days=-1))).on(s.joined())
        assert back.here.reason == "completed"

    def test_that_arrives_before_the_entry_wins(self) -> None:
        gone = Walk(s.funnel(WELCOME, exits=[{"on": "member.left"}])).on(s.left(s.at(days=1)))
        gone.on(s.joined(), now=s.at(days=2))
        assert (gone.all(Send), gone.here.reason) == ([], "member.left")

    def test_step_names_its_reason(self) -> None:
        assert [effect.reason for effect in walk({"kind": "exit", "reason": "nurture"}).all(Finished)] == ["nurture"]


class TestLoop:
    def test_without_a_wait_is_an_error_that_names_funnel_and_step(self) -> None:
        with pytest.raises(FunnelLoopError, match=rf"'growth' passed {MAX_STEPS} steps .* at step 'around'"):
            walk(WELCOME | {"id": "around", "next": "around"})


class TestReEntry:
    def rejoin(self, re_enter: Any, after: timedelta) -> int:
        walked = walk(WELCOME, re_enter=re_enter)
        return walked.on(s.joined(s.START + after)).here.ordinal

    def test_never_is_never(self) -> None:
        assert self.rejoin("never", timedelta(days=400)) == 1

    def test_always_is_as_soon_as_the_former_one_ended(self) -> None:
        assert self.rejoin("always", timedelta(minutes=1)) == 2

    @pytest.mark.parametrize(("days", "ordinal"), [(29, 1), (30, 2)])
    def test_after_a_while_is_counted_from_the_end(self, days: int, ordinal: int) -> None:
        assert self.rejoin(30 * 86_400, timedelta(days=days)) == ordinal

    def test_waits_for_the_end_of_the_former_one(self) -> None:
        walked = walk(until(), re_enter="always").on(s.joined(s.at(days=1)))
        assert walked.here.ordinal == 1
