import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from services.intake.adapters.stripe import StripeAdapter
from services.intake.adapters.stripe_amounts import money_of
from shequn.adapters import RawRequest, ReceiveContext
from shequn.adapters.conformance import ReceiverConformance, RecordedRequest
from shequn.adapters.errors import MalformedError, SignatureError
from shequn.contracts.envelope import Envelope
from shequn.contracts.payments import ChargeSucceededData
from shequn.runtime.failures import ConfigError
from tests.unit.intake.builders import ANN_ID, COMMUNITY, NOW, SHARED, context, environment

SECRET = "whsec_test_secret"
PAID_AT = 1_772_000_000
EVENTS = SHARED / "platform" / "stripe" / "events.jsonl"
VECTORS = SHARED / "platform" / "stripe" / "signature_vectors.json"


def adapter(*secrets: str) -> StripeAdapter:
    settings = {"community": COMMUNITY, "secrets": list(secrets or (SECRET,))}
    return StripeAdapter(StripeAdapter.manifest.settings.model_validate(settings), environment())  # type: ignore[arg-type]


def request(document: Any, secret: str = SECRET) -> RawRequest:
    body = json.dumps(document, ensure_ascii=False)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(NOW.timestamp()))
    return RawRequest({"stripe-signature": header}, body.encode(), NOW)


def event(kind: str, document: dict[str, Any], created: int = PAID_AT) -> dict[str, Any]:
    return {"object": "event", "id": "evt_1", "type": kind, "created": created, "data": {"object": document}}


METADATA = {"shequn_product": "course-low", "shequn_platform": "gitter", "shequn_account": "ann", "note": "谢谢"}
INTENT = {"id": "pi_1", "amount_received": 990, "currency": "cny", "customer": "cus_1", "metadata": METADATA}
CHARGE = {"id": "ch_1", "amount": 990, "captured": True, "created": PAID_AT, "currency": "cny", "metadata": METADATA}
REFUND = {
    "id": "re_1",
    "amount": 400,
    "charge": "ch_1",
    "created": PAID_AT + 60,
    "currency": "cny",
    "payment_intent": "pi_1",
    "reason": "顾客要求",
    "status": "succeeded",
}


def read(document: Any) -> Sequence[Envelope]:
    return adapter().normalise(request(document), context())


class TestConformance(ReceiverConformance):
    def make_adapter(self) -> StripeAdapter:
        return adapter()

    def context(self) -> ReceiveContext:
        return context()

    def accepted(self) -> Sequence[RecordedRequest]:
        paid = {
            "payment_id": "pi_1",
            "product": "course-low",
            "member_id": ANN_ID,
            "amount": {"minor": 990, "currency": "CNY"},
        }
        back = {"payment_id": "pi_1", "refund_id": "re_1", "amount": {"minor": 400, "currency": "CNY"}}
        return [
            RecordedRequest(
                "payment",
                request(event("payment_intent.succeeded", INTENT)),
                (("payments.charge.succeeded.v1", paid),),
            ),
            RecordedRequest(
                "refund", request(event("refund.created", REFUND)), (("payments.charge.refunded.v1", back),)
            ),
            RecordedRequest("of no interest", request(event("customer.created", {"id": "cus_1"})), ()),
        ]

    def malformed(self) -> Sequence[RawRequest]:
        return [
            request({"object": "invoice", "id": "in_1"}),
            request(event("payment_intent.succeeded", {"id": "pi_1"})),
            request(event("payment_intent.succeeded", INTENT | {"amount_received": -1})),
            request(event("payment_intent.succeeded", INTENT | {"amount_received": True})),
            request(event("payment_intent.succeeded", INTENT | {"amount_received": "990"})),
            request(event("refund.created", REFUND | {"payment_intent": None, "charge": None})),
            request(event("refund.created", REFUND | {"currency": "euro"})),
        ]

    def forged(self) -> Sequence[RawRequest]:
        return [request(event("payment_intent.succeeded", INTENT), secret="whsec_other")]


