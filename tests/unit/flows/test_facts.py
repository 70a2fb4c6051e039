"""What is known of a member does not depend on the order of events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.facts import MemberFacts, Profile, apply_event, concerned
from flows.engine.facts_json import facts_from_json, facts_to_json
from shequn.contracts.commerce import Ladder
from shequn.contracts.engagement import Tier
from shequn.contracts.envelope import Envelope
from tests.unit.flows import samples as s

EVENTS: tuple[Envelope, ...] = (
    s.joined(),
    s.joined(s.at(days=9)),
    s.updated(s.at(days=-1)),
    s.left(s.at(days=8)),
    s.paid(s.at(days=1)),
    s.refunded(s.at(days=2), minor=100, whole=False),
    s.refunded(s.at(days=3)),
    s.paid(s.at(days=4), "o2", "camp-mid", Ladder.MIDDLE, 199_900),
    s.replied(s.at(hours=1)),
    s.earned(s.at(hours=2), 2, "1"),
    s.earned(s.at(hours=3), 5, "2"),
    s.tier(s.at(days=2), Tier.MIDDLE),
    s.tier(s.at(days=5), Tier.HIGH),
    s.tier(s.at(days=5), Tier.LOW, days=30),
    s.brought(s.at(days=6), "m7"),
    s.brought(s.at(days=7), "m8"),
    s.sanctioned(s.at(days=3), 1),
    s.sanctioned(s.at(days=5), 2),
)


def known_after(events: list[Envelope]) -> MemberFacts:
    """Apply events as the fold does: the inbox drops what it has seen."""
    facts, seen = MemberFacts(), set()
    for event in events:
        if event.id not in seen:
            facts = apply_event(facts, event)
            seen.add(event.id)
    return facts


def timeless(facts: MemberFacts) -> MemberFacts:
    """Leave out which event told the profile last: that is a matter of order."""
    return facts.having(profile=Profile(consents=facts.profile.consents))


class TestAnyOrder:
    @given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=8))
    def test_with_duplicates_tells_the_same(self, events: list[Envelope], again: list[Envelope]) -> None:
        assert timeless(known_after([*events, *again])) == timeless(known_after(list(EVENTS)))

    @given(st.lists(st.sampled_from([event for event in EVENTS if "points" not in event.type])))
    def test_even_without_an_inbox_repeated_facts_change_nothing(self, events: list[Envelope]) -> None:
        facts = MemberFacts()
        for event in events:
            facts = apply_event(facts, event)
        for event in events:
            assert timeless(apply_event(facts, event)) == timeless(facts)


class TestJson:
    @given(st.lists(st.sampled_from(EVENTS), unique_by=lambda event: event.id))
    def test_keeps_everything(self, events: list[Envelope]) -> None:
        facts = known_after(events).tagged("vip").enrolled_in("growth")
        assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts

    def test_of_nothing_is_empty(self) -> None:
        assert facts_to_json(MemberFacts()) == {}


class TestProfile:
    def test_is_the_one_told_last(self) -> None:
        facts = known_after([s.joined(name="小明"), s.updated(s.at(days=-1), name="明", timezone="Europe/London")])
        assert (facts.profile.name, facts.profile.timezone) == ("明", "Europe/London")

    def test_told_later_of_an_earlier_joining_sets_the_day_of_joining(self) -> None:
        assert known_after([s.joined(), s.updated(s.at(days=-1))]).joined_at == s.at(days=-1)


class TestRefund:
    def test_before_its_payment_waits_for_it(self) -> None:
        facts = known_after([s.refunded(s.at(days=2)), s.paid(s.at(days=1))])
        assert not facts.purchases["o1"].counts

    def test_of_the_overpaid_part_costs_the_purchase_nothing(self) -> None:
        paid = s.paid(s.at(), minor=1_000)
        overpaid = paid.model_copy(update={"data": paid.data.model_copy(update={"overpaid_minor": 10})})
        facts = known_after([overpaid, s.refunded(s.at(days=1), minor=10, whole=False)])
        assert facts.purchases["o1"].kept_minor == 990


class TestTier:
    def test_is_that_of_the_shortest_window(self) -> None:
        facts = known_after([s.tier(s.at(), Tier.LOW, days=30), s.tier(s.at(), Tier.HIGH, days=7)])
        assert facts.tier == "high"


class TestConcerned:
    def test_of_a_referral_is_the_referrer(self) -> None:
        assert concerned(s.brought(s.at(), "m7")) == s.MEMBER

    @pytest.mark.parametrize("event", [event for event in EVENTS if "referral" not in event.type], ids=lambda e: e.type)
    def test_of_other_events_is_their_member(self, event: Envelope) -> None:
        assert concerned(event) == s.MEMBER
