"""What every process answers over HTTP: health, metrics and its AsyncAPI document."""

from typing import Protocol

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI
from faststream.specification.asyncapi.site import get_asyncapi_html
from faststream.specification.base import Specification
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route


class Process(Protocol):
    """What the routes need to know of a process."""

    name: str
    registry: CollectorRegistry

    async def unready_because(self) -> list[str]:
        """Say what keeps it from working."""
        ...

    def dead_parts(self) -> list[str]:
        """Name what only a restart can mend."""
        ...

    def asyncapi(self) -> Specification:
        """Give its AsyncAPI document."""
        ...


def system_routes(process: Process) -> list[Route]:
    """Make the routes ``/livez``, ``/readyz``, ``/metrics``, ``/asyncapi.json`` and ``/asyncapi``, its page."""

    async def livez(_: Request) -> Response:
        dead = process.dead_parts()
        return JSONResponse({"live": not dead, "dead": dead}, status_code=503 if dead else 200)

    async def readyz(_: Request) -> Response:
        reasons = await process.unready_because()
        return JSONResponse({"ready": not reasons, "because": reasons}, status_code=503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(process.registry), media_type=CONTENT_TYPE_LATEST)

    async def asyncapi(_: Request) -> Response:
        return Response(process.asyncapi().to_json(), media_type="application/json")

    async def asyncapi_page(_: Request) -> Response:
        # Its viewer comes from a public address; the document itself needs none.
        return HTMLResponse(get_asyncapi_html(process.asyncapi(), try_it_out_path=None))

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/asyncapi.json", asyncapi),
        Route("/asyncapi", asyncapi_page),
    ]


def asyncapi_of(broker: NatsBroker, name: str, version: str) -> Specification:
    """Give the AsyncAPI 3.0 document of a broker's subscribers and publishers."""
    return AsyncAPI(broker, title=f"shequn {name}", version=version, schema_version="3.0.0").to_specification()
