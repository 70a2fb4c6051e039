"""Our own services as processes of the stack."""

import sys
from collections.abc import Mapping
from types import MappingProxyType

from .ports import LOOPBACK, choose_port
from .probes import http_live, http_ok
from .settings import LocalSettings, port_setting
from .spec import ProcessSpec

_SERVERS = ("nats", "postgres")
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "intake": "services.intake",
        "moderation": "services.moderation",
        "engagement": "services.engagement",
        "commerce": "services.commerce",
        "consumer": "flows.consumer",
        "worker": "flows.worker",
    }
)
"""The module that `python -m` runs, by process name."""


def application(
    name: str,
    module: str,
    *,
    port: int | None = None,
    depends_on: tuple[str, ...] = _SERVERS,
    env: Mapping[str, str] = MappingProxyType({}),
) -> ProcessSpec:
    """A Python module as a process that is ready when `GET /readyz` answers 200.

    It is started again when `GET /livez` names parts that ended, or does not answer.

    It is told where to listen by SHEQUN_HTTP_HOST and SHEQUN_HTTP_PORT. The stack adds the
    addresses of the servers.

    Args:
        name: its name in the stack.
        module: what `python -m` runs.
        port: TCP port; None takes a free one.
        depends_on: what must be ready before it starts.
        env: more variables.

    Raises:
        PortTakenError: `port` is in use.
    """
    port = choose_port(port, name, port_setting(name))
    url = f"http://{LOOPBACK}:{port}"
    return ProcessSpec(
        name=name,
        # -P: what lies in the folder where somebody called us must not shadow our modules.
        argv=(sys.executable, "-P", "-m", module),
        ready=http_ok(f"{url}/readyz"),
        live=http_live(f"{url}/livez"),
        env={"SHEQUN_HTTP_HOST": LOOPBACK, "SHEQUN_HTTP_PORT": str(port), **env},
        depends_on=depends_on,
        ports={"http": port},
        urls={"http": url},
        ready_timeout=60.0,
        stop_timeout=20.0,
    )


def standard_applications(settings: LocalSettings) -> list[ProcessSpec]:
    """All our services. The worker waits for Prefect; without it, it runs its waves alone.

    Raises:
        PortTakenError: a port set for one of them is in use.
    """
    specs = []
    for name, module in MODULES.items():
        needs = (*_SERVERS, "prefect") if name == "worker" and settings.prefect else _SERVERS
        port = settings.ports.get(name)
        specs.append(application(name, module, port=port, depends_on=needs))
    return specs
