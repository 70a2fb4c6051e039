"""From bytes to events, one message at a time: a malformed one spoils nothing else."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from nats.aio.msg import Msg
from pydantic import ValidationError

from shequn.contracts.envelope import Envelope

_SHORT_REPLY_TOKENS = 9


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the event in it."""

    message: Msg
    event: Envelope


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that cannot be processed, and why: ``reason`` for counting, ``detail`` for people."""

    message: Msg
    reason: str
    detail: str


def deliveries_of(message: Msg) -> int:
    """Tell how often the server has handed out a message.

    The reply subject says it: ``$JS.ACK.stream.consumer.delivered…``, with domain and account before the stream's name
    in its longer form. ``message.metadata`` reads all of it, dates too, which costs ten times as much.
    """
    tokens = message.reply.split(".")
    return int(tokens[4 if len(tokens) == _SHORT_REPLY_TOKENS else 6])


def describe(error: ValidationError) -> str:
    """Say what is wrong with a document: field and rule, never the value, which may be private."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'document'}: {problem['msg']}" for problem in problems
    )


def describe_failure(error: Exception) -> str:
    """Say what a rule raised: in one line first, then where."""
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}\n{''.join(traceback.format_exception(error))}"


class Decoder:
    """Knows the event classes that one consumer folds."""

    def __init__(self, accepts: Sequence[type[Envelope]], known: Sequence[type[Envelope]]) -> None:
        """Prepare.

        Args:
            accepts: what the consumer folds.
            known: every event class there is; those that are not accepted are passed over.
        """
        self._accepted = {event.TYPE: event for event in accepts}
        self._known = frozenset(event.TYPE for event in known)

    def decode(self, message: Msg) -> Delivery | Rejected | None:
        """Decode one message; none when it is an event that this consumer does not fold."""
        event_class = self._accepted.get(message.subject)
        if event_class is None:
            if message.subject in self._known:
                return None
            return Rejected(message, "unknown-type", f"no event type {message.subject!r} is known to this version")
        try:
            return Delivery(message, event_class.model_validate_json(message.data))
        except ValidationError as error:
            return Rejected(message, "malformed", describe(error))
