"""The envelope: CloudEvents 1.0, structured JSON, one class per event type.

Source: CloudEvents specification 1.0.2. ``community``, ``correlationid``, ``causationid`` and ``recordedtime`` are
extension attributes.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints

from shequn.contracts import ids
from shequn.contracts.base import Contract, Slug, Timestamp

EventId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


class Envelope(Contract):
    """What every event and command carries besides its data.

    A concrete type is a subclass that narrows ``type`` to its literal and ``data`` to its model. The NATS subject of an
    event is its type, so a reader knows the class before it parses.

    Attributes:
        id: derived id (see :mod:`shequn.contracts.ids`); also the ``Nats-Msg-Id``.
        source: who recorded it, as a URI reference: ``/intake/telegram``.
        subject: the id of what the event is about (a message, a member, an order).
        time: when it happened, in the world the event comes from.
        recordedtime: when the first service of ours accepted it.
        community: the community it belongs to.
        correlationid: the id of the fact that began the chain.
        causationid: the id of the event that directly caused this one; none for facts from outside.
        dataref: where the raw payload is kept, when it is.
    """

    TYPE: ClassVar[str] = ""

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: str = Field(min_length=1, max_length=256)
    type: str
    subject: str = Field(max_length=256)
    time: Timestamp
    datacontenttype: Literal["application/json"] = "application/json"
    community: Slug
    correlationid: str
    causationid: str | None = None
    recordedtime: Timestamp
    dataref: str | None = None
    data: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the literal type on the class."""
        super().__init_subclass__(**kwargs)
        default = cls.__dict__.get("type")
        if isinstance(default, str):
            cls.TYPE = default

    @classmethod
    def record(
        cls,
        *,
        time: datetime,
        recorded: datetime,
        source: str,
        community: str,
        subject: str,
        origin: tuple[str, ...],
        data: Contract,
    ) -> Self:
        """Make an event from a fact of the outside world.

        Args:
            time: when it happened.
            recorded: now, when we accept it.
            source: URI reference of the recorder.
            community: the community it belongs to.
            subject: id of what it is about.
            origin: what makes the fact unique at its origin; the type is added to it.
            data: the fact.
        """
        identity = ids.event_id(time, cls.TYPE, *origin)
        return cls(
            id=identity,
            source=source,
            subject=subject,
            time=time.astimezone(UTC),
            community=community,
            correlationid=identity,
            recordedtime=recorded.astimezone(UTC),
            data=data,
        )  # type: ignore[call-arg]  # the subclass gives ``type`` its default

    @classmethod
    def caused_by(
        cls,
        cause: "Envelope",
        *,
        source: str,
        subject: str,
        key: tuple[str, ...],
        data: Contract,
        time: datetime | None = None,
    ) -> Self:
        """Make an event that follows from another one.

        Args:
            cause: the event whose folding led to this one.
            source: URI reference of the service.
            subject: id of what it is about.
            key: business key of the new fact; with the type it makes the id, so replays derive the same id.
            data: the fact.
            time: when it happened; the cause's time by default.
        """
        at = time or cause.time
        return cls(
            id=ids.event_id(at, cls.TYPE, cause.community, *key),
            source=source,
            subject=subject,
            time=at,
            community=cause.community,
            correlationid=cause.correlationid,
            causationid=cause.id,
            recordedtime=cause.recordedtime,
            data=data,
        )  # type: ignore[call-arg]
