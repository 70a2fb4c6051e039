"""Puts commerce together."""

from starlette.applications import Starlette

from services.commerce import http, store
from services.commerce.handlers import MembersFolder, PaymentsFolder
from services.commerce.metrics import CommerceExporter, CommerceMetrics
from services.commerce.settings import CommerceSettings
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry


def create_app(settings: CommerceSettings) -> tuple[Service, Starlette]:
    """Make the service and its ASGI application. Nothing connects before a server starts it."""
    registry = new_registry()
    metrics = CommerceMetrics(registry)
    service = Service("commerce", "services.commerce", settings, registry)
    service.add_folder(PaymentsFolder(metrics))
    service.add_folder(MembersFolder(metrics))
    service.add_exporter(CommerceExporter(metrics, service.definitions).refresh)
    return service, service.app(http.routes(store.StoreReader(service.store), service.definitions))
