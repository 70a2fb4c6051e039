"""Probes of readiness and of life."""

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

from .spec import Ailment, LivenessProbe, Probe

_ATTEMPT_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0  # a machine under load answers late
_MOST_BYTES = 64 * 1024
_HTTP_OK = 200
_HTTP_UNAVAILABLE = 503
_NO_ANSWER = (OSError, ValueError, IndexError, TimeoutError, asyncio.IncompleteReadError)


def http_ok(url: str) -> Probe:
    """A probe that passes when `GET url` answers 200.

    Args:
        url: plain http, with a port, e.g. `http://127.0.0.1:8080/readyz`.
    """

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_ATTEMPT_SECONDS):
                status, _ = await _get(url)
        except _NO_ANSWER:
            return False
        return status == _HTTP_OK

    return probe


def http_live(url: str, within: float = _PATIENCE_SECONDS) -> LivenessProbe:
    """A probe of life that asks `GET url`, as our services answer `/livez`.

    503 with the names of parts that ended is certain; 503 without names and no answer are not. Any other answer is one
    of a process that lives.

    Args:
        url: plain http, with a port.
        within: seconds that an answer may take.
    """

    async def probe() -> Ailment | None:
        try:
            async with asyncio.timeout(within):
                status, body = await _get(url)
        except TimeoutError:
            return Ailment(f"it did not answer within {within:g} s")
        except _NO_ANSWER:
            return Ailment("it did not answer")
        if status != _HTTP_UNAVAILABLE:
            return None
        dead = _dead_parts(body)
        return Ailment(f"it said that {', '.join(dead)} ended", certain=True) if dead else Ailment("it answered 503")

    return probe


def _dead_parts(body: bytes) -> list[str]:
    try:
        answer = json.loads(body)
    except ValueError:
        return []
    dead = answer.get("dead") if isinstance(answer, dict) else None
    return [str(name) for name in dead] if isinstance(dead, list) else []


async def _get(url: str) -> tuple[int, bytes]:
    """Ask over HTTP, without a client library: that would ask the proxy of the environment."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request.encode())
        status = int((await reader.readline()).split()[1])
        while (await reader.readline()).strip():
            pass  # headers
        return status, await _body(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _body(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < _MOST_BYTES and (more := await reader.read(_MOST_BYTES)):
        body += more
    return body
