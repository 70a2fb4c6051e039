"""Puts the worker together; the only place that does."""

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from flows.driver import Waves
from flows.engine.emit import EMITTED
from flows.handles import SCHEMA, Handles
from flows.metrics import WaveMetrics
from flows.worker.loop import WaveLoop
from flows.worker.settings import WorkerSettings
from shequn.runtime.service import Service
from shequn.runtime.telemetry import new_registry


def create_app(settings: WorkerSettings, registry: CollectorRegistry | None = None) -> tuple[Service, Starlette]:
    """Make the worker and its ASGI application. Nothing connects before a server starts it."""
    registry = registry or new_registry()
    service = Service(SCHEMA, "flows", settings, registry)
    metrics = WaveMetrics(registry)
    waves = Waves(service.store, service.definitions, service.clock, metrics, service.wake_outbox)
    for event in EMITTED:
        service.documents_emission(event)
    if settings.prefect_api_url is None:
        _add_plain(service, waves, settings, metrics)
    else:
        _add_prefect(service, waves, settings, metrics)
    return service, service.app()


def _add_plain(service: Service, waves: Waves, settings: WorkerSettings, metrics: WaveMetrics) -> None:
    async def run() -> None:
        await waves.run_wave(settings.wave_chunk)

    service.add_loop("waves", WaveLoop(waves, settings, run, held=lambda: False, metrics=metrics).step)


def _add_prefect(service: Service, waves: Waves, settings: WorkerSettings, metrics: WaveMetrics) -> None:
    # Imported here: Prefect takes over a second to import, and an install without it needs none of it.
    from flows.worker.deployments import Deployments  # noqa: PLC0415

    handles = Handles(service.store, service.definitions, service.clock, waves)
    deployments = Deployments(handles, settings, metrics)
    loop = WaveLoop(waves, settings, deployments.run_wave, held=lambda: deployments.paused, metrics=metrics)
    service.add_loop("waves", loop.step)
    service.add_loop("prefect", deployments.poll)
    service.add_loop("purge-prefect", deployments.purge)
