"""Fake services, and ways to look at processes and ports from outside."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from shequn.local import ProcessSpec, http_ok
from shequn.local.ports import free_port

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
MakeService = Callable[..., ProcessSpec]

_FAKE = str(Path(__file__).with_name("fake_service.py"))
_DEADLINE_SECONDS = 20.0


@pytest.fixture
def make_service() -> MakeService:
    """Describes a fake service of a kind: make_service("family", "name", "need", …)."""

    def make(kind: str, name: str, *needs: str, stop_timeout: float = 10.0) -> ProcessSpec:
        port = free_port()
        return ProcessSpec(
            name=name,
            argv=(sys.executable, "-I", _FAKE, kind, str(port)),
            ready=http_ok(f"http://127.0.0.1:{port}/readyz"),
            depends_on=needs,
            ports={"http": port},
            stop_timeout=stop_timeout,
        )

    return make


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Whether a process runs; one that ended but was not waited for does not."""

    def check(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return check


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds; fails after 20 s."""

    async def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true within 20 s"
            await asyncio.sleep(0.01)

    return wait
