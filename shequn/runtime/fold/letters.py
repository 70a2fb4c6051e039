"""Makes dead letters."""

import base64
from datetime import datetime

from nats.aio.msg import Msg

from shequn.contracts.dead import DeadLetter
from shequn.contracts.subjects import dead_letter_subject
from shequn.runtime.bus.publisher import Outgoing
from shequn.runtime.fold.decoder import Rejected

_MOST_DETAIL = 16_000


def letter_of(rejected: Rejected, durable: str, now: datetime) -> DeadLetter:
    """Make the dead letter of a rejected message."""
    message: Msg = rejected.message
    metadata = message.metadata
    sequence = metadata.sequence.stream
    return DeadLetter(
        id=f"{durable}.{metadata.stream}.{sequence}",
        consumer=durable,
        stream=metadata.stream,
        sequence=sequence,
        subject=message.subject,
        reason=rejected.reason,
        detail=rejected.detail[:_MOST_DETAIL],
        payload=base64.b64encode(message.data).decode(),
        message_id=(message.headers or {}).get("Nats-Msg-Id", ""),
        at=now,
    )


def outgoing(letter: DeadLetter) -> Outgoing:
    """Make the message that carries a dead letter."""
    # The time keeps apart two deaths of one message: one before and one after a replay.
    message_id = f"{letter.id}.{letter.at.timestamp():.0f}"
    return Outgoing(dead_letter_subject(letter.consumer), letter.model_dump_json().encode(), message_id)
