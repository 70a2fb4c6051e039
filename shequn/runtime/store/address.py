"""Addresses of PostgreSQL: checked before anything connects, never shown with their passwords."""

import re
from urllib.parse import SplitResult, urlsplit

from shequn.runtime.failures import ConfigError

SETTING = "SHEQUN_POSTGRES_DSN"

_SCHEMES = ("postgresql://", "postgres://")
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+]|[\w.%-]*)(?::(?P<port>\d{1,5}))?")  # also IPv6, and no host at all
_HIGHEST_PORT = 65_535
_FORM = (
    "write postgresql://user:password@host:port/database; in user and password, characters such as @ : / ? # "
    "are written as %40 %3A %2F %3F %23"
)


def checked_dsn(dsn: str) -> str:
    """Give the address back if it can be one of a PostgreSQL server.

    Raises:
        ConfigError: it can be none; the message names the setting and shows nothing of the address.
    """
    if (fault := _fault(dsn)) is not None:
        raise wrong_dsn(fault)
    return dsn


def wrong_dsn(fault: str) -> ConfigError:
    """Make the error of an address that nothing can connect to.

    Args:
        fault: what is wrong with it, without a part of it: where a password ends is what nobody knows then.
    """
    return ConfigError(f"{SETTING} is wrong: it {fault}; {_FORM}")


def _fault(dsn: str) -> str | None:
    if not dsn.startswith(_SCHEMES):
        return f"does not begin with {' or '.join(_SCHEMES)}"
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return "has brackets without an IPv6 address"
    if "@" in parts.path + parts.query or "#" in dsn:
        return "has an @ behind the host, or a #"
    return _fault_of_servers(parts)


def _fault_of_servers(parts: SplitResult) -> str | None:
    user, _, servers = parts.netloc.rpartition("@")
    if "@" in user:
        return "has more than one @"
    for server in servers.split(","):
        found = _SERVER.fullmatch(server)
        if found is None:
            return "has a host that could be none, or a port that is no number"
        if int(found["port"] or 0) > _HIGHEST_PORT:
            return f"has a port above {_HIGHEST_PORT}"
    return None
