"""Payment webhooks from Stripe.

Stripe tells of one payment several times. One kind is money for us, so that one payment is one ChargeSucceeded:

- ``payment_intent.succeeded``: every payment by Checkout, payment link, invoice or Elements ends in it exactly once;
- ``charge.succeeded`` and ``charge.captured`` of charges that have no payment intent (the old Charges API).

``checkout.session.completed`` and charges of a payment intent are passed over. Refunds come as ``refund.created``,
``refund.updated``, ``charge.refund.updated`` and, before API version 2022-11-15, inside ``charge.refunded``; each
refund has one event id, whichever of them tells. It counts once it succeeded.

The payment intent's metadata says what the money is for: ``shequn_product``, ``shequn_platform``, ``shequn_account``
(with Checkout: ``payment_intent_data[metadata]``). Money without them is taken in all the same: the payer is then an
account of the platform ``stripe``, and commerce parks what it cannot assign.
Source: https://docs.stripe.com/api/events/types, https://docs.stripe.com/currencies.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import stripe
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from services.intake.adapters.channel_settings import ChannelSettings
from services.intake.adapters.documents import read_object, recorded, validated
from services.intake.adapters.standard_webhooks import TOLERANCE
from services.intake.adapters.stripe_amounts import money_of
from shequn.adapters import Adapter, AdapterEnvironment, AdapterManifest, IdKind, Label, RawRequest, ReceiveContext
from shequn.adapters.errors import MalformedError, SignatureError, StaleTimestampError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Contract, Money, Slug
from shequn.contracts.envelope import Envelope
from shequn.contracts.payments import ChargeRefunded, ChargeRefundedData, ChargeSucceeded, ChargeSucceededData
from shequn.runtime.failures import ConfigError

_PROVIDER = "stripe"
_OBJECT = "data.object"
_SIGNATURE = "stripe-signature"
_SIGNED_AT = re.compile(r"^[0-9]{1,11}$", re.ASCII)
_MOST_SECONDS = 253_402_300_799  # the end of the year 9999


def _id_of(value: Any) -> Any:
    """Give the id of an object that may come expanded."""
    return value.get("id") if isinstance(value, dict) else value


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


_Id = Annotated[str, Field(min_length=1, max_length=256)]
_Reference = Annotated[_Id | None, BeforeValidator(_id_of)]
_Metadata = Annotated[dict[str, Any], BeforeValidator(_none_is_empty)]
_Seconds = Annotated[int, Field(ge=0, le=_MOST_SECONDS)]
_Amount = Annotated[int, Field(ge=0, le=10**15, strict=True)]
_Currency = Annotated[str, Field(pattern=r"^[a-zA-Z]{3}$")]


class _Vendor(Contract):
    """A part of Stripe's documents, as far as we read it."""

    model_config = ConfigDict(hide_input_in_errors=True)


class _Object(_Vendor):
    object: dict[str, Any]


class _Event(_Vendor):
    object: Literal["event"]
    type: str = Field(max_length=128)
    created: _Seconds
    data: _Object


class _PaymentIntent(_Vendor):
    id: _Id
    amount_received: _Amount
    currency: _Currency
    customer: _Reference = None
    metadata: _Metadata = Field(default_factory=dict)


class _Charge(_Vendor):
    id: _Id
    amount: _Amount
    amount_captured: _Amount | None = None
    captured: bool = True
    created: _Seconds
    currency: _Currency
    customer: _Reference = None
    payment_intent: _Reference = None
    metadata: _Metadata = Field(default_factory=dict)


class _Refund(_Vendor):
    id: _Id
    amount: _Amount
    charge: _Reference = None
    created: _Seconds
    currency: _Currency
    payment_intent: _Reference = None
    reason: str | None = Field(default=None, max_length=256)
    status: str | None = None


class StripeAdapter(Adapter[ChannelSettings]):
    """Takes Stripe's webhooks."""

    manifest: ClassVar[AdapterManifest] = AdapterManifest(
        name=_PROVIDER,
        title=Label(zh="Stripe 支付", en="Stripe payments"),
        settings=ChannelSettings,
        events=(ChargeSucceeded, ChargeRefunded),
        id_kinds=(
            IdKind("payment_id", Label(zh="支付意图或扣款的编号", en="Id of the payment intent, or of an old charge")),
            IdKind("refund_id", Label(zh="退款编号", en="Id of the refund")),
        ),
    )

    def __init__(self, settings: ChannelSettings, environment: AdapterEnvironment) -> None:
        """Keep the endpoint's secrets.

        Raises:
            ConfigError: one is empty.
        """
        super().__init__(settings, environment)
        if not all(secret.get_secret_value().strip() for secret in settings.secrets):
            raise ConfigError(f"channel {environment.name!r}: a secret is empty; copy it from Stripe's webhook page")

    def verify(self, request: RawRequest) -> None:
        """Check the signature with Stripe's own verifier; see :class:`shequn.adapters.Receives`."""
        header = request.headers.get(_SIGNATURE, "")
        signed_at = _signed_at(header)
        try:
            body = request.body.decode()
        except UnicodeDecodeError as error:
            raise MalformedError("", f"is not UTF-8 at byte {error.start}") from None
        if not any(self._signed(body, header, secret.get_secret_value()) for secret in self.settings.secrets):
            raise SignatureError("no signature fits the body; check the endpoint's secret")
        # Stripe's verifier reads the wall clock, and knows no signature from the future.
        age = request.received.timestamp() - signed_at
        if abs(age) > TOLERANCE.total_seconds():
            raise StaleTimestampError(f"signed {age:.0f} s ago; more than {TOLERANCE} is not taken")

    def normalise(self, raw: RawRequest, context: ReceiveContext) -> Sequence[Envelope]:
        """Turn an event into payments and refunds; none for other kinds. See :class:`shequn.adapters.Receives`."""
        event = validated(_Event, read_object(raw.body))
        make = _MAKERS.get(event.type)
        if make is None:
            return ()
        context.definition(self.settings.community)
        return make(event, _Recorder(context, self.settings.community))

    @staticmethod
    def _signed(body: str, header: str, secret: str) -> bool:
        try:
            return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
        except stripe.SignatureVerificationError:
            return False


