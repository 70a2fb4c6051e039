"""Reads and replays dead letters."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats.errors
from nats.js.errors import NotFoundError

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


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter and its number in the stream of dead letters."""

    number: int
    letter: DeadLetter


async def read_letters(bus: Bus) -> AsyncIterator[StoredLetter]:
    """Give all dead letters, oldest first.

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
            yield StoredLetter(message.metadata.sequence.stream, DeadLetter.model_validate_json(message.data))
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
    """
    try:
        message = await bus.jetstream.get_msg(subjects.DEAD.name, number)
    except NotFoundError as error:
        raise NoSuchLetterError(number) from error
    return StoredLetter(number, DeadLetter.model_validate_json(message.data or b""))


async def replay_letter(bus: Bus, stored: StoredLetter) -> None:
    """Publish a dead letter's message again, then forget the letter.

    Consumers that folded the event already recognise it by its id. A crash in between leaves the letter where it is;
    replaying it once more does no harm.
    """
    letter = stored.letter
    message_id = f"replay.{letter.id}.{stored.number}"
    await bus.publisher.publish([Outgoing(letter.subject, base64.b64decode(letter.payload), message_id)])
    await bus.jetstream.delete_msg(subjects.DEAD.name, stored.number)
