"""Puts engagement together."""

from datetime import timedelta

from starlette.applications import Starlette

from services.engagement import http, store
from services.engagement.handlers import ChatFolder
from services.engagement.metrics import EngagementExporter, EngagementMetrics
from services.engagement.settings import EngagementSettings
from services.engagement.sweep import TierSweep
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry


def create_app(settings: EngagementSettings) -> tuple[Service, Starlette]:
    """Make the service and its ASGI application. Nothing connects before a server starts it."""
    registry = new_registry()
    service = Service("engagement", "services.engagement", settings, registry)
    service.add_folder(ChatFolder())
    sweep = TierSweep(
        service.store,
        service.definitions,
        service.clock,
        every=timedelta(seconds=settings.tier_sweep_seconds),
        chunk=settings.tier_sweep_chunk,
        published=service.wake_outbox,
    )
    service.add_loop("tier-sweep", sweep.step)
    service.add_exporter(EngagementExporter(EngagementMetrics(registry), service.definitions, service.clock).refresh)
    return service, service.app(http.routes(store.StoreReader(service.store), service.definitions, service.clock))
