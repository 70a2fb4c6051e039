from collections.abc import Sequence
from typing import Any

import pytest

from services.intake.adapters.signup import SignupAdapter
from shequn.adapters import RawRequest, ReceiveContext
from shequn.adapters.conformance import ReceiverConformance, RecordedRequest
from shequn.adapters.errors import MalformedError
from shequn.contracts.signups import FormSubmittedData
from tests.unit.intake.builders import COMMUNITY, OTHER_SECRET, context, environment, generic_settings, signed


def form(**change: Any) -> dict[str, Any]:
    filled = {
        "submitted_at": "2026-03-02T15:59:00+08:00",
        "submission_id": "s-1",
        "email": "Ann@Example.com ",
        "name": "安",
        "consents": ["messages"],
    }
    return {name: value for name, value in (filled | change).items() if value is not None}


def adapter() -> SignupAdapter:
    values = SignupAdapter.manifest.settings.model_validate(generic_settings(community=COMMUNITY))
    return SignupAdapter(values, environment())  # type: ignore[arg-type]


def read(body: Any, message_id: str = "msg_1") -> FormSubmittedData:
    (event,) = adapter().normalise(signed(body, message_id=message_id), context())
    data: FormSubmittedData = event.data
    return data


def refusal(body: Any) -> str:
    with pytest.raises(MalformedError) as refused:
        read(body)
    return refused.value.field


class TestConformance(ReceiverConformance):
    def make_adapter(self) -> SignupAdapter:
        return adapter()

    def context(self) -> ReceiveContext:
        return context()

    def accepted(self) -> Sequence[RecordedRequest]:
        account = {"platform": "form", "account_id": "ann@example.com"}
        return [
            RecordedRequest(
                "form", signed(form()), (("signups.form.submitted.v1", {"account": account, "name": "安"}),)
            ),
        ]

    def malformed(self) -> Sequence[RawRequest]:
        return [signed(body) for body in ("{}", "[1]", form(email="nobody"), form(submitted_at="yesterday"))]

    def forged(self) -> Sequence[RawRequest]:
        return [signed(form(), secret=OTHER_SECRET)]


class TestWho:
    def test_an_e_mail_address_is_an_account(self) -> None:
        assert read(form()).account.account_id == "ann@example.com"

    def test_a_telephone_number_is_an_account(self) -> None:
        assert read(form(email="", phone="+86 138-0013-8000")).account.account_id == "+8613800138000"

    def test_a_chat_account_comes_first(self) -> None:
        assert read(form(account={"platform": "wechat", "account_id": "wx1"})).account.platform == "wechat"

    def test_nobody_is_refused(self) -> None:
        assert refusal(form(email=None)) == "account"


class TestReferral:
    def test_a_code_is_evidence_of_itself(self) -> None:
        assert [piece.value for piece in read(form(referral_code="ABC")).evidence] == ["ABC"]

    def test_other_evidence_stays(self) -> None:
        found = read(form(referral_code="ABC", evidence=[{"kind": "qr", "value": "poster-3"}])).evidence
        assert [piece.kind for piece in found] == ["qr", "code"]

    def test_an_empty_field_is_no_code(self) -> None:
        assert read(form(referral_code=" ")).referral_code is None


class TestSubmission:
    def test_without_an_id_the_message_id_is_taken(self) -> None:
        assert read(form(submission_id=None), message_id="msg_9").submission_id == "msg_9"

    def test_without_a_time_is_refused(self) -> None:
        assert refusal(form(submitted_at=None)) == "submitted_at"

    @pytest.mark.parametrize("time", ["2026-03-03T08:00:01Z", "9999-12-31T23:59:59Z", 0, 10**11, 10**18, "soon", True])
    def test_a_time_that_cannot_be_is_named(self, time: Any) -> None:
        assert refusal(form(submitted_at=time)) == "submitted_at"

    def test_a_message_id_that_is_too_long_is_no_submission_id(self) -> None:
        with pytest.raises(MalformedError) as refused:
            read(form(submission_id=None), message_id="m" * 257)
        assert refused.value.field == "submission_id"

    def test_a_time_zone_nobody_knows_is_refused(self) -> None:
        assert refusal(form(timezone="Mars/Base")) == "timezone"
