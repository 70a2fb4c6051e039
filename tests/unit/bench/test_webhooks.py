"""The webhooks that the bench sends are signed as intake wants them."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from bench.spine.chat import Row
from bench.spine.webhooks import SECRET, Seen, signed_request

ROW = Row(datetime(2015, 7, 1, 8, tzinfo=UTC), "russian", "u1", "ann", "m1", "привет")


@pytest.fixture
def request_parts() -> tuple[dict[str, str], bytes]:
    request = signed_request("http://127.0.0.1:1234/hooks/bench", ROW, "hook-1", datetime.now(UTC))
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}, body


class TestSignedRequest:
    def test_has_a_signature_that_the_official_verifier_takes(
        self, request_parts: tuple[dict[str, str], bytes]
    ) -> None:
        headers, body = request_parts
        Webhook(SECRET).verify(body.decode(), headers)

    def test_has_the_length_of_its_body_in_bytes(self, request_parts: tuple[dict[str, str], bytes]) -> None:
        headers, body = request_parts
        assert int(headers["content-length"]) == len(body)

    def test_carries_a_cloud_event(self, request_parts: tuple[dict[str, str], bytes]) -> None:
        document = json.loads(request_parts[1])
        assert (document["specversion"], document["id"], document["data"]["text"]) == ("1.0", "hook-1", "привет")


class TestSeen:
    def test_is_complete_with_the_last_effect(self) -> None:
        seen = Seen(expected=2)
        seen.commit("hook-1")
        seen.commit("hook-2")
        assert seen.complete.is_set()

    def test_does_not_count_an_effect_twice(self) -> None:
        seen = Seen(expected=2)
        seen.commit("hook-1")
        seen.commit("hook-1")
        assert not seen.complete.is_set()
