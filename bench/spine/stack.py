"""A fresh stack for each measurement: own data folder, disk syncs on, everything stopped at the end."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from bench.spine.chat import read_chat
from bench.spine.definition import bench_definition
from shequn.local import LocalSettings, LocalStack, ProcessSpec
from shequn.local.ports import LOOPBACK, free_port
from shequn.runtime.applying import apply_definition
from shequn.runtime.bus import Bus


class BenchError(RuntimeError):
    """A measurement is not valid."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running stack.

    Attributes:
        stack: its processes.
        bus: a connection of the bench's own.
    """

    stack: LocalStack
    bus: Bus

    def pids(self, names: Sequence[str]) -> dict[str, int]:
        """Give the process ids of processes by name.

        Raises:
            BenchError: one was restarted: what was measured is not what was meant.
        """
        pids = {}
        for name in names:
            pid = self.stack.processes[name].pid
            if pid is None or self.stack.restarts(name):
                raise BenchError(f"{name} was restarted during the measurement; its log tells why")
            pids[name] = pid
        return pids


def new_folder() -> "tempfile.TemporaryDirectory[str]":
    """Make a folder for one measurement; it goes with the end of its block."""
    return tempfile.TemporaryDirectory(prefix="shequn-bench-")


@asynccontextmanager
async def running_stack(
    folder: Path,
    applications: Sequence[ProcessSpec],
    *,
    prefect: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Place]:
    """Run servers and applications with the bench's community applied, until the end of the block.

    Args:
        folder: for all data.
        applications: processes besides the servers.
        prefect: whether Prefect's server runs too.
        environment: variables for the applications.
    """
    monitor = free_port()
    settings = LocalSettings(data_dir=folder, prefect=prefect, clock="real", ports={"nats_monitor": monitor})
    told = {"SHEQUN_NATS_MONITOR_URL": f"http://{LOOPBACK}:{monitor}", **environment}
    specs = [replace(spec, env={**told, **spec.env}) for spec in applications]
    async with LocalStack(settings, specs) as stack:
        bus = Bus(stack.nats_url, name="bench")
        await bus.connect()
        try:
            await apply_definition(bus, bench_definition(read_chat().groups), datetime.now(UTC))
            await stack.wait_ready()
            yield Place(stack, bus)
        finally:
            await bus.close()
