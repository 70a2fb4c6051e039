"""Webhooks: ``POST /hooks/{channel}``.

202 once the bus has stored every event, 200 when there is nothing to store. 401 for a missing, wrong or stale
signature, 404 for an unknown channel, 405 for another method, 408 and 413 for a body that is too slow or too long, 422
for one that is malformed, 503 while the bus does not confirm. Every refusal has a problem body. The body is read as
JSON whatever its content type says: the signature is over the bytes.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.intake.channels import Channel
from services.intake.errors import BodyTooLargeError, BodyTooSlowError, CommunityAwaitedError, UnknownChannelError
from services.intake.metrics import IntakeMetrics
from shequn.adapters import RawRequest, ReceiveContext
from shequn.adapters.errors import MalformedError, SignatureError
from shequn.contracts.envelope import Envelope
from shequn.runtime.clock import Clock, stopwatch
from shequn.runtime.failures import AppError, TransientError, UnknownCommunityError
from shequn.runtime.fold.processor import Definitions
from shequn.runtime.problems import problem

_UNKNOWN = "unknown"
_METHOD = "POST"
_METHODS = (_METHOD, "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
# A sender that is cut off in the middle may never see the answer, so a little too much is heard out and thrown away.
_PATIENCE_BYTES = 1024 * 1024
_PATIENCE_SECONDS = 0.5
_CLIENT_GONE = 499  # nobody reads the answer; the number is nginx's


class Bus(Protocol):
    """The way to the bus."""

    async def accept(self, events: Sequence[Envelope]) -> None:
        """Store events; return once all are. Raises TransientError when some are not."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """What the route needs.

    Attributes:
        channels: by name.
        ingress: the way to the bus.
        definitions: the communities' definitions.
        clock: the system's clock; events are accepted by it.
        real_clock: the real one; signatures are as old as it says.
        metrics: where calls are counted.
        ahead: how far after now an event's time may be.
        body_bytes: how long a body may be.
        body_seconds: how long it may take to come.
    """

    channels: Mapping[str, Channel]
    ingress: Bus
    definitions: Definitions
    clock: Clock
    real_clock: Clock
    metrics: IntakeMetrics
    ahead: timedelta
    body_bytes: int
    body_seconds: float


def routes(door: Door) -> list[Route]:
    """Make the route."""

    async def hook(request: Request) -> Response:
        if request.method != _METHOD:
            refusal = problem(405, "wrong method", f"send events with {_METHOD}")
            refusal.headers["Allow"] = _METHOD
            return refusal
        name: str = request.path_params["channel"]
        channel = door.channels.get(name)
        response = await _answer(request, channel, door)
        label = _UNKNOWN if channel is None else name
        door.metrics.webhooks.labels(label, str(response.status_code)).inc()
        return response

    # Every method comes here, so that each refusal has a problem body.
    return [Route("/hooks/{channel}", hook, methods=_METHODS)]


async def _answer(request: Request, channel: Channel | None, door: Door) -> Response:
    try:
        if channel is None:
            raise UnknownChannelError
        events = await _accepted(request, channel, door)
    except ClientDisconnect:
        return Response(status_code=_CLIENT_GONE)
    except AppError as error:
        return _refusal(error)
    return JSONResponse(
        {"accepted": len(events), "ids": [event.id for event in events]}, status_code=202 if events else 200
    )


async def _accepted(request: Request, channel: Channel, door: Door) -> Sequence[Envelope]:
    body = await _read_body(request, door.body_bytes, door.body_seconds)
    raw = RawRequest(dict(request.headers.items()), body, door.real_clock.now())
    began = stopwatch()
    channel.receiver.verify(raw)
    events = await _normalise(raw, channel, door)
    if not events:
        door.metrics.ignored.labels(channel.name).inc()
        return events
    await door.ingress.accept(events)
    door.metrics.ack_seconds.labels(channel.name).observe(stopwatch() - began)
    door.metrics.events.labels(channel.name).inc(len(events))
    return events


async def _normalise(raw: RawRequest, channel: Channel, door: Door) -> Sequence[Envelope]:
    context = ReceiveContext(channel.name, door.clock.now(), door.definitions, door.ahead)
    try:
        events = channel.receiver.normalise(raw, context)
    except UnknownCommunityError:
        # Its definition may have been applied this moment.
        await door.definitions.refresh()
        events = _normalise_again(raw, channel, context)
    for number, event in enumerate(events):
        # Our own adapters have done it, and named the field; another one may have forgotten.
        context.require_time(event.time, "time" if len(events) == 1 else f"{number}.time")
    return events


def _normalise_again(raw: RawRequest, channel: Channel, context: ReceiveContext) -> Sequence[Envelope]:
    try:
        return channel.receiver.normalise(raw, context)
    except UnknownCommunityError as error:
        if error.community == channel.community:
            raise CommunityAwaitedError(channel.name, error) from error
        raise


async def _read_body(request: Request, most: int, seconds: float) -> bytes:
    """Read the body, and keep no more of it than is taken, whatever its headers promise."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise BodyTooLargeError(most, hang_up=int(declared) > most + _PATIENCE_BYTES)
    chunks = request.stream()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > most:
                    break
    except TimeoutError:
        raise BodyTooSlowError(seconds) from None
    if len(body) > most:
        raise BodyTooLargeError(most, hang_up=not await _heard_out(chunks))
    return bytes(body)


async def _heard_out(chunks: AsyncIterator[bytes]) -> bool:
    """Throw away the rest of a body; tell whether it ended soon."""
    length = 0
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            async for chunk in chunks:
                length += len(chunk)
                if length > _PATIENCE_BYTES:
                    return False
    except TimeoutError:
        return False
    return True


_REFUSALS: tuple[tuple[type[AppError], int, str], ...] = (
    (SignatureError, 401, "signature refused"),
    (UnknownChannelError, 404, "unknown channel"),
    (BodyTooSlowError, 408, "body too slow"),
    (BodyTooLargeError, 413, "body too large"),
    (MalformedError, 422, "malformed"),
    (UnknownCommunityError, 422, "malformed"),
    (TransientError, 503, "try again later"),
    (AppError, 422, "refused"),
)


def _refusal(error: AppError) -> Response:
    status, title = next((status, title) for kind, status, title in _REFUSALS if isinstance(error, kind))
    response = problem(status, title, str(error), **_named_field(error))
    if isinstance(error, TransientError):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, BodyTooSlowError) or (isinstance(error, BodyTooLargeError) and error.hang_up):
        response.headers["Connection"] = "close"
    return response


def _named_field(error: AppError) -> dict[str, str]:
    if isinstance(error, MalformedError):
        return {"field": error.field}
    return {"field": "community"} if isinstance(error, UnknownCommunityError) else {}
