"""Puts a local stack up for a story: its clock, webhooks that know the feeder's secrets, the definition in force."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.local import LocalSettings, LocalStack, standard_applications
from shequn.runtime.applying import apply_definition
from shequn.runtime.bus.connection import Bus
from shequn.runtime.clock import ScaledClock
from shequn.sim.behaviour import Behaviour
from shequn.sim.feeder import Feeder, new_secret
from shequn.sim.story import Channel

_CHANNELS: tuple[Channel, ...] = ("signup", "chat", "payments")
_FIRST_DAY = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stack that a story can be told to.

    Attributes:
        stack: the stack; all its processes are ready.
        definition: the community, in the version that is in force.
        clock: the clock of the stack and the story.
        channel_secrets: what intake accepts.
    """

    stack: LocalStack
    definition: CommunityDefinition
    clock: ScaledClock
    channel_secrets: dict[Channel, str]

    @property
    def services(self) -> dict[str, str]:
        """Address of every process of ours, by name."""
        urls = {name: process.spec.urls for name, process in self.stack.processes.items()}
        return {name: found["http"] for name, found in urls.items() if "http" in found}

    def feeder(self) -> Feeder:
        """Make a feeder of this stack."""
        services = self.services
        return Feeder(
            services["intake"], services["commerce"], self.definition.community, self.channel_secrets, self.clock
        )


def story_clock(behaviour: Behaviour, seconds: float) -> ScaledClock:
    """Make a clock that runs through all days of a story in so many real seconds, from now on."""
    span = timedelta(days=behaviour.days + behaviour.quiet_days)
    return ScaledClock(datetime.now(UTC), _FIRST_DAY, span.total_seconds() / seconds)


@asynccontextmanager
async def staged(data: Path, clock: ScaledClock, definition: CommunityDefinition) -> AsyncIterator[Stage]:
    """Run the whole stack until the end of the block, with a community in force.

    Args:
        data: folder of the stack's data.
        clock: the clock of all its processes.
        definition: the community; stored as its next version.
    """
    secrets = {channel: new_secret() for channel in _CHANNELS}
    settings = LocalSettings(data_dir=data, clock=str(clock))
    more = {"SHEQUN_INTAKE_CHANNELS": _channels(definition.community, secrets), "SHEQUN_EXPORT_SECONDS": "1"}
    applications = [replace(spec, env={**spec.env, **more}) for spec in standard_applications(settings)]
    async with LocalStack(settings, applications=applications) as stack:
        await stack.wait_ready()
        yield Stage(stack, await _apply(stack, definition), clock, secrets)


def _channels(community: str, secrets: dict[Channel, str]) -> str:
    adapters = {"signup": "signup", "chat": "generic", "payments": "generic"}
    return json.dumps(
        {
            channel: {"adapter": adapters[channel], "community": community, "secrets": [secret]}
            for channel, secret in secrets.items()
        }
    )


async def _apply(stack: LocalStack, definition: CommunityDefinition) -> CommunityDefinition:
    bus = Bus(stack.nats_url, name="shequn-stage")
    await bus.connect()
    try:
        return await apply_definition(bus, definition, datetime.now(UTC))
    finally:
        await bus.close()
