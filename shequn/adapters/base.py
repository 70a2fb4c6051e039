"""What an adapter is, and what it may be able to do.

Every adapter is an :class:`Adapter`. What it can do is asked for (``isinstance(adapter, Receives)``), never assumed:
one only receives webhooks, another only sends, a third holds a socket open. Vendor types never leave its module.
"""

from abc import ABC
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from shequn.adapters.errors import ActionError, RateLimitedError
from shequn.adapters.manifest import AdapterManifest, AdapterSettings
from shequn.adapters.times import AHEAD, require_time
from shequn.contracts.actions import OutcomeStatus
from shequn.contracts.base import AccountRef
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.clock import Clock
from shequn.runtime.fold.workspace import DefinitionBook

S = TypeVar("S", bound=AdapterSettings)

Publish = Callable[[Sequence[Envelope]], Awaitable[None]]
"""Publishes events in order; returns once all are stored. Raises TransientError when they are not."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came, before anybody believes it.

    Attributes:
        headers: by lower-case name.
        body: its bytes.
        received: when it came, by the real clock: signatures are as old as the real world says, also in a rehearsal
            that runs on a faster clock.
    """

    headers: Mapping[str, str]
    body: bytes
    received: datetime


@dataclass(frozen=True, slots=True)
class ReceiveContext:
    """What an adapter may know when it makes events.

    Attributes:
        channel: the name of the channel the request came through.
        now: the moment of acceptance, by the system's clock; the events' ``recordedtime``.
        definitions: the communities' definitions.
        ahead: how far after ``now`` an event's time may be.
    """

    channel: str
    now: datetime
    definitions: DefinitionBook
    ahead: timedelta = AHEAD

    def definition(self, community: str) -> CommunityDefinition:
        """Give a community's definition.

        Raises:
            UnknownCommunityError: none is applied.
        """
        return self.definitions.current(community)

    def require_time(self, time: datetime, field: str) -> None:
        """Check the time of an event.

        Intake checks it again, but can only say which event is wrong; who knows the field should name it.

        Args:
            time: when the event is said to have happened.
            field: where that stands in the body.

        Raises:
            MalformedError: it lies before 1990, or more than ``ahead`` after now.
        """
        require_time(time, field, now=self.now, ahead=self.ahead)


@dataclass(frozen=True, slots=True)
class AdapterEnvironment:
    """Where an adapter works.

    Attributes:
        name: the channel or platform it serves.
        data_dir: the folder for files it writes.
        clock: tells the time.
        ahead: how far after now an event's time may be, for what fetches events by itself.
    """

    name: str
    data_dir: Path
    clock: Clock
    ahead: timedelta = AHEAD


@dataclass(frozen=True, slots=True)
class AddressedAction:
    """A command, and where it goes on the platform.

    Attributes:
        command: the command.
        platform: the platform it goes to.
        account: the member's account there, for what goes to a member.
        chat: the platform's id of the chat, for what goes to a group.
    """

    command: Envelope
    platform: str
    account: AccountRef | None = None
    chat: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action.

    Attributes:
        status: delivered, delayed, suppressed, failed or unknown.
        reason: why, when it is not delivered; at most 500 characters are kept.
        receipt: the platform's id of what was sent, as text, at most 256 characters.
        until: for ``delayed``: when to try again, with its offset; none leaves it to the caller.
    """

    status: OutcomeStatus
    reason: str = ""
    receipt: str | None = None
    until: datetime | None = None

    @classmethod
    def delivered(cls, receipt: str | None = None) -> "Outcome":
        """Make the outcome of an action that the platform took."""
        return cls(OutcomeStatus.DELIVERED, receipt=receipt)

    @classmethod
    def of_error(cls, error: ActionError) -> "Outcome":
        """Make the outcome that a typed error stands for."""
        return cls(error.status, str(error), until=error.until if isinstance(error, RateLimitedError) else None)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an adapter can work, and what a person should know when it cannot."""

    healthy: bool
    detail: str = ""


class Adapter(ABC, Generic[S]):
    """Code that speaks one platform. A subclass declares ``manifest`` and has the capabilities it needs."""

    manifest: ClassVar[AdapterManifest]

    def __init__(self, settings: S, environment: AdapterEnvironment) -> None:
        """Keep the settings; nothing connects yet.

        Raises:
            ConfigError: a setting is wrong in a way that its type does not show.
        """
        self.settings = settings
        self.environment = environment

    async def open(self) -> None:  # most adapters need none
        """Open what it works with.

        Raises:
            ConfigError: that cannot work as it is set up.
            TransientError: the platform is away.
        """

    async def close(self) -> None:
        """Close it; what was taken on is finished."""

    async def health(self) -> Health:
        """Tell whether it can work."""
        return Health(healthy=True)


@runtime_checkable
class Receives(Protocol):
    """Takes requests from the platform."""

    def verify(self, request: RawRequest) -> None:
        """Check that the sender is who it says, over the bytes as they came.

        Raises:
            SignatureError: it is not, or does not prove it.
            StaleTimestampError: it did, but at another time.
            MalformedError: the bytes cannot even be signed.
        """
        ...

    def normalise(self, raw: RawRequest, context: ReceiveContext) -> Sequence[Envelope]:
        """Turn a verified request into events; none when it tells nothing of interest.

        The same fact gives the same event ids, however often and with whatever headers it comes.

        Raises:
            MalformedError: the body is not what the channel takes.
            UnknownCommunityError: its community has no definition.
        """
        ...


@runtime_checkable
class Executes(Protocol):
    """Executes actions on the platform."""

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        """Execute one action.

        Raises:
            ActionError: typed by what to do about it.
        """
        ...


@runtime_checkable
class ExecutesBatches(Protocol):
    """Executes many actions for about the price of one."""

    async def execute_many(self, actions: Sequence[tuple[AddressedAction, str]]) -> Sequence[Outcome]:
        """Execute actions with their idempotency keys; one outcome for each, in order.

        Raises:
            ActionError: none of them went out.
        """
        ...


@runtime_checkable
class Runs(Protocol):
    """Fetches events by itself, from a socket or a file."""

    async def run(self, publish: Publish, definitions: DefinitionBook) -> None:
        """Publish events until there are no more, or until cancelled.

        Intake starts it anew, after a while, when it raises; so it must be able to begin again.

        Raises:
            TransientError: platform or bus is away.
            PermanentError: starting anew cannot help.
        """
        ...
