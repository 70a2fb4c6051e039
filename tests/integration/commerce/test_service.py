"""The whole service on a real bus and store."""

from pathlib import Path

import nats

from services.commerce.app import create_app
from services.commerce.settings import CommerceSettings
from shequn.contracts.subjects import COMMERCE
from shequn.runtime.bus import Outgoing, Publisher
from shequn.runtime.bus.streams import declare_streams
from tests.support.events import applied
from tests.support.waiting import eventually
from tests.unit.commerce.shop import CLUB, LOW_MINOR, definition, joined, paid, refunded


async def test_turns_payments_and_joinings_into_gauges_and_events(
    nats_url: str, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = CommerceSettings(
        nats_url=nats_url, postgres_dsn=postgres_dsn, data_dir=tmp_path, allow_unsafe_bus=True, export_seconds=0.1
    )
    client = await nats.connect(nats_url)
    await declare_streams(client.jetstream())
    facts = [joined("ann"), joined("bob", by="ann"), paid("p1", member="bob"), refunded("p1", 90)]
    await Publisher(client).publish([Outgoing.of(event) for event in (applied(definition()), *facts)])
    service, app = create_app(settings)

    async def gauge(name: str, **labels: str) -> float | None:
        return service.registry.get_sample_value(f"shequn_commerce_{name}", {"community": CLUB, **labels})

    async def told() -> int:
        return (await client.jetstream().stream_info(COMMERCE.name)).state.messages

    async with app.router.lifespan_context(app):
        await eventually(lambda: gauge("revenue_minor", product="course-low"), lambda value: value == LOW_MINOR)
        await eventually(lambda: gauge("commissions_held_minor"), lambda value: value == 180)
        # Attributed, paid, granted, refunded, held, reversed.
        await eventually(told, lambda count: count == 6)
    await client.close()
