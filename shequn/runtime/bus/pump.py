"""The pull pump: hands over what has arrived, at once, and keeps the next messages coming meanwhile.

FastStream's own pull loop waits its time-out for a full batch (50 ms by default: p50 25 ms of latency), nats-py's
``fetch`` asks the server anew for every batch. The pump keeps requests for two batches open, so a quiet bus answers in
a millisecond and a busy one fills batches.
"""

import asyncio
import json
from collections import deque
from typing import Any, cast

from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shequn.runtime.tasks import end_within

_EXPIRES_SECONDS = 30
_HEARTBEAT_SECONDS = 5
_TROUBLE_SECONDS = 0.5
_DRAIN_SECONDS = 3.0
_ORDINARY_ENDS = ("404", "408")  # nothing there; time is up
_NANOSECONDS = 1_000_000_000


class Pump:
    """Pulls messages of one durable consumer."""

    def __init__(self, client: Client, stream: str, durable: str, batch_size: int) -> None:
        """Prepare; :meth:`start` begins to pull.

        Args:
            client: a connected client.
            stream: the stream's name.
            durable: the consumer's name; it must exist.
            batch_size: the most messages that :meth:`take` gives at once.
        """
        self._client = client
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._batch_size = batch_size
        self._arrived: deque[Msg] = deque()
        self._wake = asyncio.Event()
        self._requested = 0
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._last_heard = 0.0
        self._trouble = False

    async def start(self) -> None:
        """Subscribe and ask for the first messages."""
        self._inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(self._inbox, cb=self._receive, pending_msgs_limit=-1)
        self._last_heard = asyncio.get_running_loop().time()
        await self._refill()

    async def unsubscribe(self) -> None:
        """Stop pulling, and give back what has arrived and is not taken: another replica has it at once."""
        if self._subscription is None or self._client.is_closed:
            return
        subscription, self._subscription = self._subscription, None
        # A server that does not answer gives the messages to somebody else after their ack wait.
        await end_within(_DRAIN_SECONDS, "pump", self._give_back(subscription))

    async def _give_back(self, subscription: Subscription) -> None:
        # Draining lets in what the server had already sent; simply unsubscribing would drop it for an ack wait.
        await subscription.drain()  # type: ignore[no-untyped-call]
        while self._arrived:
            await self._arrived.popleft().nak()
        await self._client.flush()

    async def take(self) -> list[Msg]:
        """Give what has arrived, at most a batch; wait for it if need be. Gives nothing once unsubscribed."""
        while not self._arrived:
            if self._subscription is None:
                return []
            self._wake.clear()
            if self._trouble:
                # The consumer or its leader is away: asking at once again would be asking all the time.
                self._trouble = False
                await asyncio.sleep(_TROUBLE_SECONDS)
            await self._refill()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=_HEARTBEAT_SECONDS)
            except TimeoutError:
                self._forget_lost_requests()
        size = min(self._batch_size, len(self._arrived))
        await self._refill(taking=size)
        # Nothing is awaited from here on: a cancelled take must not lose what it took.
        return [self._arrived.popleft() for _ in range(size)]

    def put_back(self, messages: list[Msg]) -> None:
        """Take back what :meth:`take` gave and nobody worked on."""
        self._arrived.extendleft(reversed(messages))

    async def _receive(self, message: Msg) -> None:
        self._last_heard = asyncio.get_running_loop().time()
        status = message.headers.get("Status") if message.headers and not message.data else None
        if status is None:
            self._requested = max(0, self._requested - 1)
            self._arrived.append(message)
        elif status != "100":  # 100 is a heartbeat; anything else ends a request
            self._end_request(status, message.headers or {})
        self._wake.set()

    def _end_request(self, status: str, headers: dict[str, Any]) -> None:
        self._trouble = status not in _ORDINARY_ENDS
        unfulfilled = headers.get("Nats-Pending-Messages")
        self._requested = max(0, self._requested - int(unfulfilled)) if unfulfilled else 0

    def _forget_lost_requests(self) -> None:
        """Without heartbeats the requests are gone: the server restarted, or the connection was lost."""
        silent = asyncio.get_running_loop().time() - self._last_heard
        if silent > 2 * _HEARTBEAT_SECONDS:
            self._requested = 0

    async def _refill(self, taking: int = 0) -> None:
        expected = self._requested + len(self._arrived) - taking
        if self._subscription is None or expected > self._batch_size:
            return
        request = {
            "batch": self._batch_size,
            "expires": _EXPIRES_SECONDS * _NANOSECONDS,
            "idle_heartbeat": _HEARTBEAT_SECONDS * _NANOSECONDS,
        }
        self._requested += self._batch_size
        await self._client.publish(self._next_subject, json.dumps(request).encode(), self._inbox)


class PumpSubscriber(BatchPullStreamSubscriber):
    """FastStream's batch subscriber with the pump in the place of its pull loop.

    FastStream offers no seam for the loop, so a subscriber that it made is turned into this class (see
    :func:`pumped`). Everything else, from middlewares to AsyncAPI, stays FastStream's.
    """

    __slots__ = ()

    async def _create_subscription(self) -> None:
        if self.subscription:
            return
        durable = self.config.durable_name or ""
        pump = Pump(self.connection, self.stream.name, durable, self.pull_sub.batch_size or 1)
        await pump.start()
        self.subscription = pump  # type: ignore[assignment]  # what FastStream calls on it is unsubscribe()
        self.add_task(self._consume_pull)

    async def _consume_pull(self) -> None:
        pump: Any = self.subscription
        while self._still_wanted():
            batch = await pump.take()
            if not self._still_wanted():
                pump.put_back(batch)
            elif batch:
                await self.consume(batch)

    def _still_wanted(self) -> bool:
        return bool(self.running)


def pumped(subscriber: Any) -> PumpSubscriber:
    """Turn a batch pull subscriber of FastStream into a pumped one.

    Raises:
        TypeError: it is of another kind.
    """
    if type(subscriber) is not BatchPullStreamSubscriber:
        raise TypeError(f"only a batch pull subscriber can be pumped, not {type(subscriber).__name__}")
    subscriber.__class__ = PumpSubscriber
    return cast("PumpSubscriber", subscriber)
