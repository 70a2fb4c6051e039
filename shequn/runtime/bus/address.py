"""Addresses of NATS servers: checked before anything connects, shown without their passwords."""

import re
from urllib.parse import urlsplit

from shequn.runtime.failures import ConfigError

_SETTING = "SHEQUN_NATS_URL"
_SCHEMES = ("nats", "tls", "ws", "wss")
_HOST = re.compile(r"[\w.:%-]+")  # also IPv6


def server_urls(text: str) -> list[str]:
    """Split ``nats://host:port``, several separated by commas.

    Raises:
        ConfigError: one of them can be no address of a NATS server.
    """
    urls = [url.strip() for url in text.split(",")]
    for url in urls:
        if (fault := _fault(url)) is not None:
            raise ConfigError(
                f"{_SETTING} is wrong: {without_password(url)!r} {fault}; write nats://host:port, "
                "several separated by commas"
            )
    return urls


def without_password(url: str) -> str:
    """An address as messages may show it: without user, password or token."""
    return re.sub(r"^(\w+://)?.*@", r"\1", url)


def _fault(url: str) -> str | None:
    if not url.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        return f"does not begin with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text may quote a part of the password
        return "has a port that is no number up to 65535, or brackets without an IPv6 address"
    if not host or not _HOST.fullmatch(host):
        return "names no host that could be one"
    return None
