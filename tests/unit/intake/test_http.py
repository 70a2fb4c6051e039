import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.intake.adapters import BUILTIN
from services.intake.channels import Channel, make_channels
from services.intake.http import Door, routes
from services.intake.metrics import IntakeMetrics
from services.intake.settings import ChannelChoice
from shequn.adapters import AHEAD, AdapterRegistry, RawRequest, ReceiveContext
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import ConfigError, TransientError
from shequn.testing.memory import MemoryBook
from tests.unit.intake.builders import (
    COMMUNITY,
    NOW,
    OTHER_SECRET,
    SECRET,
    FixedClock,
    book,
    cloud_event,
    group_joined,
    signed,
)
from tests.unit.intake.test_stripe import INTENT
from tests.unit.intake.test_stripe import SECRET as STRIPE_SECRET
from tests.unit.intake.test_stripe import event as stripe_event
from tests.unit.intake.test_stripe import request as stripe_request

LIMIT = 4_096
REGISTRY = AdapterRegistry(BUILTIN, [])
CHANNELS = {
    "web": {"adapter": "generic", "secrets": [SECRET]},
    "pay": {"adapter": "stripe", "community": COMMUNITY, "secrets": [STRIPE_SECRET]},
}


class Careless:
    """Somebody else's adapter: it looks at nothing."""

    def verify(self, request: RawRequest) -> None:
        pass

    def normalise(self, raw: RawRequest, context: ReceiveContext) -> Sequence[Envelope]:
        return [group_joined(minutes) for minutes in json.loads(raw.body)]


class StubBus:
    def __init__(self) -> None:
        self.stored: list[Envelope] = []
        self.away = False

    async def accept(self, events: Sequence[Envelope]) -> None:
        if self.away:
            raise TransientError("the bus is away", retry_after=1.2)
        self.stored.extend(events)


class Definitions(MemoryBook):
    """Definitions that arrive with a refresh."""

    coming: MemoryBook | None = None

    async def refresh(self) -> None:
        self.definitions = (self.coming or self).definitions


class Site:
    """The route, its surroundings, and a client."""

    def __init__(self) -> None:
        self.bus = StubBus()
        self.definitions = Definitions(book().definitions)
        self.registry = CollectorRegistry()
        self.clock = FixedClock()
        choices = {name: ChannelChoice.model_validate(choice) for name, choice in CHANNELS.items()}
        channels = make_channels(REGISTRY, choices, Path(), self.clock) | {"loose": Channel("loose", Careless())}
        metrics = IntakeMetrics(self.registry)
        door = Door(channels, self.bus, self.definitions, self.clock, self.clock, metrics, AHEAD, LIMIT, 1.0)
        self.client = TestClient(Starlette(routes=routes(door)), raise_server_exceptions=True)

    def post(self, request: RawRequest, channel: str = "web") -> httpx2.Response:
        return self.client.post(f"/hooks/{channel}", content=request.body, headers=dict(request.headers))

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"shequn_intake_{name}", labels)


@pytest.fixture
def site() -> Site:
    return Site()


class TestAccepted:
    def test_the_ids_are_told(self, site: Site) -> None:
        answer = site.post(signed([cloud_event(), cloud_event(id="b-2")]))
        assert answer.status_code == 202
        assert answer.json() == {"accepted": 2, "ids": [event.id for event in site.bus.stored]}

    def test_a_resend_has_the_same_ids(self, site: Site) -> None:
        first = site.post(signed(cloud_event()))
        site.clock.at += timedelta(minutes=2)
        assert site.post(signed(cloud_event(), at=site.clock.at)).json() == first.json()

    def test_what_tells_nothing_is_right_and_counted(self, site: Site) -> None:
        answer = site.post(stripe_request(stripe_event("customer.created", {})), "pay")
        assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "ids": []})
        assert site.count("webhooks_ignored_total", channel="pay") == 1

    def test_a_definition_applied_this_moment_is_known(self, site: Site) -> None:
        site.definitions.coming, site.definitions.definitions = book(), []
        assert site.post(signed(cloud_event())).status_code == 202

    def test_is_counted(self, site: Site) -> None:
        site.post(signed(cloud_event()))
        assert site.count("webhooks_total", channel="web", status="202") == 1
        assert site.count("events_total", channel="web") == 1
        assert site.count("ack_seconds_count", channel="web") == 1


