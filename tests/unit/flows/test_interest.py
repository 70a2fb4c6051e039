"""Telling early that an event moves nobody never changes what happens."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine.enrollment import Enrollment
from flows.engine.facts import MemberFacts, apply_event
from flows.engine.interest import can_move
from flows.engine.member import react
from shequn.contracts.engagement import Tier
from shequn.contracts.envelope import Envelope
from tests.unit.flows import samples as s
from tests.unit.flows.test_engine_properties import timed_funnel

COMMUNITY = s.community(
    timed_funnel().definition, s.growth(funnel="rungs", goal={"trigger": {"on": "order.paid", "rung": "high"}})
)

HOURS = st.integers(0, 24 * 40)
EVENTS = st.lists(
    st.one_of(
        st.builds(lambda hour, order: s.paid(s.at(hours=hour), f"o{order}"), HOURS, st.integers(1, 3)),
        st.builds(lambda hour, key: s.earned(s.at(hours=hour), 1, str(key)), HOURS, st.integers()),
        st.builds(lambda hour, tier: s.tier(s.at(hours=hour), tier), HOURS, st.sampled_from(Tier)),
        HOURS.map(lambda hour: s.replied(s.at(hours=hour))),
        HOURS.map(lambda hour: s.updated(s.at(hours=hour))),
        HOURS.map(lambda hour: s.left(s.at(hours=hour))),
    ),
    max_size=15,
).map(lambda events: sorted(events, key=lambda event: event.time))


def play(events: list[Envelope], *, all_of_them: bool) -> tuple[MemberFacts, dict[str, Enrollment], list[str]]:
    facts, enrollments, emitted = MemberFacts(), dict[str, Enrollment](), list[str]()
    definitions = {funnel.funnel: funnel for funnel in COMMUNITY.funnels}
    for event in [s.joined(), *events]:
        facts = apply_event(facts, event)
        touched = {
            funnel: each
            for funnel, each in enrollments.items()
            if all_of_them
            or event.type.endswith("joined.v1")
            or can_move(definitions[funnel], each.state, each.step, each.due_at, event, event.time)
        }
        run = react(s.MEMBER, facts, event, touched, COMMUNITY, lambda _: COMMUNITY, event.time)
        facts = run.facts
        enrollments |= run.changed
        emitted += [each.id for each in run.events]
    return facts, enrollments, emitted


@given(EVENTS)
@settings(max_examples=200)
def test_leaving_out_who_cannot_move_gives_the_same(events: list[Envelope]) -> None:
    assert play(events, all_of_them=False) == play(events, all_of_them=True)
