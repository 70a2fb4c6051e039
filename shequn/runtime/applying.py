"""Puts a definition in force: a new immutable version on the bus."""

from datetime import datetime

import nats.errors
from nats.js.errors import APIError

from shequn.contracts import subjects
from shequn.contracts.definitions.community import CommunityDefinition, DefinitionApplied
from shequn.runtime.bus.connection import Bus
from shequn.runtime.bus.streams import declare_streams
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.failures import AppError, TransientError, UnknownCommunityError

_WRONG_LAST_SEQUENCE = 10_071


class ConcurrentApplyError(AppError):
    """Somebody else applied a definition at the same moment."""

    def __init__(self, community: str) -> None:
        """Name the community."""
        super().__init__(f"somebody else applied a definition while {community} was being applied; look, and try again")


async def applied_definition(bus: Bus, community: str) -> CommunityDefinition | None:
    """Read the version in force; none when the community was never applied.

    Args:
        bus: a connected bus.
        community: the community's name.
    """
    await declare_streams(bus.jetstream)
    return await _read_applied(bus, community)


async def _read_applied(bus: Bus, community: str) -> CommunityDefinition | None:
    follower = DefinitionFollower(bus)
    await follower.start()
    try:
        return follower.current(community)
    except UnknownCommunityError:
        return None
    finally:
        await follower.stop()


async def apply_definition(bus: Bus, definition: CommunityDefinition, now: datetime) -> CommunityDefinition:
    """Store a definition as the next version, unless it equals the one in force.

    Args:
        bus: a connected bus.
        definition: a compiled definition; its version is ignored.
        now: the moment of applying.

    Returns:
        What is in force now, with its version.

    Raises:
        ConcurrentApplyError: another apply came between reading and writing.
        TransientError: the bus does not answer, or refuses.
    """
    try:
        return await _apply(bus, definition, now)
    except (nats.errors.Error, OSError) as error:
        raise TransientError(
            f"the bus did not confirm the new version of {definition.community}: {str(error) or type(error).__name__}; "
            "look with `shequn plan` whether it is in force, and try again"
        ) from error


async def _apply(bus: Bus, definition: CommunityDefinition, now: datetime) -> CommunityDefinition:
    await declare_streams(bus.jetstream)
    # Read before the definition: who applies in between moves the sequence, and this apply is refused.
    last_sequence = (await bus.jetstream.stream_info(subjects.DEFINITIONS.name)).state.last_seq
    current = await _read_applied(bus, definition.community)
    version = 1 if current is None else current.version + 1
    if current is not None and definition.model_copy(update={"version": current.version}) == current:
        return current
    numbered = definition.model_copy(update={"version": version})
    event = DefinitionApplied.record(
        time=now,
        recorded=now,
        source="/cli/apply",
        community=definition.community,
        subject=definition.community,
        origin=(definition.community, str(version)),
        data=numbered,
    )
    await _store(bus, event, last_sequence)
    return numbered


async def _store(bus: Bus, event: DefinitionApplied, last_sequence: int) -> None:
    headers = {"Nats-Msg-Id": event.id, "Nats-Expected-Last-Sequence": str(last_sequence)}
    try:
        stored = await bus.jetstream.publish(event.type, event.model_dump_json().encode(), headers=headers)
    except APIError as error:
        if error.err_code == _WRONG_LAST_SEQUENCE:
            raise ConcurrentApplyError(event.community) from error
        raise
    # The id holds community, version and millisecond, but not the content: another apply of this moment has it too.
    if stored.duplicate:
        raise ConcurrentApplyError(event.community)
