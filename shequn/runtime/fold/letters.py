"""Makes dead letters."""

import base64
from datetime import datetime

from nats.aio.msg import Msg

from shequn.contracts.dead import DeadLetter
from shequn.contracts.subjects import dead_letter_subject
from shequn.runtime.bus.publisher import Outgoing
from shequn.runtime.fold.decoder import Rejected

_MOST_DETAIL = 16_000

MOST_PAYLOAD = 512 * 1024
"""Bytes of a message that a letter carries whole: all that intake takes; in base64 it fits what any server stores."""

_CUT_PAYLOAD = 64 * 1024


def letter_of(rejected: Rejected, durable: str, now: datetime) -> DeadLetter:
    """Make the dead letter of a rejected message."""
    message: Msg = rejected.message
    metadata = message.metadata
    sequence = metadata.sequence.stream
    truncated = len(message.data) > MOST_PAYLOAD
    payload = message.data[:_CUT_PAYLOAD] if truncated else message.data
    return DeadLetter(
        id=f"{durable}.{metadata.stream}.{sequence}",
        consumer=durable,
        stream=metadata.stream,
        sequence=sequence,
        subject=message.subject,
        reason=rejected.reason,
        detail=rejected.detail[:_MOST_DETAIL],
        payload=base64.b64encode(payload).decode(),
        message_id=(message.headers or {}).get("Nats-Msg-Id", ""),
        at=now,
        truncated=truncated,
    )


def outgoing(letter: DeadLetter) -> Outgoing:
    """Make the message that carries a dead letter."""
    # A message that is replayed gets another sequence, so its second death has another id.
    return Outgoing(dead_letter_subject(letter.consumer), letter.model_dump_json().encode(), letter.id)
