"""Puts the consumer together; the only place that does."""

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from flows.consumer.handlers import FOLDERS
from flows.consumer.settings import ConsumerSettings
from flows.handles import SCHEMA
from flows.metrics import FunnelMetrics
from flows.seats import SeatBoard
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry


def create_app(settings: ConsumerSettings, registry: CollectorRegistry | None = None) -> tuple[Service, Starlette]:
    """Make the service and its ASGI application. Nothing connects before a server starts it."""
    registry = registry or new_registry()
    service = Service(SCHEMA, "flows", settings, registry)
    seats = SeatBoard()
    for folder in FOLDERS:
        service.add_folder(folder(seats))
    service.add_exporter(seats.refresh)
    service.add_exporter(FunnelMetrics(registry).refresh)
    return service, service.app()
