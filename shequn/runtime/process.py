"""Runs one service as a process: settings, logs, server, signals, exit code."""

import gc
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import uvicorn

from shequn.runtime.failures import ConfigError
from shequn.runtime.logs import configure_logging
from shequn.runtime.service import Service
from shequn.runtime.settings import RuntimeSettings, load_settings

_GRACE_SECONDS = 20
_GARBAGE_THRESHOLDS = (50_000, 20, 100)
T = TypeVar("T", bound=RuntimeSettings)


def run_service(settings_class: type[T], build: Callable[[T], tuple[Service, Any]]) -> None:
    """Run a service until SIGTERM or SIGINT.

    Args:
        settings_class: its settings.
        build: makes the service and its ASGI application from the settings.

    Exits with code 2 when a setting or file is wrong, and says which; with 1 when it cannot start for another reason.
    """
    try:
        settings = load_settings(settings_class)
        configure_logging(settings_class.__module__.split(".")[-2], settings.log_level, settings.log_format)
        service, app = build(settings)
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from error
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            loop="uvloop",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )

    def give_up() -> None:
        server.should_exit = True

    service.on_fatal = give_up
    calm_garbage_collector()
    server.run()
    if service.failure is not None:
        sys.stderr.write(f"error: {service.failure}\n")
        raise SystemExit(2 if isinstance(service.failure, ConfigError) else 1)


def calm_garbage_collector() -> None:
    """Let the collector of cycles look seldom, and never at what is imported.

    A batch makes tens of thousands of objects that live until its commit, and hardly any cycle. With the default
    threshold of 700 the collector walks over them again and again: half of the time of decoding, measured.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
