"""A shop in memory: both folders of commerce over the same tables, and the events that reach it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from services.commerce.domain.orders import Order
from services.commerce.handlers import MembersFolder, PaymentsFolder
from services.commerce.tables import BALANCES, LEDGER, ORDER_COUNTS, ORDERS, LedgerLine
from shequn.contracts.base import AccountRef, Money
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.commerce import EntitlementGranted, EntitlementRevoked, Ladder
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.products import ProductDefinition, ReferralPolicy, SeatTier
from shequn.contracts.envelope import Envelope
from shequn.contracts.ids import referral_code
from shequn.contracts.members import MemberJoined, MemberJoinedData
from shequn.contracts.payments import ChargeRefunded, ChargeRefundedData, ChargeSucceeded, ChargeSucceededData
from shequn.testing.memory import FoldRunner, MemoryTables
from tests.support.events import small_definition

CLUB = "club"
T0 = datetime(2026, 3, 1, tzinfo=UTC)
LOW_MINOR = 990
WINDOW = timedelta(days=30)

SEATS = (SeatTier(seats=30, price_minor=50_000), SeatTier(seats=70, price_minor=100_000))
FREE = ProductDefinition(id="free-week", kind="course", rung=Ladder.FREE, price_minor=0)
LOW = ProductDefinition(id="course-low", kind="course", rung=Ladder.LOW, price_minor=LOW_MINOR)
CAMP = ProductDefinition(id="camp-mid", kind="course", rung=Ladder.MIDDLE, price_minor=50_000, requires=("course-low",))
CIRCLE = ProductDefinition(
    id="circle-high", kind="membership", rung=Ladder.HIGH, price_minor=300_000, requires=("camp-mid",)
)
HALL = ProductDefinition(id="hall", kind="ticket", rung=Ladder.MIDDLE, seat_tiers=SEATS)
REFERRAL = ReferralPolicy(
    window=WINDOW,
    evidence=("code", "invite-link"),
    commission_on=("course-low", "camp-mid", "free-week"),
    rate_basis_points=2_000,
    refund_window=timedelta(days=7),
)


def definition(*products: ProductDefinition, referral: ReferralPolicy | None = REFERRAL) -> CommunityDefinition:
    """The club, selling the given products, or the ladder."""
    sold = products or (FREE, LOW, CAMP, CIRCLE, HALL)
    return small_definition(CLUB).model_copy(update={"products": sold, "referral": referral})


class Shop:
    """Both folders over one set of tables. Every call to ``tell`` is one batch."""

    def __init__(self, club: CommunityDefinition | None = None) -> None:
        tables = MemoryTables()
        club = club or definition()
        self.payments = FoldRunner(PaymentsFolder(), club, tables=tables)
        self.members = FoldRunner(MembersFolder(), club, tables=tables)
        self.emitted: list[Envelope] = []

    def tell(self, *events: Envelope) -> list[Envelope]:
        joinings = [event for event in events if isinstance(event, MemberJoined)]
        others = [event for event in events if not isinstance(event, MemberJoined)]
        emitted = [*self.members.run(joinings), *self.payments.run(others)]
        self.emitted += emitted
        return emitted

    def tell_one_by_one(self, events: Iterable[Envelope]) -> None:
        for event in events:
            self.tell(event)

    @property
    def errors(self) -> list[Exception]:
        return [*self.payments.errors.values(), *self.members.errors.values()]

    def order(self, payment_id: str) -> Order:
        order = self.payments.state(ORDERS, CLUB, "stripe", payment_id)
        assert order is not None
        return order

    def orders(self) -> dict[str, Order]:
        return {key[2]: order for key, order in self.payments.states(ORDERS).items()}

    def balances(self) -> dict[str, int]:
        """Balances that are not zero, by account; other currencies than CNY behind the account's name."""
        return {
            account if currency == "CNY" else f"{account} {currency}": sums["amount_minor"]
            for (_, account, currency), sums in self.payments.counters(BALANCES).items()
            if sums["amount_minor"]
        }

    def ledger(self) -> list[LedgerLine]:
        return self.payments.log(LEDGER)

    def counts(self) -> dict[tuple[str, str], int]:
        """Numbers of orders by state and reason."""
        sums = self.payments.counters(ORDER_COUNTS)
        return {(state, why): row["orders"] for (_, state, why), row in sums.items() if row["orders"]}

    def entitled(self) -> set[str]:
        """Orders whose right was granted and not revoked, as the events tell it."""
        granted = [event.data.order_id for event in self.emitted if isinstance(event, EntitlementGranted)]
        revoked = [event.data.order_id for event in self.emitted if isinstance(event, EntitlementRevoked)]
        assert len(granted) == len(set(granted))
        assert set(revoked) <= set(granted)
        return set(granted) - set(revoked)

    def of_type(self, event_class: type[Envelope]) -> list[Any]:
        return [event.data for event in self.emitted if isinstance(event, event_class)]


_origins = count()


def paid(
    payment_id: str,
    product: str | None = "course-low",
    minor: int = LOW_MINOR,
    *,
    member: str = "ann",
    currency: str = "CNY",
    at: timedelta = timedelta(),
) -> ChargeSucceeded:
    """A payment. Every call is another event, also about the same payment."""
    data = ChargeSucceededData(
        provider="stripe",
        payment_id=payment_id,
        account=AccountRef(platform="form", account_id=member),
        member_id=member,
        product=product,
        amount=Money(minor=minor, currency=currency),
    )
    return ChargeSucceeded.record(**_fact(at), subject=payment_id, data=data)


def refunded(
    payment_id: str,
    minor: int = LOW_MINOR,
    *,
    refund_id: str = "r1",
    currency: str = "CNY",
    at: timedelta = timedelta(hours=1),
) -> ChargeRefunded:
    """A refund. Every call is another event, also about the same refund."""
    amount = Money(minor=minor, currency=currency)
    data = ChargeRefundedData(provider="stripe", payment_id=payment_id, refund_id=refund_id, amount=amount)
    return ChargeRefunded.record(**_fact(at), subject=payment_id, data=data)


def joined(
    member: str,
    *,
    code: str | None = None,
    by: str | None = None,
    evidence: str | None = "code",
    at: timedelta = timedelta(),
) -> MemberJoined:
    """A joining, with a code or with that of the member it is brought ``by``."""
    code = referral_code(CLUB, by) if by else code
    proofs = (JoinEvidence.model_validate({"kind": evidence, "value": code}),) if code and evidence else ()
    data = MemberJoinedData(
        member_id=member,
        account=AccountRef(platform="form", account_id=member),
        referral_code=code,
        evidence=proofs,
    )
    return MemberJoined.record(**_fact(at), subject=member, data=data)


def _fact(at: timedelta) -> dict[str, Any]:
    return {
        "time": T0 + at,
        "recorded": T0 + at,
        "source": "/test",
        "community": CLUB,
        "origin": (str(next(_origins)),),
    }
