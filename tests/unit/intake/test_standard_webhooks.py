import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.intake.adapters.standard_webhooks import StandardWebhookVerifier
from shequn.adapters import RawRequest
from shequn.adapters.errors import MalformedError, SignatureError, StaleTimestampError
from shequn.runtime.failures import ConfigError
from tests.unit.intake.builders import NOW, OTHER_SECRET, SECRET, SHARED, signed

VECTORS = SHARED / "platform" / "standard_webhooks" / "vectors.json"


def verifier(*secrets: str) -> StandardWebhookVerifier:
    return StandardWebhookVerifier([SecretStr(secret) for secret in secrets or (SECRET,)], "web")


def with_headers(request: RawRequest, **headers: str) -> RawRequest:
    changed = {f"webhook-{name}": value for name, value in headers.items()}
    return RawRequest({**request.headers, **changed}, request.body, request.received)


def published() -> Sequence[Any]:
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else []


@pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is not there")
@pytest.mark.parametrize("vector", published(), ids=lambda vector: vector.get("note", "plain"))
def test_published_vector(vector: dict[str, Any]) -> None:
    headers = {
        "webhook-id": vector["msg_id"],
        "webhook-timestamp": vector["timestamp"],
        "webhook-signature": vector["signature"],
    }
    request = RawRequest(headers, vector["payload"].encode(), datetime.fromtimestamp(vector["now"], UTC))
    if vector["valid"]:
        verifier(vector["secret"]).verify(request)
    else:
        with pytest.raises(SignatureError):
            verifier(vector["secret"]).verify(request)


class TestRotation:
    def test_an_old_secret_still_signs(self) -> None:
        verifier(OTHER_SECRET, SECRET).verify(signed("{}"))

    def test_one_of_several_signatures_is_enough(self) -> None:
        request = signed("{}")
        several = f"v1,{'A' * 43}= {request.headers['webhook-signature']} v2,abc"
        verifier().verify(with_headers(request, signature=several))

    @pytest.mark.parametrize("broken", ["v1", "v1,", ",", "v1,ä", "v1,!!", "x,y,z", " "])
    def test_a_broken_signature_beside_it_does_no_harm(self, broken: str) -> None:
        request = signed("{}")
        verifier().verify(with_headers(request, signature=f"{broken} {request.headers['webhook-signature']}"))


class TestTime:
    @pytest.mark.parametrize("seconds", [-300, 0, 300])
    def test_within_five_minutes_is_taken(self, seconds: int) -> None:
        request = signed("{}")
        verifier().verify(RawRequest(request.headers, request.body, NOW + timedelta(seconds=seconds)))

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_further_away_is_stale(self, seconds: int) -> None:
        request = signed("{}")
        with pytest.raises(StaleTimestampError):
            verifier().verify(RawRequest(request.headers, request.body, NOW + timedelta(seconds=seconds)))

    @pytest.mark.parametrize("written", ["", "soon", "nan", "1e9", "-5", "1614265330.5", "١٦١٤٢٦٥٣٣٠", "9" * 12])
    def test_what_is_no_number_of_seconds_is_refused(self, written: str) -> None:
        with pytest.raises(SignatureError):
            verifier().verify(with_headers(signed("{}"), timestamp=written))


class TestSecret:
    @pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "whsec_ä"])
    def test_what_is_none_is_refused_at_the_start(self, secret: str) -> None:
        with pytest.raises(ConfigError, match="secret 2"):
            verifier(SECRET, secret)

    def test_is_not_in_the_message(self) -> None:
        with pytest.raises(ConfigError) as refused:
            verifier("whsec_not-so-secret-after-all-ä")
        assert "after-all" not in str(refused.value)


def test_a_body_that_is_not_utf_8_is_malformed() -> None:
    request = signed("{}")
    with pytest.raises(MalformedError, match="byte 1"):
        verifier().verify(RawRequest(request.headers, b"{\xff}", NOW))
