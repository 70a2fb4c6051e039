"""What holds for every order of events and every moment of looking."""

import json
from collections import Counter
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine.enrollment import COLUMNS, Enrollment, progress_from_json, progress_to_json
from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.conditions import Conditions
from shequn.contracts.envelope import Envelope
from tests.unit.flows import samples as s
from tests.unit.flows.walk import Walk

EVENTS: tuple[Envelope, ...] = (
    s.joined(),
    s.paid(s.at(hours=1), "o1", rung=Ladder.LOW),
    s.paid(s.at(hours=2), "o2", rung=Ladder.MIDDLE),
    s.paid(s.at(hours=3), "o3", rung=Ladder.HIGH),
    s.refunded(s.at(hours=4), "o2"),
    s.brought(s.at(hours=5), "m7"),
    s.earned(s.at(hours=6)),
    s.replied(s.at(hours=7)),
)
LATER = s.at(days=1)


def some_of(events: tuple[Envelope, ...]) -> st.SearchStrategy[list[Envelope]]:
    """A part of the events, the joining included, in any order and some of them again."""
    return st.lists(st.sampled_from(events[1:]), max_size=12).flatmap(
        lambda chosen: st.permutations([events[0], *chosen])
    )


def timed_funnel() -> Walk:
    """A funnel of everything: sends under guards, waits, conditions, a branch and a loop."""
    trusted = Conditions.model_validate({"all_of": [{"fact": "contribution", "operator": ">=", "value": 3}]})
    return Walk(
        s.funnel(
            {"kind": "send", "message": "welcome", "stage": "free"},
            {
                "kind": "wait_until",
                "id": "first",
                "until": [{"on": "engagement.first_reply"}],
                "at_most": 86_400,
                "timeout": "low",
            },
            {"kind": "tag", "tag": "talks"},
            {
                "kind": "offer",
                "id": "low",
                "product": "course-low",
                "expires": 7_200,
                "message": "low-story",
                "stage": "low",
            },
            {
                "kind": "wait_until",
                "id": "paid",
                "until": [{"on": "order.paid"}],
                "at_most": 172_800,
                "timeout": "later",
            },
            {"kind": "branch", "cases": [{"any_of": [trusted], "go": "high"}], "next": "later"},
            {"kind": "goal", "id": "high", "goal": "trusted", "stage": "high", "next": None},
            {"kind": "wait", "id": "later", "duration": 14 * 86_400, "next": "low"},
            exits=[{"on": "member.left"}],
            guards={"quiet": {"start": "22:00", "end": "08:00"}, "at_most": {"per_day": 1, "per_week": 4}},
        )
    )


HAPPENINGS = st.lists(
    st.one_of(
        st.integers(0, 60 * 24).map(lambda hour: s.at(hours=hour)),
        st.builds(lambda hour, n: s.paid(s.at(hours=hour), f"o{n}"), st.integers(0, 60 * 24), st.integers(1, 3)),
        st.builds(lambda hour, n: s.earned(s.at(hours=hour), 1, str(n)), st.integers(0, 60 * 24), st.integers()),
        st.integers(0, 60 * 24).map(lambda hour: s.replied(s.at(hours=hour))),
    ),
    max_size=30,
).map(lambda happenings: sorted(happenings, key=lambda each: each if isinstance(each, datetime) else each.time))


def live(walk: Walk, happenings: list[Envelope | datetime]) -> Walk:
    walk.on(s.joined())
    for each in happenings:
        if isinstance(each, datetime):
            walk.at(each)
        else:
            walk.on(each)
    return walk


class TestAnyOrder:
    @given(some_of(EVENTS))
    def test_of_the_same_events_reaches_the_same_stages(self, events: list[Envelope]) -> None:
        in_order = sorted({event.id: event for event in events}.values(), key=lambda event: event.time)
        assert Walk(s.growth()).through(events, LATER).stages == Walk(s.growth()).through(in_order, LATER).stages

    @given(st.permutations(EVENTS))
    def test_of_all_events_brings_the_same_effects_once(self, events: list[Envelope]) -> None:
        effects = Counter(Walk(s.growth()).through(events, LATER).effects)
        assert effects == Counter(Walk(s.growth()).through(EVENTS, LATER).effects)

    @given(st.permutations([*EVENTS, s.left(s.at(minutes=30))]))
    def test_with_an_exit_ends_by_it(self, events: list[Envelope]) -> None:
        walk = Walk(s.growth(exits=[{"on": "member.left"}])).through(events, LATER)
        assert walk.finished
        last_but_one = walk.effects[:-1]
        assert walk.here.reason == "member.left" or "referral" in walk.stages, last_but_one


class TestAdvance:
    @given(HAPPENINGS)
    @settings(max_examples=200)
    def test_again_at_the_same_moment_gives_no_effect(self, happenings: list[Envelope | datetime]) -> None:
        walk = Walk(timed_funnel().definition).on(s.joined())
        for each in happenings:
            live_one(walk, each)
            now = each if isinstance(each, datetime) else each.time
            again = walk.look(now)
            assert (again.effects, again.decisions, again.enrollment) == ((), (), walk.enrollment)

    @given(HAPPENINGS)
    def test_of_the_same_state_gives_the_same(self, happenings: list[Envelope | datetime]) -> None:
        walk = live(timed_funnel(), happenings)
        assert walk.look(s.at(days=90)) == walk.look(s.at(days=90))

    @given(HAPPENINGS)
    @settings(max_examples=200)
    def test_never_brings_an_effect_twice(self, happenings: list[Envelope | datetime]) -> None:
        effects = live(timed_funnel(), happenings).effects
        assert [effect for effect, count in Counter(effects).items() if count > 1] == []

    @given(HAPPENINGS)
    def test_numbers_its_decisions_without_a_gap(self, happenings: list[Envelope | datetime]) -> None:
        walk = live(timed_funnel(), happenings)
        assert walk.here.decisions == len(walk.decisions)

    @given(HAPPENINGS)
    def test_never_leaves_a_waiting_member_due(self, happenings: list[Envelope | datetime]) -> None:
        walk = live(timed_funnel(), happenings).at(s.at(days=90))
        assert walk.here.due_at is None or walk.here.due_at > s.at(days=90)

    @given(HAPPENINGS, st.integers(0, 60 * 24))
    def test_does_nothing_after_an_exit(self, happenings: list[Envelope | datetime], hour: int) -> None:
        walk = live(timed_funnel(), [each for each in happenings if isinstance(each, datetime)])
        walk.on(s.left(s.at(hours=hour)), now=s.at(days=61))
        before = list(walk.effects)
        assert walk.at(s.at(days=200)).effects == before


def live_one(walk: Walk, each: Envelope | datetime) -> None:
    if isinstance(each, datetime):
        walk.at(each)
    else:
        walk.on(each)


class TestEnrollmentAsJson:
    @given(HAPPENINGS)
    def test_keeps_everything(self, happenings: list[Envelope | datetime]) -> None:
        enrollment = live(timed_funnel(), happenings).here
        columns = {name: getattr(enrollment, name) for name in COLUMNS}
        progress = progress_from_json(json.loads(json.dumps(progress_to_json(enrollment))))
        assert Enrollment(**columns, **progress) == enrollment
