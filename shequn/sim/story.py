"""Tells a story: what made-up members do, moment by moment, and what the totals must be at its end.

The prediction comes from the decisions of the story alone. It shares no code with the services, so when both agree,
each proves the other.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from shequn.contracts import ids
from shequn.contracts.base import AccountRef
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.products import ProductDefinition
from shequn.sim.behaviour import Behaviour, Step
from shequn.sim.prediction import RUNGS, Ledger, Purchase, Totals, price_in_order

PLATFORM = "replay"
PROVIDER = "demo"
_LAYERS = {"low": "member", "high": "core"}
"""Which layer's paid group a purchase opens."""

Channel = Literal["signup", "chat", "payments"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a platform, a form or a payment provider would tell us.

    Attributes:
        at: when, in the time of the story.
        channel: which webhook it comes through.
        kind: the event type; ``signup`` for a form.
        key: unique within the story.
        data: the fact, as the webhook's sender writes it.
        referrer: the member whose referral code the form shall carry; the feeder asks for the code.
    """

    at: datetime
    channel: Channel
    kind: str
    key: str
    data: dict[str, Any]
    referrer: str | None = None


@dataclass(slots=True)
class Person:
    """A made-up member. ``rooms``: paid groups and since when the person may talk there."""

    number: int
    language: str
    joined: datetime
    group: str
    referrer: "Person | None" = None
    rooms: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def account(self) -> dict[str, str]:
        """The person's account."""
        return {"platform": PLATFORM, "account_id": f"p{self.number:05}"}

    @property
    def member_id(self) -> str:
        """The member the account belongs to."""
        return ids.member_id(AccountRef(**self.account))


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, in order of time, and what must come of it."""

    happenings: Sequence[Happening]
    totals: Totals
    start: datetime
    end: datetime


class Storyteller:
    """Makes one story. The same seed tells the same story."""

    def __init__(self, definition: CommunityDefinition, behaviour: Behaviour, seed: int, start: datetime) -> None:
        """Prepare.

        Args:
            definition: the community: its groups on the platform ``replay`` and one product per rung are used.
            behaviour: how people behave.
            seed: any number.
            start: when the story begins.
        """
        self._definition = definition
        self._behaviour = behaviour
        self._chance = random.Random(seed)  # noqa: S311  # a story, not a secret
        self._start = start
        self._groups = [group.id for group in definition.groups if group.platform == PLATFORM and group.kind == "free"]
        self._paid: dict[str, str] = {
            group.layer: group.id for group in definition.groups if group.platform == PLATFORM and group.kind == "paid"
        }
        self._ladder = [_cheapest(definition, rung) for rung in RUNGS]
        self._happenings: list[Happening] = []
        self._reacted: set[tuple[int, str]] = set()
        self._ledger = Ledger.of(definition)

    def tell(self) -> Story:
        """Tell the story."""
        people = list(self._people())
        for person in people:
            self._join(person)
        self._buy(people)
        self._talk(people)
        self._happenings.sort(key=lambda happening: (happening.at, happening.key))
        end = self._start + timedelta(days=self._behaviour.days + self._behaviour.quiet_days)
        return Story(tuple(self._happenings), self._ledger.totals(), self._start, end)

    # -- joining -------------------------------------------------------------------------------------------------------

    def _people(self) -> Iterator[Person]:
        chance, behaviour = self._chance, self._behaviour
        moments = sorted(chance.random() * behaviour.join_days for _ in range(behaviour.members))
        earlier: list[Person] = []
        for number, days in enumerate(moments):
            person = Person(
                number=number,
                language=_choose(chance, behaviour.language),
                joined=self._start + timedelta(days=days),
                group=chance.choice(self._groups),
            )
            settled = [other for other in earlier if person.joined - other.joined > timedelta(days=1)]
            if settled and chance.random() < behaviour.referred:
                person.referrer = chance.choice(settled)
            earlier.append(person)
            yield person

    def _join(self, person: Person) -> None:
        form = {
            "submission_id": f"form-{person.number}",
            "account": person.account,
            "name": f"书友{person.number}" if person.language == "zh" else f"Reader {person.number}",
            "language": person.language,
            "channel": _choose(self._chance, self._behaviour.channels),
            "consents": ["messages"],
        }
        key = f"join-{person.number}"
        referrer = person.referrer.member_id if person.referrer else None
        self._happenings.append(Happening(person.joined, "signup", "signup", key, form, referrer))
        entered = {"group": person.group, "account": person.account, "name": form["name"]}
        moment = person.joined + timedelta(minutes=2)
        self._tell_chat(moment, "chat.member.joined.v1", f"enter-{person.number}", entered)
        self._ledger.joined[person.member_id] = person.joined
        if referrer is not None:
            self._ledger.referrers[person.member_id] = referrer

    # -- talking -------------------------------------------------------------------------------------------------------

    def _talk(self, people: Sequence[Person]) -> None:
        chance, behaviour = self._chance, self._behaviour
        talkers = [person for person in people if chance.random() < behaviour.talks]
        planned = sorted(
            ((moment, person) for person in talkers for moment in self._moments(person)),
            key=lambda pair: (pair[0], pair[1].number),
        )
        posted: dict[str, list[tuple[str, Person]]] = defaultdict(list)
        for number, (moment, person) in enumerate(planned):
            group = chance.choice([person.group, *(room for since, room in person.rooms if since < moment)])
            self._post(number, moment, person, group, posted[group])

    def _moments(self, person: Person) -> Iterator[datetime]:
        """When a person writes: by day, never twice within a quarter of an hour, so that nobody floods."""
        chance, behaviour = self._chance, self._behaviour
        day = timedelta(days=1)
        moment = person.joined + day * chance.uniform(0.02, 1 / max(behaviour.messages_a_day, 0.01))
        end = self._start + day * behaviour.days
        while behaviour.messages_a_day and moment < end:
            yield moment
            moment += timedelta(minutes=15) + day * chance.expovariate(behaviour.messages_a_day)

    def _post(
        self, number: int, moment: datetime, person: Person, group: str, before: list[tuple[str, Person]]
    ) -> None:
        chance, behaviour = self._chance, self._behaviour
        message_id = f"m{number}"
        data: dict[str, Any] = {"group": group, "account": person.account, "message_id": message_id}
        others = [entry for entry in before[-12:] if entry[1] is not person]
        breaks = chance.random() < behaviour.breaks_a_rule
        answers = not breaks and bool(others) and chance.random() < behaviour.replies
        if breaks:
            data["text"] = chance.choice(behaviour.ads)
        elif answers:
            data["text"] = chance.choice(behaviour.answers[person.language])
            data["reply_to"] = {"message_id": chance.choice(others)[0]}
        else:
            data["text"] = chance.choice(behaviour.texts[person.language])
        self._tell_chat(moment, "chat.message.posted.v1", f"post-{number}", data)
        self._ledger.speakers.add(person.member_id)
        self._ledger.counts.update(messages=1, replies=int(answers), flagged=int(breaks))
        before.append((message_id, person))
        fresh = [entry[0] for entry in others if (person.number, entry[0]) not in self._reacted]
        if fresh and chance.random() < behaviour.reactions:
            self._react(number, moment, person, group, chance.choice(fresh))

    def _react(self, number: int, moment: datetime, person: Person, group: str, target: str) -> None:
        self._reacted.add((person.number, target))
        data = {
            "group": group,
            "account": person.account,
            "target": {"message_id": target},
            "reaction": self._chance.choice("👍❤📚👏"),
        }
        self._tell_chat(moment + timedelta(minutes=3), "chat.reaction.added.v1", f"react-{number}", data)
        self._ledger.counts.update(reactions=1)

    def _enter(self, person: Person, group: str, moment: datetime) -> None:
        entered = {"group": group, "account": person.account}
        self._tell_chat(moment, "chat.member.joined.v1", f"enter-{person.number}-{group}", entered)
        person.rooms.append((moment, group))

    def _tell_chat(self, at: datetime, kind: str, key: str, data: dict[str, Any]) -> None:
        self._happenings.append(Happening(at, "chat", kind, key, data))

    # -- buying --------------------------------------------------------------------------------------------------------

    def _buy(self, people: Sequence[Person]) -> None:
        purchases = {
            (person.number, purchase.product.id): (person, purchase)
            for person in people
            for purchase in self._purchases(person)
        }
        self._ledger.purchases = [purchase for _, purchase in purchases.values()]
        price_in_order(self._ledger.purchases)
        for person, purchase in purchases.values():
            self._pay(person, purchase)

    def _purchases(self, person: Person) -> Iterator[Purchase]:
        chance, moment = self._chance, person.joined
        end = self._start + timedelta(days=self._behaviour.days)
        for rung, product in zip(RUNGS, self._ladder, strict=True):
            step: Step = getattr(self._behaviour.journey, rung)
            moment += timedelta(days=chance.uniform(*step.after_days))
            if product is None or chance.random() >= step.share or moment > end:
                return
            refunded = rung in {"low", "middle"} and chance.random() < self._behaviour.refunded
            back = moment + timedelta(days=chance.uniform(2, 3)) if refunded else None
            yield Purchase(person.member_id, product, moment, back)
            if refunded:
                return

    def _pay(self, person: Person, purchase: Purchase) -> None:
        room = self._paid.get(_LAYERS.get(purchase.product.rung.value, ""))
        if room is not None:
            self._enter(person, room, purchase.at + timedelta(minutes=5))
        payment_id = f"pay-{person.number}-{purchase.product.id}"
        money = {"minor": purchase.price_minor, "currency": self._definition.currency}
        payment = {"provider": PROVIDER, "payment_id": payment_id, "amount": money}
        paid = payment | {"account": person.account, "product": purchase.product.id}
        self._happenings.append(Happening(purchase.at, "payments", "payments.charge.succeeded.v1", payment_id, paid))
        if purchase.refund_at is not None:
            key = f"back-{person.number}-{purchase.product.id}"
            back = payment | {"refund_id": key}
            self._happenings.append(Happening(purchase.refund_at, "payments", "payments.charge.refunded.v1", key, back))


def _cheapest(definition: CommunityDefinition, rung: str) -> ProductDefinition | None:
    return next((product for product in definition.products if product.rung.value == rung), None)


def _choose(chance: random.Random, shares: dict[str, float]) -> str:
    return chance.choices(list(shares), weights=list(shares.values()))[0]
