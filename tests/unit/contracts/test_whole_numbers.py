"""What counts money, points and seats is a whole number or refused: a loose value would be wrong money."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from shequn.contracts import ids
from shequn.contracts.base import Contract, Money
from shequn.contracts.commerce import OrderPaidData, OrderRefundedData
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.contracts.definitions.products import ProductDefinition, ReferralPolicy, SeatTier
from shequn.contracts.engagement import PointsEarnedData
from shequn.contracts.moderation import SanctionImposedData
from shequn.contracts.payments import ChargeSucceeded
from shequn.contracts.registry import EVENTS
from tests.support.events import T0

NOT_WHOLE = ["true", "false", '"990"', "9.0", "9.5", "1e2", "null", "[990]"]


def charge(minor: str) -> bytes:
    """A payment as a webhook brings it, with an amount as it stands in the JSON text."""
    account = {"platform": "shop", "account_id": "ann"}
    data = {
        "provider": "generic",
        "payment_id": "p1",
        "account": account,
        "member_id": "m1",
        "amount": {"minor": 0, "currency": "CNY"},
    }
    identity = ids.event_id(T0, "p1")
    times = {"time": T0.isoformat(), "recordedtime": T0.isoformat()}
    event = {"id": identity, "source": "/test", "subject": "p1", "community": "club", "correlationid": identity}
    return json.dumps(event | times | {"data": data}).replace('"minor": 0', f'"minor": {minor}').encode()


def refused_fields(model: type[BaseModel], raw: bytes) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(raw)
    return [".".join(map(str, details["loc"])) for details in caught.value.errors()]


class TestAnAmountOfMoney:
    @pytest.mark.parametrize("written", ["0", "990", str(10**15)])
    def test_is_a_whole_number(self, written: str) -> None:
        assert ChargeSucceeded.model_validate_json(charge(written)).data.amount.minor == int(written)

    @pytest.mark.parametrize("written", [*NOT_WHOLE, "-1", str(10**15 + 1), str(10**16)])
    def test_of_another_kind_is_refused_with_its_field(self, written: str) -> None:
        assert refused_fields(ChargeSucceeded, charge(written)) == ["data.amount.minor"]

    @pytest.mark.parametrize("value", [True, "990", 9.0, 9.5])
    def test_of_another_kind_is_refused_in_code_too(self, value: Any) -> None:
        with pytest.raises(ValidationError):
            Money(minor=value, currency="CNY")


ORDER = {"order_id": "o", "member_id": "m", "product": "bag", "amount": {"minor": 1, "currency": "CNY"}}
PAID = ORDER | {"rung": "low", "provider": "generic", "payment_id": "p"}
POINTS = {"member_id": "m", "giver": "n", "points": 1, "balance": 1, "reason": "reply"}
SANCTION = {"sanction_id": "s", "group": "g", "member_id": "m", "message_id": "1", "rung": "warn", "check": "ads"}
PRODUCT = {"id": "bag", "kind": "goods", "rung": "low"}

COUNTS: list[tuple[type[Contract], dict[str, Any], str]] = [
    (OrderPaidData, PAID, "overpaid_minor"),
    (OrderRefundedData, ORDER | {"whole": True}, "refunded_minor"),
    (PointsEarnedData, POINTS, "points"),
    (PointsEarnedData, POINTS, "balance"),
    (SanctionImposedData, SANCTION | {"reason": "ads"}, "strikes"),
    (ProductDefinition, PRODUCT | {"quantity": 1}, "quantity"),
    (SeatTier, {"price_minor": 1}, "seats"),
    (SeatTier, {"seats": 1}, "price_minor"),
    (ReferralPolicy, {"window": 1, "refund_window": 1}, "rate_basis_points"),
    (EngagementPolicy, {}, "points_per_reply"),
]


class TestACount:
    @pytest.mark.parametrize(("model", "document", "name"), COUNTS, ids=lambda value: getattr(value, "__name__", ""))
    @pytest.mark.parametrize("written", ["true", '"2"', "2.0"])
    def test_is_a_whole_number_or_refused(
        self, model: type[Contract], document: dict[str, Any], name: str, written: str
    ) -> None:
        raw = json.dumps(document | {name: json.loads(written)}).encode()
        assert refused_fields(model, raw) == [name]

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
    def test_of_any_event_takes_no_other_value_for_a_number(self, event: type[Contract]) -> None:
        assert _loose(event) <= {"Condition.value"}, "declare it Whole or YesOrNo"


class TestAYesOrNo:
    @pytest.mark.parametrize("written", ["1", "0", '"true"', '"no"'])
    def test_is_nothing_else(self, written: str) -> None:
        raw = json.dumps(ORDER | {"refunded_minor": 1, "whole": json.loads(written)}).encode()
        assert refused_fields(OrderRefundedData, raw) == ["whole"]


def _loose(model: type[BaseModel]) -> set[str]:
    """Name the fields of a model, and of what it holds, that read other values as integers or booleans."""
    found: set[str] = set()
    models, seen = [model], set[type[BaseModel]]()
    while models:
        each = models.pop()
        seen.add(each)
        for name, field in each.model_fields.items():
            for kind, strict in _kinds(field.annotation, _is_strict(field.metadata)):
                if kind in {int, bool} and not strict:
                    found.add(f"{each.__name__}.{name}")
                if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
                    models.append(kind)
    return found


def _kinds(annotation: Any, strict: bool) -> Iterator[tuple[Any, bool]]:
    if get_origin(annotation) is Literal:
        return
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from _kinds(parts[0], strict or _is_strict(parts[1:]))
    elif parts:
        for part in parts:
            yield from _kinds(part, strict)
    else:
        yield annotation, strict


def _is_strict(metadata: Iterable[Any]) -> bool:
    return any(getattr(part, "strict", None) or _is_strict(getattr(part, "metadata", ())) for part in metadata)
