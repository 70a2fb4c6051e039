"""Free TCP ports on 127.0.0.1."""

import random
import socket
from pathlib import Path

from .errors import LocalStackError, PortTakenError

LOOPBACK = "127.0.0.1"
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 10_000
_LAST = 32_000  # below Linux's default ephemeral range, which starts at 32,768
_TRIES = 200
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port nobody listens on, and that this process has not been given before.

    It lies below the ephemeral range: a client that retries an ephemeral port of 127.0.0.1 can
    connect to itself and so keep the server from coming back after a crash.

    Raises:
        LocalStackError: no free port was found in 200 tries.
    """
    last = min(_LAST, _first_ephemeral() - 1)
    for _ in range(_TRIES):
        port = random.randint(min(_FIRST, last - 1_000), last)  # noqa: S311 - no secret
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    msg = f"no free port on {LOOPBACK} in {_TRIES} tries; stop programs that hold many ports"
    raise LocalStackError(msg)


def choose_port(wanted: int | None, process: str, setting: str) -> int:
    """`wanted` if it is free, or any free port when None.

    Args:
        wanted: the port asked for, if any.
        process: who will listen, for the message.
        setting: the name of the setting that gave `wanted`, for the message.

    Raises:
        PortTakenError: `wanted` is in use.
    """
    if wanted is None:
        return free_port()
    if not is_free(wanted):
        raise PortTakenError(wanted, process, setting)
    return wanted


def _first_ephemeral() -> int:
    try:
        return max(2_048, int(_RANGE_FILE.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return _LAST + 1
