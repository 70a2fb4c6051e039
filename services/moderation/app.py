"""Wires moderation together; the only place that does."""

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.moderation.handlers import ChatFolder
from services.moderation.http import routes
from services.moderation.metrics import ModerationMetrics
from services.moderation.settings import ModerationSettings
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry


def create_app(settings: ModerationSettings, registry: CollectorRegistry | None = None) -> tuple[Service, Starlette]:
    """Make the service and its ASGI application. Nothing connects before a server starts it."""
    registry = registry or new_registry()
    service = Service("moderation", "services.moderation", settings, registry)
    metrics = ModerationMetrics(registry)
    service.add_folder(ChatFolder(metrics))
    service.add_exporter(metrics.refresh)
    return service, service.app(routes(service.store))
