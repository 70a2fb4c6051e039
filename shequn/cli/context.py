"""What commands share: where the stack is, how errors and results are shown."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console

from shequn.local import read_record
from shequn.runtime.bus.connection import Bus
from shequn.runtime.failures import AppError, ConfigError, PermanentError

T = TypeVar("T")

console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True, highlight=False)

EXIT_WRONG_INPUT = 2
EXIT_NOT_NOW = 1

DEFAULT_DATA = Path(os.environ.get("SHEQUN_DATA_DIR", ".shequn"))
"""The folder of the stack where none is named."""


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work; turn errors that are meant for people into messages and exit codes.

    Exit code 2: the input or a setting is wrong. 1: something is not reachable now.
    """
    try:
        return asyncio.run(work())
    except PermanentError as error:
        show_error(error)
        raise typer.Exit(EXIT_WRONG_INPUT) from error
    except AppError as error:
        show_error(error)
        raise typer.Exit(EXIT_NOT_NOW) from error


def show_error(error: Exception) -> None:
    """Write an error to standard error, as it is: it may hold brackets that are no markup."""
    errors.print("error:", style="bold red", end=" ")
    errors.print(str(error), markup=False)


def print_json(value: Any) -> None:
    """Write one JSON object on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def nats_url(data: Path) -> str:
    """Find the bus: the setting ``SHEQUN_NATS_URL``, else the stack that runs on a data folder.

    Raises:
        ConfigError: neither is there.
    """
    if url := os.environ.get("SHEQUN_NATS_URL"):
        return url
    state = read_record(data)
    if state is None:
        raise ConfigError(
            f"no stack runs on the folder {data}: start one with `./run up`, name its folder with --data, "
            "or set SHEQUN_NATS_URL"
        )
    return state.nats_url


@asynccontextmanager
async def connected_bus(data: Path) -> AsyncIterator[Bus]:
    """Connect to the bus for one command."""
    bus = Bus(nats_url(data), name="shequn-cli")
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


Work = Callable[[Bus], Awaitable[T]]


def with_bus(data: Path, work: Work[T]) -> T:
    """Run work that needs the bus."""

    async def connected() -> T:
        async with connected_bus(data) as bus:
            return await work(bus)

    return run(connected)
