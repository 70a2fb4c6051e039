"""Streams, subjects and durable consumer names: the only place that knows them.

An event's subject is its type. Ids never stand in subjects: their number has no bound.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Retention(StrEnum):
    """Whether a stream keeps messages until a limit, or until they are worked off."""

    LIMITS = "limits"
    WORK_QUEUE = "workqueue"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream of the bus.

    Attributes:
        name: its name on the server.
        subjects: what it stores.
        retention: what removes a message.
        max_age: how long a message is kept at most; none for ever.
        max_bytes: how much it keeps at most; further publishing is refused, never the oldest dropped.
            The server reserves the sum of all streams' limits.
        duplicate_window: how long a repeated ``Nats-Msg-Id`` is recognised by the server; inboxes recognise later
            ones.
    """

    name: str
    subjects: tuple[str, ...]
    retention: Retention = Retention.LIMITS
    max_age: timedelta | None = timedelta(days=30)
    max_bytes: int = 1 << 30
    duplicate_window: timedelta = timedelta(minutes=2)


CHAT = StreamSpec("CHAT", ("chat.>",), max_bytes=4 << 30)
SIGNUPS = StreamSpec("SIGNUPS", ("signups.>",), max_age=timedelta(days=365))
PAYMENTS = StreamSpec("PAYMENTS", ("payments.>",), max_age=None)
MEMBERS = StreamSpec("MEMBERS", ("members.>",), max_age=None)
MODERATION = StreamSpec("MODERATION", ("moderation.>",), max_age=timedelta(days=365))
ENGAGEMENT = StreamSpec("ENGAGEMENT", ("engagement.>",))
COMMERCE = StreamSpec("COMMERCE", ("commerce.>",), max_age=None)
FUNNELS = StreamSpec("FUNNELS", ("funnels.>",), max_age=timedelta(days=365))
ACTIONS = StreamSpec("ACTIONS", ("actions.>",), retention=Retention.WORK_QUEUE)
OUTCOMES = StreamSpec("OUTCOMES", ("outcomes.>",))
DEFINITIONS = StreamSpec("DEFINITIONS", ("definitions.>",), max_age=None)
DEAD = StreamSpec("DEAD", ("dead.>",), max_age=timedelta(days=365))

STREAMS: tuple[StreamSpec, ...] = (
    CHAT,
    SIGNUPS,
    PAYMENTS,
    MEMBERS,
    MODERATION,
    ENGAGEMENT,
    COMMERCE,
    FUNNELS,
    ACTIONS,
    OUTCOMES,
    DEFINITIONS,
    DEAD,
)


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """A durable pull consumer.

    Attributes:
        durable: its name on the server; also the name of its inbox.
        stream: what it reads.
        subjects: what it wants of the stream; all of it when empty.
        ack_wait_seconds: how long a batch may take before the server hands it to another replica.
        max_ack_pending: how many messages may be unacknowledged in all replicas together.
    """

    durable: str
    stream: StreamSpec
    subjects: tuple[str, ...] = ()
    ack_wait_seconds: float = 30.0
    max_ack_pending: int = 5_000


IDENTITY_SIGNUPS = ConsumerSpec("intake-identity-signups", SIGNUPS)
IDENTITY_CHAT = ConsumerSpec("intake-identity-chat", CHAT, ("chat.member.joined.v1", "chat.member.left.v1"))
DELIVERY_ACTIONS = ConsumerSpec("intake-delivery", ACTIONS)
MODERATION_CHAT = ConsumerSpec("moderation-chat", CHAT, ("chat.message.posted.v1",))
ENGAGEMENT_CHAT = ConsumerSpec("engagement-chat", CHAT, ("chat.message.posted.v1", "chat.reaction.added.v1"))
COMMERCE_PAYMENTS = ConsumerSpec("commerce-payments", PAYMENTS)
COMMERCE_MEMBERS = ConsumerSpec("commerce-members", MEMBERS, ("members.member.joined.v1", "members.member.updated.v1"))
FUNNELS_MEMBERS = ConsumerSpec("funnels-members", MEMBERS)
FUNNELS_ENGAGEMENT = ConsumerSpec("funnels-engagement", ENGAGEMENT)
FUNNELS_COMMERCE = ConsumerSpec("funnels-commerce", COMMERCE)
FUNNELS_MODERATION = ConsumerSpec("funnels-moderation", MODERATION, ("moderation.sanction.imposed.v1",))

CONSUMERS: tuple[ConsumerSpec, ...] = (
    IDENTITY_SIGNUPS,
    IDENTITY_CHAT,
    DELIVERY_ACTIONS,
    MODERATION_CHAT,
    ENGAGEMENT_CHAT,
    COMMERCE_PAYMENTS,
    COMMERCE_MEMBERS,
    FUNNELS_MEMBERS,
    FUNNELS_ENGAGEMENT,
    FUNNELS_COMMERCE,
    FUNNELS_MODERATION,
)


def dead_letter_subject(durable: str) -> str:
    """Give the subject under which a consumer's dead letters are kept."""
    return f"dead.{durable}"


def stream_of(event_type: str) -> StreamSpec:
    """Find the stream that stores an event type.

    Raises:
        KeyError: when no stream does.
    """
    domain = event_type.partition(".")[0]
    for stream in STREAMS:
        if f"{domain}.>" in stream.subjects:
            return stream
    raise KeyError(f"no stream stores {event_type!r}; add its domain to shequn/contracts/subjects.py")
