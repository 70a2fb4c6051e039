"""Reads and replays dead letters.

::

    PermanentError
    ├── NoSuchLetterError         no dead letter has that number
    ├── UnreadableLetterError     what stands under that number is no dead letter
    ├── MessageGoneError          the letter holds a part of the message, and the whole is no longer in its stream
    └── UnknownSubjectError       no stream takes the letter's message
"""

import base64
import binascii
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import nats.errors
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from shequn.contracts import subjects
from shequn.contracts.dead import DeadLetter
from shequn.runtime.bus.connection import Bus
from shequn.runtime.bus.publisher import Outgoing
from shequn.runtime.failures import PermanentError, TransientError

_READ_SECONDS = 5.0


class NoSuchLetterError(PermanentError):
    """No dead letter has that number."""

    def __init__(self, number: int) -> None:
        """Name the number."""
        super().__init__(f"there is no dead letter {number}; `shequn dlq list` shows those there are")


class UnreadableLetterError(PermanentError):
    """What stands among the dead letters is none: some other program wrote it.

    Attributes:
        number: its number in the stream of dead letters.
        why: what is wrong with it.
    """

    def __init__(self, number: int, why: str) -> None:
        """Name the number and the fault."""
        super().__init__(f"dead letter {number} is unreadable: {why}")
        self.number = number
        self.why = why


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter and its number in the stream of dead letters."""

    number: int
    letter: DeadLetter

    @property
    def message(self) -> tuple[str, int]:
        """The message it is about: stream and sequence. Several consumers may each have given it up."""
        return self.letter.stream, self.letter.sequence

    @property
    def payload(self) -> bytes:
        """What it holds of the message: all, or the first bytes of it."""
        return base64.b64decode(self.letter.payload)


Found = StoredLetter | UnreadableLetterError
"""What stands among the dead letters."""


class MessageGoneError(PermanentError):
    """The letter holds a part of its message, and the whole is no longer in its stream."""

    def __init__(self, stored: StoredLetter) -> None:
        """Name the letter and where its message stood."""
        stream, sequence = stored.message
        super().__init__(
            f"the whole message of dead letter {stored.number} is gone: {stream} no longer has it under {sequence}, "
            f"and the letter holds its first {len(stored.payload)} bytes only; it cannot be replayed"
        )


class UnknownSubjectError(PermanentError):
    """No stream takes the letter's message."""

    def __init__(self, stored: StoredLetter) -> None:
        """Name the letter and the subject."""
        super().__init__(f"dead letter {stored.number} cannot be replayed: no stream takes {stored.letter.subject!r}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        messages: how many messages were published again.
        letters: how many letters were about them, and are removed.
        failures: what could not be replayed; its letters stay.
    """

    messages: int
    letters: int
    failures: tuple[PermanentError, ...]


async def read_letters(bus: Bus) -> AsyncIterator[Found]:
    """Give all dead letters, oldest first; in place of one that is unreadable, the error that says so.

    Raises:
        TransientError: the bus does not answer.
    """
    jetstream = bus.jetstream
    if (await jetstream.stream_info(subjects.DEAD.name)).state.messages == 0:
        return
    subscription = await jetstream.subscribe(
        subjects.DEAD.subjects[0], stream=subjects.DEAD.name, ordered_consumer=True
    )
    try:
        while True:
            message = await subscription.next_msg(timeout=_READ_SECONDS)
            yield _parsed(message.metadata.sequence.stream, message.data)
            if message.metadata.num_pending == 0:
                return
    except nats.errors.TimeoutError as error:
        raise TransientError("the bus stopped sending dead letters; try again") from error
    finally:
        await subscription.unsubscribe()


async def read_letter(bus: Bus, number: int) -> StoredLetter:
    """Give one dead letter.

    Raises:
        NoSuchLetterError: there is none of that number.
        UnreadableLetterError: what stands there is none.
    """
    try:
        message = await bus.jetstream.get_msg(subjects.DEAD.name, number)
    except NotFoundError as error:
        raise NoSuchLetterError(number) from error
    found = _parsed(number, message.data or b"")
    if isinstance(found, UnreadableLetterError):
        raise found
    return found


async def whole_message(bus: Bus, stored: StoredLetter) -> bytes:
    """Give the message that a letter is about; from its stream where the letter holds a part of it only.

    Raises:
        MessageGoneError: its stream no longer has it.
    """
    if not stored.letter.truncated:
        return stored.payload
    try:
        # Straight from the stream: within an answer of the API the message would stand as base64.
        found = await bus.jetstream.get_msg(*stored.message, direct=True)
    except NotFoundError as error:
        raise MessageGoneError(stored) from error
    data = found.data or b""
    # A stream that was made anew counts anew.
    if found.subject != stored.letter.subject or not data.startswith(stored.payload):
        raise MessageGoneError(stored)
    return data


async def replay_letters(bus: Bus, wanted: Callable[[Found], bool]) -> Replayed:
    """Publish the messages of dead letters again, then forget the letters.

    A message reaches all its consumers, so it is published once, and the letters of all consumers about it go. Those
    that folded it already recognise it by its id. A crash in between leaves letters where they are; replaying them once
    more does no harm.
    """
    numbers: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    chosen: dict[tuple[str, int], StoredLetter] = {}
    failures: list[PermanentError] = []
    async for found in read_letters(bus):
        if isinstance(found, StoredLetter):
            numbers[found.message].append(found.number)
            if wanted(found):
                chosen.setdefault(found.message, found)
        elif wanted(found):
            failures.append(found)
    messages = letters = 0
    for message, stored in chosen.items():
        try:
            await _publish(bus, stored)
        except PermanentError as error:
            failures.append(error)
            continue
        for number in numbers[message]:
            await bus.jetstream.delete_msg(subjects.DEAD.name, number)
        messages, letters = messages + 1, letters + len(numbers[message])
    return Replayed(messages, letters, tuple(failures))


async def _publish(bus: Bus, stored: StoredLetter) -> None:
    stream, sequence = stored.message
    payload = await whole_message(bus, stored)
    outgoing = Outgoing(stored.letter.subject, payload, f"replay.{stream}.{sequence}")
    try:
        subjects.stream_of(outgoing.subject)
    except KeyError as error:
        raise UnknownSubjectError(stored) from error
    await bus.publisher.publish([outgoing])


def _parsed(number: int, data: bytes) -> Found:
    try:
        stored = StoredLetter(number, DeadLetter.model_validate_json(data))
        base64.b64decode(stored.letter.payload, validate=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        return UnreadableLetterError(number, f"{field}: {first['msg']}" if field else first["msg"])
    except binascii.Error:
        return UnreadableLetterError(number, "payload: is no base64")
    return stored
