"""Reads what came in: JSON that nobody has checked yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ValidationError

from shequn.adapters import ReceiveContext
from shequn.adapters.errors import MalformedError
from shequn.contracts.base import Contract
from shequn.contracts.definitions.community import CommunityDefinition, GroupDefinition
from shequn.contracts.envelope import Envelope

_MOST_FIELD = 200

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound=Envelope)


def read_json(body: bytes) -> Any:
    """Read a body as JSON.

    Raises:
        MalformedError: it is not UTF-8 or not JSON, is nested deeper than 1,000 levels, or holds a NUL character, which
            the store cannot keep.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError("", f"is not JSON: {error.msg} at character {error.pos}") from None
    if b"\\u0000" in body or b"\0" in body:
        _refuse_nul(value)
    return value


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body as a JSON object.

    Raises:
        MalformedError: it is none.
    """
    return as_object(read_json(body), "")


def as_object(value: Any, field: str) -> dict[str, Any]:
    """Take a value as a JSON object.

    Raises:
        MalformedError: it is none.
    """
    if not isinstance(value, dict):
        raise MalformedError(field, "must be a JSON object")
    return value


def validated(model: type[M], value: Mapping[str, Any], place: str = "") -> M:
    """Validate a value.

    Args:
        model: the model.
        value: what came in.
        place: where it stands in the body.

    Raises:
        MalformedError: naming the first field that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = _shortened(".".join(str(part) for part in first["loc"]))
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise MalformedError(
            ".".join(filter(None, (place, field))), first["msg"].removeprefix("Value error, ") + more
        ) from None


def recorded(
    event: type[E],
    context: ReceiveContext,
    *,
    time: datetime,
    time_field: str,
    community: str,
    subject: str,
    origin: tuple[str, ...],
    data: Contract,
) -> E:
    """Make an event of a fact that came through a channel.

    Raises:
        MalformedError: the time is one that no event can have.
    """
    context.require_time(time, time_field)
    return event.record(
        time=time,
        recorded=context.now,
        source=f"/intake/{context.channel}",
        community=community,
        subject=subject,
        origin=origin,
        data=data,
    )


def require_group(definition: CommunityDefinition, group: str, field: str) -> GroupDefinition:
    """Give a group of the community's definition.

    Raises:
        MalformedError: it is not there.
    """
    found = definition.group(group)
    if found is None:
        raise MalformedError(field, f"no group {group!r} in community {definition.community!r}")
    return found


def require_timezone(name: str | None, field: str) -> None:
    """Check the name of a time zone; none is right.

    Raises:
        MalformedError: nobody knows it.
    """
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise MalformedError(field, "is no IANA time zone such as Asia/Shanghai") from None


def _shortened(field: str) -> str:
    """Give a path that a person may read; a hostile document nests a thousand levels."""
    return field if len(field) <= _MOST_FIELD else f"{field[:_MOST_FIELD]}…"


def _refuse_nul(document: Any) -> None:
    # A stack of our own: the document may be nested deeper than the interpreter likes to recurse.
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        field, value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            raise MalformedError(_shortened(field), "holds a NUL character, which cannot be stored")
        if isinstance(value, dict):
            if any("\0" in key for key in value):
                raise MalformedError(_shortened(field), "has a name with a NUL character, which cannot be stored")
            waiting.extend((f"{field}.{key}".lstrip("."), child) for key, child in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{field}.{index}".lstrip("."), child) for index, child in enumerate(value))
