# ruff: noqa: INP001  # a script of the image, no package
"""Asks a process of this container over HTTP whether it is well: ``python -I -S probe.py /livez [PORT]``.

Exit code 0: it answers 200. 1: anything else, or no answer within four seconds. The port is SHEQUN_HTTP_PORT unless
one is given. Standard library alone: it runs every few seconds, beside the service.
"""

import os
import sys
import urllib.error
import urllib.request

_SECONDS = 4.0
_HTTP_OK = 200


def well(url: str) -> bool:
    """Tell whether ``GET url`` answers 200. A proxy of the environment is not asked: the address is our own."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            return bool(answer.status == _HTTP_OK)
    except (OSError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    path, *port = sys.argv[1:]
    address = f"http://127.0.0.1:{port[0] if port else os.environ['SHEQUN_HTTP_PORT']}{path}"
    sys.exit(0 if well(address) else 1)