class TestOnePayment:
    def test_a_checkout_tells_nothing_more(self) -> None:
        session = {"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 990}
        assert read(event("checkout.session.completed", session)) == ()

    def test_the_charge_of_an_intent_tells_nothing_more(self) -> None:
        assert read(event("charge.succeeded", CHARGE | {"payment_intent": "pi_1"})) == ()

    def test_a_charge_without_intent_is_the_payment(self) -> None:
        (charged,) = read(event("charge.succeeded", CHARGE))
        assert charged.data.payment_id == "ch_1"

    def test_a_charge_that_is_only_held_is_none(self) -> None:
        assert read(event("charge.succeeded", CHARGE | {"captured": False})) == ()

    def test_its_capture_is_the_same_fact(self) -> None:
        (charged,) = read(event("charge.succeeded", CHARGE))
        (captured,) = read(event("charge.captured", CHARGE | {"amount_captured": 990}, created=PAID_AT + 3600))
        assert captured.id == charged.id


class TestRefund:
    @pytest.mark.parametrize("kind", ["refund.updated", "charge.refund.updated"])
    def test_whichever_event_tells_is_the_same_fact(self, kind: str) -> None:
        (told,) = read(event(kind, REFUND, created=PAID_AT + 90))
        assert told.id == read(event("refund.created", REFUND))[0].id

    def test_inside_an_old_charge_is_the_same_fact(self) -> None:
        charge = CHARGE | {"refunds": {"data": [REFUND, REFUND | {"id": "re_2", "status": "pending"}]}}
        assert [told.id for told in read(event("charge.refunded", charge))] == [
            told.id for told in read(event("refund.created", REFUND))
        ]

    def test_a_new_charge_names_none(self) -> None:
        assert read(event("charge.refunded", CHARGE)) == []

    @pytest.mark.parametrize("status", ["pending", "requires_action", "failed", "canceled"])
    def test_counts_only_when_it_succeeded(self, status: str) -> None:
        assert read(event("refund.updated", REFUND | {"status": status})) == ()


class TestWho:
    def data(self, **change: Any) -> ChargeSucceededData:
        (charged,) = read(event("payment_intent.succeeded", INTENT | change))
        data: ChargeSucceededData = charged.data
        return data

    def test_without_metadata_it_is_the_customer(self) -> None:
        assert self.data(metadata=None).account.account_id == "cus_1"

    def test_without_a_customer_it_is_the_payment(self) -> None:
        assert self.data(metadata={}, customer=None).account.account_id == "pi_1"

    def test_an_expanded_customer_is_read(self) -> None:
        assert self.data(metadata={}, customer={"id": "cus_2"}).account.account_id == "cus_2"

    def test_a_product_that_cannot_be_is_none(self) -> None:
        assert self.data(metadata=METADATA | {"shequn_product": "Not A Product"}).product is None


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [(990, "cny", 990), (500, "jpy", 500), (500, "isk", 5), (500, "ugx", 5), (5, "mga", 5), (12_340, "kwd", 12_340)],
)
def test_amount_in_our_minor_units(amount: int, currency: str, minor: int) -> None:
    assert money_of(amount, currency).minor == minor


def test_half_a_unit_is_refused() -> None:
    with pytest.raises(MalformedError):
        money_of(50, "isk")


def test_an_amount_beyond_all_measure_is_malformed() -> None:
    with pytest.raises(MalformedError):
        money_of(10**16, "cny")


FAR = 4_102_444_800  # the year 2100
AGES = 253_402_300_799  # the end of the year 9999


class TestTime:
    @pytest.mark.parametrize(
        ("document", "field"),
        [
            (event("payment_intent.succeeded", INTENT, created=FAR), "created"),
            (event("payment_intent.succeeded", INTENT, created=AGES), "created"),
            (event("payment_intent.succeeded", INTENT, created=AGES + 1), "created"),
            (event("payment_intent.succeeded", INTENT, created=0), "created"),
            (event("payment_intent.succeeded", INTENT, created=-1), "created"),
            (event("charge.succeeded", CHARGE | {"created": FAR}), "data.object.created"),
            (event("refund.created", REFUND | {"created": FAR}), "data.object.created"),
            (
                event("charge.refunded", CHARGE | {"refunds": {"data": [REFUND | {"created": FAR}]}}),
                "data.object.refunds.data.0.created",
            ),
        ],
    )
    def test_one_that_cannot_be_is_named(self, document: dict[str, Any], field: str) -> None:
        with pytest.raises(MalformedError) as refused:
            read(document)
        assert refused.value.field == field


class TestSignature:
    @pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is not there")
    @pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()) if VECTORS.exists() else [])
    def test_vector(self, vector: dict[str, Any]) -> None:
        received = datetime.fromtimestamp(vector["now"], UTC)
        asked = RawRequest({"stripe-signature": vector["header"]}, vector["payload"].encode(), received)
        if vector["valid"]:
            adapter(vector["secret"]).verify(asked)
        else:
            with pytest.raises(SignatureError):
                adapter(vector["secret"]).verify(asked)

    @pytest.mark.parametrize("header", ["", "v1=abc", "t=soon,v1=abc", "t=1", "t", "=,=", "t=1,v1=ä"])
    def test_a_header_that_is_none_is_refused(self, header: str) -> None:
        with pytest.raises(SignatureError):
            adapter().verify(RawRequest({"stripe-signature": header}, b"{}", NOW))

    @pytest.mark.parametrize("first", ["t= {}", "t={}", " t={}", "t=+{}"])
    def test_a_second_time_does_not_make_an_old_request_young(self, first: str) -> None:
        old = request(event("customer.created", {}))
        signature = old.headers["stripe-signature"].partition(",")[2]
        times = f"{first.format(int(NOW.timestamp()))},t={int(NOW.timestamp()) + 86_400}"
        forged = RawRequest({"stripe-signature": f"{times},{signature}"}, old.body, NOW + timedelta(days=1))
        with pytest.raises(SignatureError):
            adapter().verify(forged)

    def test_an_old_secret_still_signs(self) -> None:
        adapter("whsec_new", SECRET).verify(request(event("customer.created", {})))

    def test_an_empty_secret_is_refused_at_the_start(self) -> None:
        with pytest.raises(ConfigError):
            adapter(" ")


@pytest.mark.skipif(not EVENTS.exists(), reason=f"{EVENTS} is not there")
class TestRecordedEvents:
    def rows(self) -> list[Any]:
        return [json.loads(line)["payload"] for line in EVENTS.read_text().splitlines()]

    def test_none_breaks_the_adapter(self) -> None:
        for payload in self.rows():
            with suppress(MalformedError):
                read(payload)

    def test_their_money_is_read(self) -> None:
        told = [item for payload in self.rows() if payload.get("object") == "event" for item in read(payload)]
        assert sorted(item.type for item in told) == ["payments.charge.refunded.v1"] * 2
