"""Puts intake together."""

from datetime import timedelta

from starlette.applications import Starlette

from services.intake import http, store
from services.intake.adapters import BUILTIN
from services.intake.channels import make_channels
from services.intake.claims import Claims
from services.intake.delivery import Delivery
from services.intake.facts import OUTSIDE_FACTS
from services.intake.handlers import ActionsFolder, ChatMembersFolder, SignupsFolder
from services.intake.incoming import IncomingChannels
from services.intake.ingress import Ingress
from services.intake.metrics import IntakeExporter, IntakeMetrics
from services.intake.outgoing import OutgoingAdapters
from services.intake.settings import IntakeSettings
from shequn.adapters import AdapterEnvironment, AdapterRegistry
from shequn.runtime.clock import SystemClock
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry

_PURGE_SECONDS = 600.0


def create_app(settings: IntakeSettings, adapters: AdapterRegistry | None = None) -> tuple[Service, Starlette]:
    """Make the service and its ASGI application. Nothing connects before a server starts it.

    Args:
        settings: the settings.
        adapters: the adapters there are; those of the installed packages by default.

    Raises:
        ConfigError: a channel or an outgoing adapter cannot be had as it is set up.
    """
    registry = new_registry()
    metrics = IntakeMetrics(registry)
    service = Service("intake", "services.intake", settings, registry)
    adapters = adapters or AdapterRegistry(BUILTIN)
    channels = make_channels(adapters, settings.intake_channels, settings.data_dir, service.clock)
    outgoing = OutgoingAdapters(adapters, settings.intake_outgoing, settings.data_dir, service.clock)
    _add_delivery(service, settings, outgoing, metrics)
    service.add_folder(SignupsFolder())
    service.add_folder(ChatMembersFolder())
    service.add_exporter(IntakeExporter(metrics, outgoing).refresh)
    ingress = Ingress(service.bus, settings.intake_ack_seconds)
    service.watch("ingress", ingress.dead)
    service.at_start(ingress.start)
    service.at_stop(ingress.stop)
    environment = AdapterEnvironment("intake", settings.data_dir, service.clock, settings.ahead)
    _add_incoming(service, IncomingChannels(adapters, settings.intake_incoming, environment, metrics, ingress.accept))
    door = http.Door(
        channels=channels,
        ingress=ingress,
        definitions=service.definitions,
        clock=service.clock,
        real_clock=SystemClock(),
        metrics=metrics,
        ahead=settings.ahead,
        body_bytes=settings.intake_body_bytes,
        body_seconds=settings.intake_body_seconds,
    )
    for event in OUTSIDE_FACTS:
        service.documents_emission(event)
    return service, service.app(http.routes(door))


def _add_incoming(service: Service, incoming: IncomingChannels) -> None:
    service.watch("incoming", incoming.dead)
    service.at_start(lambda: incoming.start(service.definitions))
    service.at_stop(incoming.stop)


def _add_delivery(
    service: Service, settings: IntakeSettings, outgoing: OutgoingAdapters, metrics: IntakeMetrics
) -> None:
    delivery = Delivery(
        Claims(service.store),
        outgoing,
        service.definitions,
        service.clock,
        settings,
        metrics,
        service.wake_outbox,
    )

    async def purge() -> float:
        before = service.clock.now() - timedelta(days=settings.intake_delivery_days)
        async with service.store.connection() as connection:
            return 0.0 if await store.purge(connection, before) else _PURGE_SECONDS

    service.add_folder(ActionsFolder(delivery.wake))
    service.loops.add("delivery", delivery.step, delivery.stop)
    service.add_loop("purge-deliveries", purge)
    service.at_start(outgoing.open)
    service.at_stop(outgoing.close)
    service.at_stop(delivery.close)
