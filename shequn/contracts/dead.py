"""Dead letters: what could not be processed, kept whole with the reason. Owner: the runtime of each service."""

from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, Timestamp, Whole, YesOrNo


class DeadLetter(Contract):
    """A message that one consumer could not process.

    It is not an event of a community, so it has no envelope: the message may not even be JSON.

    Attributes:
        id: derived from consumer, stream and sequence.
        consumer: the durable consumer that gave up.
        stream: the stream the message stands in.
        sequence: its sequence in that stream.
        subject: its subject.
        reason: a closed set, for counting.
        detail: what exactly is wrong, for people: field, value, rule, and the traceback of a fold that raised.
        payload: the message's bytes, base64; only the first of them when ``truncated``.
        message_id: its ``Nats-Msg-Id``, where it had one.
        at: when it was given up.
        truncated: the message is too large for a letter; the whole stands in its stream, under its sequence.
    """

    id: str
    consumer: str
    stream: str
    sequence: Whole
    subject: str
    reason: Literal["malformed", "unknown-type", "unknown-community", "fold-failed", "exhausted"]
    detail: str = Field(max_length=16_384)
    payload: str
    message_id: str = ""
    at: Timestamp
    truncated: YesOrNo = False
