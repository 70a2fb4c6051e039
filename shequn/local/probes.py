"""Readiness probes."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from .spec import Probe

_ATTEMPT_SECONDS = 2.0
_HTTP_OK = 200


def http_ok(url: str) -> Probe:
    """A probe that passes when `GET url` answers 200.

    Speaks HTTP itself: a client library would ask the proxy of the environment.

    Args:
        url: plain http, with a port, e.g. `http://127.0.0.1:8080/readyz`.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_ATTEMPT_SECONDS):
                return await _status(host, port, request.encode()) == _HTTP_OK
        except (OSError, ValueError, IndexError, TimeoutError, asyncio.IncompleteReadError):
            return False

    return probe


async def _status(host: str, port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        line = await reader.readline()
        return int(line.split()[1])
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
