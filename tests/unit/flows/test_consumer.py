"""The consumer: events of all streams move members, and say so on the bus."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.consumer.handlers import FOLDERS, CommerceFolder, FunnelFolder, MembersFolder
from flows.engine.facts import TRIGGER_OF
from flows.seats import SeatBoard
from flows.tables import COUNTS, DECISIONS, ENROLLMENTS, FACTS, SEATS, EnrollmentRow
from shequn.contracts.actions import SendMessage
from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.conditions import TRIGGERS
from shequn.contracts.envelope import Envelope
from shequn.contracts.funnels import EnrollmentFinished, EnrollmentStarted, OfferMade, StageReached
from shequn.contracts.members import MemberUpdated
from shequn.testing.memory import FoldRunner, MemoryTables
from tests.unit.flows import samples as s

NOW = s.at(days=30)


class Consumer:
    """All folders of the consumer on shared tables."""

    def __init__(self, *definitions: CommunityDefinition) -> None:
        self.tables = MemoryTables()
        self.runners = {folder: FoldRunner(folder(), *definitions, now=NOW, tables=self.tables) for folder in FOLDERS}

    def run(self, *events: Envelope) -> list[Envelope]:
        return [emitted for event in events for emitted in self.runners[folder_of(event)].run([event])]

    @property
    def any(self) -> FoldRunner:
        return self.runners[FOLDERS[0]]

    @property
    def errors(self) -> list[Exception]:
        return [error for runner in self.runners.values() for error in runner.errors.values()]

    def enrollment(self, funnel: str = "growth") -> EnrollmentRow:
        row = self.any.state(ENROLLMENTS, s.COMMUNITY, s.MEMBER, funnel)
        assert row is not None
        return row

    def totals(self) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = {}
        for (_, _, _, what, name), counters in self.any.counters(COUNTS).items():
            sums[what, name] = sums.get((what, name), 0) + counters["total"]
        return sums


def folder_of(event: Envelope) -> type[FunnelFolder]:
    return next(folder for folder in FOLDERS if type(event) in folder.accepts)


def kinds(events: Iterable[Envelope]) -> list[type[Envelope]]:
    return [type(event) for event in events]


def test_every_trigger_has_a_folder() -> None:
    accepted = {event.TYPE for folder in FOLDERS for event in folder.accepts}
    assert accepted == set(TRIGGERS.values()) | {MemberUpdated.TYPE}
    assert set(TRIGGER_OF) == set(TRIGGERS.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_accepts_what_its_consumer_delivers(folder: type[FunnelFolder]) -> None:
    subjects = folder.consumer.subjects or tuple(
        subject.removesuffix(">") for subject in folder.consumer.stream.subjects
    )
    assert all(event.TYPE.startswith(subjects) for event in folder.accepts)


class TestJoining:
    def test_begins_the_funnel_and_sends_the_welcome(self) -> None:
        emitted = Consumer(s.community(s.growth())).run(s.joined(name="小明"))
        assert kinds(emitted) == [EnrollmentStarted, StageReached, SendMessage]
        assert emitted[2].data.text == "小明,欢迎!"

    def test_delivered_twice_moves_nobody_twice(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined())
        assert consumer.run(s.joined()) == []

    def test_of_a_community_without_definition_is_refused(self) -> None:
        consumer = Consumer()
        consumer.run(s.joined())
        assert [str(error) for error in consumer.errors] == [
            "no definition of community 'readers' is applied; run `shequn apply FOLDER` for it first"
        ]


class TestEarlierJoining:
    def test_that_becomes_known_later_makes_what_happened_since_count(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined(s.at(days=3)), s.paid(s.at(days=1)))
        assert consumer.enrollment().stage == "free"
        consumer.run(s.updated(s.START))
        assert consumer.enrollment().stage == "low"


class TestPayment:
    def test_moves_the_member_at_once(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined())
        emitted = consumer.run(s.paid(s.at(days=1)))
        assert [event.data.stage for event in emitted if isinstance(event, StageReached)] == ["low"]

    def test_before_the_joining_counts_once_the_member_is_known(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        assert consumer.run(s.paid(s.at(days=1))) == []
        emitted = consumer.run(s.joined())
        assert [event.data.stage for event in emitted if isinstance(event, StageReached)] == ["free", "low"]

    def test_has_the_payments_chain_in_what_follows(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined())
        paid = s.paid(s.at(days=1))
        reached = consumer.run(paid)[0]
        assert (reached.causationid, reached.correlationid, reached.time) == (paid.id, paid.correlationid, paid.time)


class TestAnyOrder:
    EVENTS = (
        s.joined(),
        s.paid(s.at(hours=1), "o1", rung=Ladder.LOW),
        s.paid(s.at(hours=2), "o2", rung=Ladder.MIDDLE),
        s.paid(s.at(hours=3), "o3", rung=Ladder.HIGH),
        s.brought(s.at(hours=5), "m7"),
        s.earned(s.at(hours=6)),
    )

    @given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=4))
    def test_of_all_streams_counts_the_same(self, events: list[Envelope], again: list[Envelope]) -> None:
        first, second = Consumer(s.community(s.growth())), Consumer(s.community(s.growth()))
        first.run(*self.EVENTS)
        emitted = second.run(*events, *again)
        assert {key: count for key, count in first.totals().items() if count} == {
            key: count for key, count in second.totals().items() if count
        }
        assert len({event.id for event in emitted}) == len(emitted)


class TestVersion:
    def test_of_a_running_enrollment_stays(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined())
        changed = s.community(s.funnel({"kind": "exit", "reason": "closed"}), version=2)
        for runner in consumer.runners.values():
            runner.book.definitions.append(changed)
        emitted = consumer.run(s.paid(s.at(days=1)))
        assert [event.data.version for event in emitted] == [1, 1]

    def test_of_a_new_enrollment_is_the_one_in_force(self) -> None:
        consumer = Consumer(s.community(s.growth()), s.community(s.growth(), version=2))
        assert {event.data.version for event in consumer.run(s.joined()) if not isinstance(event, SendMessage)} == {2}


class TestTwoFunnels:
    def test_a_tag_of_one_is_what_the_other_waits_for(self) -> None:
        tagged = {"all_of": [{"fact": "tags", "operator": "contains", "value": ["low"]}]}
        waits = s.funnel({"kind": "wait_until", "conditions": tagged}, funnel="club")
        # The one that waits stands first, so it has been looked at before the tag is given.
        consumer = Consumer(s.community(waits, s.growth()))
        consumer.run(s.joined())
        emitted = consumer.run(s.paid(s.at(days=1)))
        assert [event.data.funnel for event in emitted if isinstance(event, EnrollmentFinished)] == ["club"]


class TestBrokenFunnel:
    ROUND = {"kind": "tag", "tag": "x", "id": "round", "next": "round"}  # noqa: RUF012

    def test_stops_its_member_and_no_other_funnel(self) -> None:
        consumer = Consumer(s.community(s.funnel(self.ROUND, funnel="broken"), s.growth()))
        emitted = consumer.run(s.joined())
        assert consumer.enrollment("broken").state == "stuck"
        assert SendMessage in kinds(emitted)
        assert consumer.errors == []

    def test_says_why(self) -> None:
        consumer = Consumer(s.community(s.funnel({"kind": "send", "message": "nothing"})))
        consumer.run(s.joined())
        whys = [row.why for row in consumer.any.log(DECISIONS) if row.what == "stuck"]
        assert whys == ["funnel 'growth', step 'step-1': there is no text for message 'nothing'"]


class TestMessage:
    def test_is_in_the_language_of_the_member(self) -> None:
        emitted = Consumer(s.community(s.growth())).run(s.joined(name="Ann", language="en"))
        assert [event.data.text for event in emitted if isinstance(event, SendMessage)] == ["Welcome, Ann!"]

    def test_has_a_key_of_funnel_version_enrollment_step_and_visit(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        sends = [event for event in consumer.run(s.joined()) if isinstance(event, SendMessage)]
        assert sends[0].data.idempotency_key == f"growth:1:{consumer.enrollment().enrollment_id}:step-1:1"

    def test_of_an_offer_fills_in_product_price_and_deadline(self) -> None:
        offer = {"kind": "offer", "product": "course-low", "expires": 86_400, "message": "low-story"}
        emitted = Consumer(s.community(s.funnel(offer))).run(s.joined())
        assert OfferMade in kinds(emitted)
        texts = [event.data.text for event in emitted if isinstance(event, SendMessage)]
        assert texts == ["入门课只要 9.90 CNY,到 2026-04-02 12:00 为止。{unknown}"]

    @pytest.mark.parametrize(("code", "digits", "price"), [("XOF", 0, "990"), ("CNY", 2, "9.90"), ("OMR", 3, "0.990")])
    def test_of_an_offer_has_the_digits_of_the_currency(self, code: str, digits: int, price: str) -> None:
        offer = {"kind": "offer", "product": "course-low", "expires": 86_400, "message": "low-story"}
        club = s.community(s.funnel(offer)).model_copy(update={"currency": code, "currency_digits": digits})
        texts = [event.data.text for event in Consumer(club).run(s.joined()) if isinstance(event, SendMessage)]
        assert [text.split(",")[0] for text in texts] == [f"入门课只要 {price} {code}"]

    def test_of_an_offer_with_seats_names_the_price_of_the_next_seat(self) -> None:
        offer = {"kind": "offer", "product": "camp-mid", "expires": 86_400, "message": "camp"}
        runner = FoldRunner(CommerceFolder(), s.community(s.funnel(offer)), now=NOW)
        runner.run([s.paid(s.START, f"o{seat}", "camp-mid", Ladder.MIDDLE, seat=seat) for seat in (1, 2, 3, 3)])
        assert runner.counters(SEATS) == {
            (s.COMMUNITY, "camp-mid", 0): {"taken": 2},
            (s.COMMUNITY, "camp-mid", 1): {"taken": 1},
        }
        board = SeatBoard()
        board._taken = {(s.COMMUNITY, "camp-mid"): {0: 2, 1: 1}}
        emitted = FoldRunner(MembersFolder(board), s.community(s.funnel(offer)), now=NOW).run([s.joined()])
        assert [event.data.text for event in emitted if isinstance(event, SendMessage)] == ["1000 CNY"]

    def test_does_not_read_placeholders_in_a_members_name(self) -> None:
        emitted = Consumer(s.community(s.growth())).run(s.joined(name="{community}"))
        assert [event.data.text for event in emitted if isinstance(event, SendMessage)] == ["{community},欢迎!"]


class TestWhyCard:
    def test_tells_every_decision_with_its_cause(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        joined, paid = s.joined(), s.paid(s.at(days=1))
        consumer.run(joined, paid)
        rows: list[Any] = consumer.any.log(DECISIONS)
        assert [(row.number, row.what, row.cause_id == paid.id) for row in rows] == [
            (0, "entered", False),
            (1, "sent", False),
            (2, "waiting", False),
            (3, "moved-on", True),
            (4, "tagged", True),
            (5, "waiting", True),
        ]


class TestCounts:
    def test_say_where_members_are(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined(), s.paid(s.at(days=1)))
        active = {name: count for (what, name), count in consumer.totals().items() if what == "active" and count}
        assert active == {"low": 1}


class TestPoints:
    def test_of_a_member_who_waits_for_a_payment_add_up_and_move_nobody(self) -> None:
        consumer = Consumer(s.community(s.growth()))
        consumer.run(s.joined())
        assert consumer.run(s.earned(s.at(days=1), 2, "1"), s.earned(s.at(days=1), 3, "2")) == []
        row = consumer.any.state(FACTS, s.COMMUNITY, s.MEMBER)
        assert row is not None
        assert row.facts["contribution"] == 5
