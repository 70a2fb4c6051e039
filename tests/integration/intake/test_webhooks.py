"""Webhooks into a real bus: yes is said only once it is stored."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import stripe

from services.intake.settings import IntakeSettings
from shequn.adapters import RawRequest
from tests.integration.intake.conftest import Bench, killed
from tests.support.waiting import eventually
from tests.unit.intake.builders import OTHER_SECRET, cloud_event, signed
from tests.unit.intake.test_signup import form
from tests.unit.intake.test_stripe import INTENT
from tests.unit.intake.test_stripe import SECRET as STRIPE_SECRET
from tests.unit.intake.test_stripe import event as stripe_event

LIMIT = IntakeSettings().intake_body_bytes


def fresh(body: Any, **more: Any) -> RawRequest:
    """A request signed this moment."""
    return signed(body, at=datetime.now(UTC), **more)


def paid() -> RawRequest:
    body = json.dumps(stripe_event("payment_intent.succeeded", INTENT))
    header = stripe.WebhookSignature.generate_signature_header(body, STRIPE_SECRET)
    return RawRequest({"stripe-signature": header}, body.encode(), datetime.now(UTC))


async def test_every_channel_reaches_its_stream(bench: Bench) -> None:
    async with bench.intake():
        answers = [
            await bench.post(fresh(cloud_event())),
            await bench.post(fresh(form()), "form"),
            await bench.post(paid(), "pay"),
        ]
        assert [answer.status_code for answer in answers] == [202, 202, 202]
    for stream, answer in zip(("CHAT", "SIGNUPS", "PAYMENTS"), answers, strict=True):
        assert [event["id"] for event in await bench.read(stream)] == answer.json()["ids"]


async def test_the_same_fact_again_is_stored_once(bench: Bench) -> None:
    async with bench.intake():
        answers = [await bench.post(fresh(cloud_event(), message_id=f"msg_{number}")) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.text for answer in answers}) == 1
    assert await bench.stored("CHAT") == 1


async def test_the_same_sign_up_again_is_one_member_told_of_once(bench: Bench) -> None:
    async with bench.intake():
        for number in range(3):
            assert (await bench.post(fresh(form(), message_id=f"msg_{number}"), "form")).status_code == 202
        # Past the server's memory of ids, too.
        (event,) = await bench.read("SIGNUPS")
        await bench.client.jetstream().publish(event["type"], json.dumps(event).encode())
        await eventually(bench.folded, lambda count: count == 2)
        assert await bench.query("SELECT active FROM member_totals") == 1
    assert [event["type"] for event in await bench.read("MEMBERS")] == ["members.member.joined.v1"]


async def test_the_same_payment_again_is_stored_once(bench: Bench) -> None:
    async with bench.intake():
        assert {(await bench.post(paid(), "pay")).status_code for _ in range(3)} == {202}
    assert await bench.stored("PAYMENTS") == 1


async def test_many_at_once_share_batches_and_lose_nothing(bench: Bench) -> None:
    requests = [fresh(cloud_event(id=f"b-{number}")) for number in range(300)]
    # Every third comes twice at the same time.
    requests += requests[::3]
    async with bench.intake(), httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answers = await asyncio.gather(
            *(client.post(f"{bench.url}/hooks/web", content=one.body, headers=dict(one.headers)) for one in requests)
        )
    assert {answer.status_code for answer in answers} == {202}
    assert await bench.stored("CHAT") == 300


class TestRefused:
    async def test_a_forged_request_reaches_nothing(self, bench: Bench) -> None:
        async with bench.intake():
            answer = await bench.post(fresh(cloud_event(), secret=OTHER_SECRET))
        assert answer.status_code == 401
        assert await bench.stored("CHAT") == 0

    async def test_an_event_from_the_future_reaches_nothing(self, bench: Bench) -> None:
        async with bench.intake():
            answer = await bench.post(fresh([cloud_event(), cloud_event(id="b-2", time="9999-12-31T23:59:59Z")]))
        assert (answer.status_code, answer.json()["field"]) == (422, "1.time")
        assert await bench.stored("CHAT") == 0

    async def test_the_system_clock_tells_what_the_future_is(self, bench: Bench) -> None:
        now = datetime.now(UTC).isoformat()
        async with bench.intake(SHEQUN_CLOCK=f"scaled:{now}/2031-01-01T00:00:00Z/1000"):
            answer = await bench.post(fresh(cloud_event(time="2031-01-01T12:00:00Z")))
        assert answer.status_code == 202

    async def test_an_endless_body_is_not_read_to_its_end(self, bench: Bench) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 64 * LIMIT:
                sent += 16_384
                yield b"x" * 16_384

        async with bench.intake(), httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            status = await status_of(client, f"{bench.url}/hooks/web", endless())
        assert status in {413, None}
        assert sent < 64 * LIMIT

    async def test_a_body_that_is_declared_too_long_is_not_waited_for(self, bench: Bench) -> None:
        async with bench.intake():
            assert b" 413 " in await first_line(bench.url, f"Content-Length: {LIMIT + 1}\r\n")

    async def test_a_chunked_body_over_the_limit_is_refused(self, bench: Bench) -> None:
        async with bench.intake():
            chunk = b"%x\r\n%b\r\n" % (LIMIT + 1, b"x" * (LIMIT + 1))
            assert b" 413 " in await first_line(bench.url, "Transfer-Encoding: chunked\r\n", chunk)

    async def test_a_body_that_never_comes_is_given_up(self, bench: Bench) -> None:
        async with bench.intake(SHEQUN_INTAKE_BODY_SECONDS="0.2"):
            assert b" 408 " in await first_line(bench.url, "Content-Length: 10\r\n", b"{")

    async def test_deep_json_that_is_signed_is_malformed(self, bench: Bench) -> None:
        async with bench.intake():
            assert (await bench.post(fresh("[" * 100_000))).status_code == 422


class TestBusAway:
    async def test_a_frozen_bus_is_no_yes(self, bench: Bench) -> None:
        async with bench.intake():
            bench.freeze_bus()
            answer = await bench.post(fresh(cloud_event()))
            bench.thaw_bus()
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            again = await eventually(lambda: bench.post(fresh(cloud_event())), lambda answer: answer.status_code == 202)
        assert again.json()["accepted"] == 1
        assert await bench.stored("CHAT") == 1

    async def test_a_dead_bus_is_no_yes_and_a_new_one_is(self, bench: Bench) -> None:
        async with bench.intake():
            await killed(bench.bus_process)
            for number in range(5):
                assert (await bench.post(fresh(cloud_event(id=f"b-{number}")))).status_code == 503
            await bench.bus_process.start()
            await bench.bus_process.wait_ready()
            await eventually(lambda: bench.post(fresh(cloud_event())), lambda answer: answer.status_code == 202)


async def status_of(client: httpx2.AsyncClient, url: str, body: AsyncIterator[bytes]) -> int | None:
    """The answer's status; none when the server hung up before the client had read it."""
    try:
        return (await client.post(url, content=body)).status_code
    except httpx2.TransportError:
        return None


async def first_line(url: str, header: str, body: bytes = b"") -> bytes:
    """Post by hand and give the answer's first line."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, family=socket.AF_INET)
    writer.write(f"POST /hooks/web HTTP/1.1\r\nHost: intake\r\n{header}\r\n".encode() + body)
    await writer.drain()
    line = await asyncio.wait_for(reader.readline(), timeout=5)
    writer.close()
    return line
