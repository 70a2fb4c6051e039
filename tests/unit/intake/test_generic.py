from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.adapters.generic import GenericAdapter
from shequn.adapters import AHEAD, EARLIEST, RawRequest, ReceiveContext
from shequn.adapters.conformance import ReceiverConformance, RecordedRequest
from shequn.adapters.errors import MalformedError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import UnknownCommunityError
from tests.unit.intake.builders import (
    ANN_ID,
    COMMUNITY,
    NOW,
    OTHER_SECRET,
    SECRET,
    cloud_event,
    context,
    environment,
    generic_settings,
    signed,
)


def adapter(**settings: Any) -> GenericAdapter:
    values = GenericAdapter.manifest.settings.model_validate(generic_settings(**settings))
    return GenericAdapter(values, environment())  # type: ignore[arg-type]


def read(body: Any, channel: str = "web", **settings: Any) -> Sequence[Envelope]:
    return adapter(**settings).normalise(signed(body), context(channel))


def refusal(body: Any, **settings: Any) -> str:
    with pytest.raises(MalformedError) as refused:
        read(body, **settings)
    return refused.value.field


def charge(**change: Any) -> dict[str, Any]:
    data = {
        "provider": "wechatpay",
        "payment_id": "p-1",
        "account": {"platform": "wechat", "account_id": "ann"},
        "amount": {"minor": 990, "currency": "CNY"},
    }
    return cloud_event(type="payments.charge.succeeded.v1", data=data, **change)


class TestConformance(ReceiverConformance):
    def make_adapter(self) -> GenericAdapter:
        return adapter()

    def context(self) -> ReceiveContext:
        return context()

    def accepted(self) -> Sequence[RecordedRequest]:
        text = "今天读到第三章 📖"
        reaction = {
            "group": "open",
            "account": {"platform": "gitter", "account_id": "bob"},
            "target": {"message_id": "m-1", "author": {"platform": "gitter", "account_id": "ann"}},
            "reaction": "👍",
        }
        return [
            RecordedRequest("message", signed(cloud_event()), (("chat.message.posted.v1", {"text": text}),)),
            RecordedRequest(
                "reaction",
                signed(cloud_event(type="chat.reaction.added.v1", data=reaction)),
                (("chat.reaction.added.v1", {"target": {"message_id": "m-1", "author": ANN_ID}}),),
            ),
            RecordedRequest("payment", signed(charge()), (("payments.charge.succeeded.v1", {"payment_id": "p-1"}),)),
            RecordedRequest(
                "list",
                signed([cloud_event(), charge(id="b-2")]),
                (("chat.message.posted.v1", {"text": text}), ("payments.charge.succeeded.v1", {})),
            ),
        ]

    def malformed(self) -> Sequence[RawRequest]:
        return [signed(body) for body in ("{}", "[]", "7", cloud_event(type="commerce.order.paid.v1"))]

    def forged(self) -> Sequence[RawRequest]:
        return [signed(cloud_event(), secret=OTHER_SECRET)]


class TestIdentity:
    def test_the_id_comes_from_channel_source_and_id(self) -> None:
        (event,) = read(cloud_event())
        assert event.id == ids.event_id(event.time, event.type, "web", "/bots/library", "b-1")

    def test_another_channel_with_the_same_ids_is_another_fact(self) -> None:
        assert read(cloud_event())[0].id != read(cloud_event(), channel="other")[0].id

    def test_a_member_id_from_outside_is_not_believed(self) -> None:
        (event,) = read(cloud_event(data__member_id="somebody-else"))
        assert event.data.member_id == ids.member_id(AccountRef(platform="gitter", account_id="ann"))

    def test_an_author_id_from_outside_is_not_believed(self) -> None:
        (event,) = read(cloud_event(data__reply_to={"message_id": "m-0", "author": "somebody-else"}))
        assert event.data.reply_to.author is None

    def test_an_author_account_becomes_a_member_id(self) -> None:
        author = {"platform": "gitter", "account_id": "ann"}
        (event,) = read(cloud_event(data__reply_to={"message_id": "m-0", "author": author}))
        assert event.data.reply_to.author == ANN_ID