def _signed_at(header: str) -> int:
    """Give the time of a signature header, in seconds since 1970.

    There must be one and no other: Stripe's verifier signs with the first, so a second could make an old request young.
    """
    times = [value for name, _, value in (item.partition("=") for item in header.split(",")) if name.strip() == "t"]
    # Stripe's verifier raises on a signature that is not ASCII.
    if not header.isascii() or len(times) != 1 or not _SIGNED_AT.match(times[0]):
        raise SignatureError("the header Stripe-Signature with one t= and v1= is needed")
    return int(times[0])


class _Moment(NamedTuple):
    """A time as Stripe writes it, and where it stands."""

    seconds: int
    field: str


class _Recorder:
    """Makes our events of Stripe's documents."""

    def __init__(self, context: ReceiveContext, community: str) -> None:
        self._context = context
        self._community = community

    def payment(
        self, payment_id: str, paid_at: _Moment, money: Money, customer: str | None, metadata: dict[str, Any]
    ) -> Envelope:
        account = _account(metadata) or AccountRef(platform=_PROVIDER, account_id=customer or payment_id)
        data = ChargeSucceededData(
            provider=_PROVIDER,
            payment_id=payment_id,
            account=account,
            member_id=ids.member_id(account),
            product=_slug(metadata.get("shequn_product")),
            amount=money,
        )
        return self._record(ChargeSucceeded, paid_at, payment_id, data)

    def refund(self, refund: _Refund, place: str = _OBJECT) -> Envelope:
        payment_id = refund.payment_intent or refund.charge
        if payment_id is None:
            raise MalformedError(f"{place}.payment_intent", "is missing, and so is charge")
        data = ChargeRefundedData(
            provider=_PROVIDER,
            payment_id=payment_id,
            refund_id=refund.id,
            amount=money_of(refund.amount, refund.currency),
            reason=refund.reason or "",
        )
        return self._record(ChargeRefunded, _Moment(refund.created, f"{place}.created"), refund.id, data)

    def _record(self, event: type[Envelope], at: _Moment, identity: str, data: Contract) -> Envelope:
        return recorded(
            event,
            self._context,
            time=datetime.fromtimestamp(at.seconds, UTC),
            time_field=at.field,
            community=self._community,
            subject=identity,
            origin=(_PROVIDER, self._community, identity),
            data=data,
        )


def _intent_succeeded(event: _Event, record: _Recorder) -> Sequence[Envelope]:
    intent = validated(_PaymentIntent, event.data.object, _OBJECT)
    money = money_of(intent.amount_received, intent.currency)
    paid_at = _Moment(event.created, "created")
    return [record.payment(intent.id, paid_at, money, intent.customer, intent.metadata)]


def _charge_succeeded(event: _Event, record: _Recorder) -> Sequence[Envelope]:
    charge = validated(_Charge, event.data.object, _OBJECT)
    if charge.payment_intent is not None or not charge.captured:
        return ()
    amount = charge.amount if charge.amount_captured is None else charge.amount_captured
    # The charge's own time: charge.succeeded and charge.captured tell of one fact at different times.
    paid_at = _Moment(charge.created, f"{_OBJECT}.created")
    money = money_of(amount, charge.currency)
    return [record.payment(charge.id, paid_at, money, charge.customer, charge.metadata)]


def _charge_refunded(event: _Event, record: _Recorder) -> Sequence[Envelope]:
    refunds = event.data.object.get("refunds")
    listed = refunds.get("data") if isinstance(refunds, dict) else None
    found = []
    for number, item in enumerate(listed if isinstance(listed, list) else []):
        place = f"{_OBJECT}.refunds.data.{number}"
        if not isinstance(item, dict):
            raise MalformedError(place, "must be a JSON object")
        found.append((validated(_Refund, item, place), place))
    return [record.refund(refund, place) for refund, place in found if _is_paid_out(refund)]


def _refund_told(event: _Event, record: _Recorder) -> Sequence[Envelope]:
    refund = validated(_Refund, event.data.object, _OBJECT)
    return [record.refund(refund)] if _is_paid_out(refund) else ()


_MAKERS: dict[str, Callable[[_Event, _Recorder], Sequence[Envelope]]] = {
    "payment_intent.succeeded": _intent_succeeded,
    "charge.succeeded": _charge_succeeded,
    "charge.captured": _charge_succeeded,
    "charge.refunded": _charge_refunded,
    "charge.refund.updated": _refund_told,
    "refund.created": _refund_told,
    "refund.updated": _refund_told,
}


def _is_paid_out(refund: _Refund) -> bool:
    """Tell whether the money went back; pending ones are told of again. Old API versions know no status."""
    return refund.status in {None, "succeeded"}


_ACCOUNTS = TypeAdapter(AccountRef)
_SLUGS: TypeAdapter[str] = TypeAdapter(Slug)


def _account(metadata: dict[str, Any]) -> AccountRef | None:
    named = {"platform": metadata.get("shequn_platform"), "account_id": metadata.get("shequn_account")}
    try:
        return _ACCOUNTS.validate_python(named)
    except ValidationError:
        return None


def _slug(value: Any) -> str | None:
    try:
        return _SLUGS.validate_python(value)
    except ValidationError:
        return None
