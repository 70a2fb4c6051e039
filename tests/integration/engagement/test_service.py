"""The whole service on a real bus and store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats

from services.engagement.app import create_app
from services.engagement.settings import EngagementSettings
from shequn.contracts.definitions.community import CommunityDefinition, DefinitionApplied
from shequn.contracts.subjects import ENGAGEMENT
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from tests.support.waiting import eventually
from tests.unit.engagement.builders import COMMUNITY, definition, message


def applied(document: CommunityDefinition) -> DefinitionApplied:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return DefinitionApplied.record(
        time=moment,
        recorded=moment,
        source="/test",
        community=COMMUNITY,
        subject=COMMUNITY,
        origin=(COMMUNITY, "1"),
        data=document.model_copy(update={"version": 1}),
    )


async def test_turns_chat_into_gauges_and_events(nats_url: str, postgres_dsn: str, tmp_path: Path) -> None:
    settings = EngagementSettings(
        nats_url=nats_url, postgres_dsn=postgres_dsn, data_dir=tmp_path, allow_unsafe_bus=True, export_seconds=0.1
    )
    now = datetime.now(UTC)
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    chat = [message("ann", "1", now - timedelta(minutes=1)), message("bob", "2", now, reply_to="1")]
    await Publisher(client).publish([Outgoing.of(event) for event in (applied(definition()), *chat)])
    service, app = create_app(settings)

    async def issued() -> float | None:
        return service.registry.get_sample_value("shequn_engagement_points_issued", {"community": COMMUNITY})

    async def told() -> int:
        return (await client.jetstream().stream_info(ENGAGEMENT.name)).state.messages

    async with app.router.lifespan_context(app):
        await eventually(issued, lambda value: value == 2)
        # Two first posts, one first reply, two tiers, one earning.
        await eventually(told, lambda count: count == 6)
    await client.close()