class TestRefused:
    def problem(self, answer: httpx2.Response, status: int) -> dict[str, Any]:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = answer.json()
        assert body["status"] == status
        return body

    def test_a_wrong_signature(self, site: Site) -> None:
        self.problem(site.post(signed(cloud_event(), secret=OTHER_SECRET)), 401)
        assert site.bus.stored == []

    def test_a_missing_signature(self, site: Site) -> None:
        self.problem(site.post(RawRequest({}, b"{}", NOW)), 401)

    def test_an_old_timestamp(self, site: Site) -> None:
        self.problem(site.post(signed(cloud_event(), at=NOW - timedelta(minutes=6))), 401)

    def test_an_unknown_channel(self, site: Site) -> None:
        self.problem(site.post(signed(cloud_event()), "nowhere"), 404)
        assert site.count("webhooks_total", channel="unknown", status="404") == 1

    def test_a_body_that_is_declared_too_long(self, site: Site) -> None:
        self.problem(site.post(signed("x" * (LIMIT + 1))), 413)

    def test_a_body_that_is_too_long_in_pieces(self, site: Site) -> None:
        sent: list[int] = []

        def pieces() -> Iterator[bytes]:
            for number in range(100):
                sent.append(number)
                yield b"x" * 1_000

        self.problem(site.client.post("/hooks/web", content=pieces()), 413)

    def test_a_body_at_the_limit_is_read(self, site: Site) -> None:
        self.problem(site.post(signed('"' + "x" * (LIMIT - 2) + '"')), 422)

    def test_a_channel_whose_community_is_not_applied_asks_to_come_again(self, site: Site) -> None:
        site.definitions.definitions = []
        answer = site.post(stripe_request(stripe_event("payment_intent.succeeded", INTENT)), "pay")
        found = self.problem(answer, 503)
        assert "shequn apply" in found["detail"]
        assert answer.headers["retry-after"] == "30"

    def test_an_unknown_community_names_the_field(self, site: Site) -> None:
        assert self.problem(site.post(signed(cloud_event(community="nobody"))), 422)["field"] == "community"

    def test_an_unknown_group_names_the_field(self, site: Site) -> None:
        assert self.problem(site.post(signed(cloud_event(data__group="cellar"))), 422)["field"] == "data.group"

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "null",
            "[" * 2_000,
            '{"a":' * 800,
            '{"a": "\\u0000"}',
            '{"data": {"\\u0000": 1}}',
            '{"a": "\\ud800"}',
        ],
    )
    def test_bad_json(self, site: Site, body: str) -> None:
        self.problem(site.post(signed(body)), 422)

    @pytest.mark.parametrize("body", [b"\xff", b'{"a": "\xc3"}', b"\xed\xa0\x80"])
    def test_bytes_that_are_no_text(self, site: Site, body: bytes) -> None:
        signature = signed("{}")
        self.problem(site.post(RawRequest(signature.headers, body, NOW)), 422)

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_another_method(self, site: Site, method: str) -> None:
        answer = site.client.request(method, "/hooks/web")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["content-type"] == "application/problem+json"

    def test_a_timestamp_from_the_future(self, site: Site) -> None:
        self.problem(site.post(signed(cloud_event(), at=NOW + timedelta(minutes=6))), 401)

    def test_an_event_from_the_future_names_the_field(self, site: Site) -> None:
        body = [cloud_event(), cloud_event(id="b-2", time="2100-01-01T00:00:00Z")]
        assert self.problem(site.post(signed(body)), 422)["field"] == "1.time"
        assert site.bus.stored == []

    @pytest.mark.parametrize(("minutes", "field"), [([2_000], "time"), ([0, 2_000], "1.time")])
    def test_an_event_from_the_future_that_an_adapter_lets_through(
        self, site: Site, minutes: list[int], field: str
    ) -> None:
        assert self.problem(site.post(signed(minutes), "loose"), 422)["field"] == field


class TestContentType:
    """The body decides: many senders leave the header to their library, and the signature is over the bytes."""

    def send(self, site: Site, body: Any, content_type: str) -> int:
        request = signed(body)
        headers = {**request.headers, "content-type": content_type}
        return site.client.post("/hooks/web", content=request.body, headers=headers).status_code

    @pytest.mark.parametrize("content_type", ["application/cloudevents+json", "text/plain", "application/xml", "?"])
    def test_json_is_taken_under_any_name(self, site: Site, content_type: str) -> None:
        assert self.send(site, cloud_event(), content_type) == 202

    def test_what_is_no_json_is_malformed_under_any_name(self, site: Site) -> None:
        assert self.send(site, "<event/>", "application/json") == 422


class TestBusAway:
    def test_it_is_said_and_when_to_come_again(self, site: Site) -> None:
        site.bus.away = True
        answer = site.post(signed(cloud_event()))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


class TestChannels:
    def make(self, **choice: Any) -> None:
        choices = {"shop": ChannelChoice.model_validate({"secrets": ["sesame"], **choice})}
        make_channels(REGISTRY, choices, Path(), FixedClock())

    def test_an_adapter_that_cannot_receive_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="recording"):
            self.make(adapter="recording")

    def test_an_unknown_setting_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"'shop'.*colour"):
            self.make(adapter="stripe", community=COMMUNITY, colour="red")

    def test_a_missing_community_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="community"):
            self.make(adapter="signup")


def test_secrets_are_shown_nowhere() -> None:
    choice = ChannelChoice.model_validate({"adapter": "generic", "secrets": ["sesame"], "token": "sesame"})
    assert "sesame" not in repr(choice) + str(choice) + json.dumps(choice.model_dump(mode="json", exclude={"token"}))