class TestCommunity:
    def test_a_bound_channel_needs_no_name(self) -> None:
        (event,) = read(cloud_event(community=None), community=COMMUNITY)
        assert event.community == COMMUNITY

    def test_a_bound_channel_writes_nowhere_else(self) -> None:
        assert refusal(cloud_event(community="other"), community=COMMUNITY) == "community"

    def test_a_free_channel_needs_a_name(self) -> None:
        assert refusal(cloud_event(community=None)) == "community"

    def test_an_unknown_one_is_refused(self) -> None:
        with pytest.raises(UnknownCommunityError):
            read(cloud_event(community="nobody"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"time": "2026-03-02T08:00:00"}, "time"),
        ({"time": 1_700_000_000}, "time"),
        ({"time": "1772438340"}, "time"),
        ({"time": "1772438340000"}, "time"),
        ({"time": "1969-12-31T23:59:59Z"}, "time"),
        ({"time": "1989-12-31T23:59:59Z"}, "time"),
        ({"time": "2026-03-03T08:00:01Z"}, "time"),
        ({"time": "2100-01-01T00:00:00Z"}, "time"),
        ({"time": "9999-12-31T23:59:59Z"}, "time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
        ({"time": "9999-12-31T23:59:59-14:00"}, "time"),
        ({"type": "members.member.joined.v1"}, "type"),
        ({"data": "text"}, "data"),
        ({"data__account": None}, "data.account"),
        ({"data__account": {"platform": "Gitter", "account_id": "a"}}, "data.account.platform"),
        ({"data__group": "secret-cellar"}, "data.group"),
        ({"data__text": "x" * 65_537}, "data.text"),
        ({"data__text": "a\0b"}, "data.text"),
        ({"data__a\0b": 1}, "data"),
        ({"data__reply_to": {"message_id": "m", "author": {"platform": "gitter"}}}, "data.reply_to.author.account_id"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], field: str) -> None:
    assert refusal(cloud_event(**change)) == field


def test_what_is_wrong_in_a_list_is_named() -> None:
    assert refusal([cloud_event(), cloud_event(data__group="cellar")]) == "1.data.group"


def test_one_time_from_the_future_refuses_the_whole_list() -> None:
    events = [cloud_event(id=f"b-{number}") for number in range(3)]
    assert refusal([*events, cloud_event(id="b-3", time="2100-01-01T00:00:00Z")]) == "3.time"


def test_a_day_ahead_is_a_clock_that_is_off() -> None:
    (event,) = read(cloud_event(time="2026-03-03T08:00:00Z"))
    assert event.time - NOW == AHEAD


@given(st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.text(), st.integers(), st.floats()))
def test_whatever_stands_for_the_time_it_is_within_the_bounds_or_refused(time: Any) -> None:
    with suppress(MalformedError):
        (event,) = read(cloud_event(time=time))
        assert EARLIEST <= event.time <= NOW + AHEAD


def test_a_place_a_thousand_levels_deep_is_shortened() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    assert len(refusal(cloud_event(data__zz=deep))) < 256


def test_a_time_zone_nobody_knows_is_named() -> None:
    data = {"account": {"platform": "form", "account_id": "a"}, "submission_id": "1", "timezone": "../etc/passwd"}
    assert refusal(cloud_event(type="signups.form.submitted.v1", data=data)) == "data.timezone"


def test_a_rotated_secret_is_taken() -> None:
    both = adapter(secrets=[OTHER_SECRET, SECRET])
    both.verify(signed(cloud_event()))


def test_surrogates_are_malformed() -> None:
    broken = replace(signed("{}"), body=b'{"specversion": "\\ud800"}')
    with pytest.raises(MalformedError):
        adapter().normalise(broken, context())
