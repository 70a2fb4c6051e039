"""Publishing: acknowledged means stored.

Many messages for one stream go out as one atomic batch (server ≥ 2.12, ADR-50), which costs six disk syncs whatever its
size; a message alone costs one. So few messages go out one by one, without waiting in between. A batch that holds a
message id the stream already knows is rejected whole; then its messages are published one by one too, where the server
recognises each duplicate.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from shequn.contracts.envelope import Envelope
from shequn.contracts.subjects import stream_of
from shequn.runtime.failures import TransientError

_BATCH_LIMIT = 500  # the server takes 1,000 at most
_LEAST_BATCH = 7  # from here on six syncs are fewer than one a message; counted on the 2.15 server
_ACK_SECONDS = 5.0
_MESSAGE_ID = "Nats-Msg-Id"

MOST_BYTES = 960 * 1024
"""The largest message that may go out: what a server with default settings takes, less room for headers."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish.

    Attributes:
        subject: where to.
        payload: its bytes.
        message_id: by which the server and every inbox recognise it.
    """

    subject: str
    payload: bytes
    message_id: str

    @classmethod
    def of(cls, event: Envelope) -> "Outgoing":
        """Make the message of an event."""
        return cls(event.type, event.model_dump_json().encode(), event.id)


class NotStoredError(TransientError):
    """The bus did not confirm that it stored a message."""

    def __init__(self, subject: str, why: str) -> None:
        """Name the subject or stream, and what the server said."""
        super().__init__(f"the bus did not store a message for {subject}: {why}")


class Publisher:
    """Publishes and returns once everything is stored."""

    def __init__(self, client: Client) -> None:
        """Use a connected client."""
        self._client = client

    async def publish(self, messages: Sequence[Outgoing]) -> int:
        """Publish messages in order.

        Returns:
            How many of them the server, or an earlier one of these, had under the same id already. It remembers ids
            for a stream's duplicate window only.

        Raises:
            NotStoredError: some message is not confirmed. Others may be stored; publishing all again is safe, because
                their ids are recognised.
        """
        duplicates = 0
        for stream, run in groupby(messages, key=lambda message: stream_of(message.subject).name):
            pending = iter(run)
            while chunk := list(islice(pending, _BATCH_LIMIT)):
                try:
                    duplicates += await self._publish_chunk(chunk)
                except (nats.errors.Error, OSError) as error:
                    raise NotStoredError(stream, str(error) or type(error).__name__) from error
        return duplicates

    async def _publish_chunk(self, chunk: list[Outgoing]) -> int:
        unique = {message.message_id: message for message in chunk}
        ordered = list(unique.values())
        repeated = len(chunk) - len(ordered)
        if len(ordered) >= _LEAST_BATCH and await self._publish_batch(ordered):
            return repeated
        return repeated + sum(await asyncio.gather(*(self._publish_one(message) for message in ordered)))

    async def _publish_batch(self, chunk: list[Outgoing]) -> bool:
        """Publish as one atomic batch; tell whether the server took it."""
        batch_id = uuid4().hex
        for sequence, message in enumerate(chunk[:-1], 1):
            await self._client.publish(message.subject, message.payload, headers=_headers(message, batch_id, sequence))
        last = chunk[-1]
        headers = {**_headers(last, batch_id, len(chunk)), "Nats-Batch-Commit": "1"}
        answer = await self._request(last, headers)
        return "error" not in answer

    async def _publish_one(self, message: Outgoing) -> bool:
        """Publish one message; tell whether the server had it already."""
        answer = await self._request(message, {_MESSAGE_ID: message.message_id})
        if "error" in answer:
            raise NotStoredError(message.subject, str(answer["error"]))
        return answer.get("duplicate") is True

    async def _request(self, message: Outgoing, headers: dict[str, str]) -> dict[str, object]:
        try:
            reply: Msg = await self._client.request(
                message.subject, message.payload, timeout=_ACK_SECONDS, headers=headers
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise NotStoredError(message.subject, str(error) or type(error).__name__) from error
        answer: dict[str, object] = json.loads(reply.data)
        return answer


def _headers(message: Outgoing, batch_id: str, sequence: int) -> dict[str, str]:
    return {
        _MESSAGE_ID: message.message_id,
        "Nats-Batch-Id": batch_id,
        "Nats-Batch-Sequence": str(sequence),
    }
