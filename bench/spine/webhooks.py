"""The helper process that sends signed webhooks at a fixed rate and sees when their effects are committed.

Sending is an open loop: a request is due at its moment whether or not earlier ones are answered, and its time runs from
that moment, so a slow server cannot slow the clock down. A commit is seen through ``NOTIFY`` from a trigger on
engagement's messages: PostgreSQL delivers it after the transaction is durable and visible. That costs the store some
microseconds a message; asking a thousand times a second would cost it more, and commit timestamps
(``track_commit_timestamp``) are taken before the disk sync.
"""

import asyncio
import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from standardwebhooks import Webhook

from bench.child import answer, requests
from bench.spine.chat import Row, read_chat
from bench.spine.definition import COMMUNITY, PLATFORM

CHANNEL = "bench"
SECRET = "whsec_" + "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo"
_LISTEN = "bench_effects"
_LONGEST_WAIT_SECONDS = 30.0
_TRIGGER = f"""
CREATE FUNCTION engagement.bench_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('{_LISTEN}', NEW.message_id); RETURN NULL; END $$;
CREATE TRIGGER bench_notify AFTER INSERT ON engagement.messages
FOR EACH ROW WHEN (NEW.author IS NOT NULL) EXECUTE FUNCTION engagement.bench_notify();
"""
_NO_TRIGGER = "DROP TRIGGER bench_notify ON engagement.messages; DROP FUNCTION engagement.bench_notify();"


@dataclass(slots=True)
class Seen:
    """Moments on the monotonic clock, by message id."""

    due: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    committed: dict[str, float] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, message_id: str) -> None:
        """Note that a message's effect is committed."""
        self.committed[message_id] = monotonic()
        if len(self.committed) == self.expected:
            self.complete.set()


class Connections:
    """HTTP connections that are kept open. A client library would take a tenth of a processor at this rate."""

    def __init__(self, url: str) -> None:
        """Use the server of a URL; connections are opened as they are needed."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, request: bytes) -> str:
        """Send a request as it stands; give the status code of the answer."""
        while self._free:
            # The server closes what has been idle for some seconds; such a connection answers nothing at all.
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                return await self._exchange(self._free.pop(), request)
        return await self._exchange(await asyncio.open_connection(self._host, self._port), request)

    def close(self) -> None:
        """Close all connections."""
        for _, writer in self._free:
            writer.close()

    async def _exchange(self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> str:
        reader, writer = connection
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(_content_length(head))
        self._free.append(connection)
        return head.split(" ", 2)[1]


def _content_length(head: str) -> int:
    lengths = (line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:"))
    return int(next(lengths, "0"))


def signed_request(url: str, row: Row, message_id: str, now: datetime) -> bytes:
    """Make the whole HTTP request of one message: Standard Webhooks headers, a CloudEvent as body."""
    body = json.dumps(cloud_event(row, message_id, now), ensure_ascii=False)
    signature = Webhook(SECRET).sign(message_id, now, body)
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body.encode())}\r\nwebhook-id: {message_id}\r\n"
        f"webhook-timestamp: {int(now.timestamp())}\r\nwebhook-signature: {signature}\r\n\r\n"
    )
    return head.encode() + body.encode()


def cloud_event(row: Row, message_id: str, now: datetime) -> dict[str, Any]:
    """Make the CloudEvent of a message that is posted now."""
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/bench",
        "type": "chat.message.posted.v1",
        "time": now.isoformat(),
        "community": COMMUNITY,
        "data": {
            "group": row.group,
            "account": {"platform": PLATFORM, "account_id": row.user},
            "message_id": message_id,
            "text": row.text,
            "name": row.name,
        },
    }


async def send(url: str, rate: float, first: int, count: int, seen: Seen) -> None:
    """Send messages ``first`` to ``first + count``, so many a second, and wait for the last answer."""
    rows, now, connections = read_chat().rows, datetime.now(UTC), Connections(url)
    prepared = []
    for number in range(first, first + count):
        message_id = f"hook-{number}"
        prepared.append((message_id, signed_request(url, rows[number % len(rows)], message_id, now)))

    async def post(message_id: str, request: bytes) -> None:
        status = await connections.post(request)
        seen.answered[message_id] = monotonic()
        seen.statuses[status] += 1

    began = monotonic()
    async with asyncio.TaskGroup() as group:
        for index, (message_id, request) in enumerate(prepared):
            due = seen.due[message_id] = began + index / rate
            await asyncio.sleep(max(0.0, due - monotonic()))
            group.create_task(post(message_id, request))
    connections.close()


async def run(store: "asyncpg.Connection[Any]", request: dict[str, Any]) -> dict[str, Any]:
    """Send what is asked for and wait for the effects.

    Returns:
        ``effect_ms`` and ``answer_ms``: from the moment a request was due; ``statuses``: how often each was answered;
        ``missing``: how many effects never came.
    """
    seen = Seen(expected=request["count"])

    def committed(_connection: object, _pid: int, _channel: str, message_id: object) -> None:
        seen.commit(str(message_id))

    await store.add_listener(_LISTEN, committed)
    await send(request["url"], request["rate"], request["first"], request["count"], seen)
    with suppress(TimeoutError):
        await asyncio.wait_for(seen.complete.wait(), _LONGEST_WAIT_SECONDS)
    await store.remove_listener(_LISTEN, committed)
    return {
        "effect_ms": [(seen.committed[key] - due) * 1_000 for key, due in seen.due.items() if key in seen.committed],
        "answer_ms": [(seen.answered[key] - due) * 1_000 for key, due in seen.due.items()],
        "statuses": dict(seen.statuses),
        "missing": len(seen.due.keys() - seen.committed.keys()),
    }


async def main() -> None:
    """Answer requests ``{"url", "rate", "first", "count"}``; the trigger goes with the last one."""
    store = await asyncpg.connect(os.environ["SHEQUN_POSTGRES_DSN"])
    await store.execute(_TRIGGER)
    async for request in requests():
        if request.get("finish"):
            await store.execute(_NO_TRIGGER)
            answer({})
        else:
            answer(await run(store, request))


if __name__ == "__main__":
    uvloop.run(main())
